package gateway_test

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/client/coap"
	sdk "github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/client/neighbour"
	"github.com/dureledger/dure/client/witness"
	"github.com/dureledger/dure/ledger/tx"
)

// A device that runs with the Go SDK has proofs for its neighbours: over CoAP from its own gateway, by the one connection that it has; over MQTT from a
// node that it is given.
func TestNeighbourOfADevice(t *testing.T) { over(t, testNeighbourOfADevice) }

func testNeighbourOfADevice(t *testing.T, p *place) {
	p.Open()
	car, bus := p.Device(1), p.Device(2)
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.LocalAddr().String()
	free.Close()
	stop := p.start(car, func(c *sdk.Config) {
		c.Neighbour = &neighbour.Config{Listen: address, Allow: []tx.Address{bus.Address}, Every: 50 * time.Millisecond}
		if p.scheme == "mqtts" {
			c.Neighbour.Source = neighbour.Node{Client: p.Client}
		}
	})
	defer stop()
	der, err := certificate.Make(bus.Address, bus.Key)
	if err != nil {
		t.Fatal(err)
	}
	source := &neighbour.Dialled{Dial: func(ctx context.Context) (*coap.Client, error) {
		return neighbour.Dial(ctx, address, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: bus.Key}, car.Address)
	}}
	defer source.Close()
	asker := &neighbour.Asker{Memory: witness.Memory{File: filepath.Join(t.TempDir(), "checkpoint"), Anchor: p.anchor()}}
	height := int64(0)
	newer := func() bool {
		v, err := asker.Checkpoint(t.Context(), source)
		if err == nil && v != nil {
			height = v.Grounds.Height
		}
		return err == nil && v != nil
	}
	p.Net.Eventually(newer, "no checkpoint")
	before := height
	id := p.command(bus, "unlock", nil, time.Now().Add(time.Hour))
	p.Net.Eventually(func() bool { return newer() && height > before }, "no newer checkpoint")
	p.Net.Eventually(func() bool {
		_, v, err := asker.Receipt(t.Context(), source, id)
		return err == nil && v.OK()
	}, "no receipt")
}
