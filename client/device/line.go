package device

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"

	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/ledger/fault"
)

// line is a device's way to its gateway. It keeps itself connected until the context that it was made with ends; on each connection it hears
// challenges, for heardChallenge, and commands, if the device takes them, for its channel of receipts.
type line interface {
	// publish sends a message, toReading or toTx, and waits for a connection and the answer. done: sending it again would change nothing.
	publish(ctx context.Context, to string, payload []byte) (s Settled, done bool)
	// close says goodbye.
	close()
}

const (
	toReading = "reading"
	toTx      = "tx"
)

const (
	schemeMQTT = "mqtts"
	schemeCoAP = "coaps"
)

// parseGateway takes the address of a gateway apart. Code device.bad_gateway.
func parseGateway(address string) (scheme, host string, err error) {
	scheme, host, found := strings.Cut(address, "://")
	if !found {
		scheme, host = schemeMQTT, address
	}
	if _, port, err := net.SplitHostPort(host); err != nil || port == "" || scheme != schemeMQTT && scheme != schemeCoAP {
		return "", "", fault.New("device.bad_gateway", fmt.Sprintf("%q is no gateway. Write mqtts://host:port or coaps://host:port.", address), "gateway", address)
	}
	return scheme, host, nil
}

// connect begins to connect.
func (d *Device) connect(ctx context.Context) (line, error) {
	scheme, host, own, err := d.door()
	if err != nil {
		return nil, err
	}
	if scheme == schemeCoAP {
		return d.coap(ctx, host, own), nil
	}
	return d.mqtt(ctx, host, own)
}

// door is where the gateway is, and what the device shows there.
func (d *Device) door() (scheme, host string, own tls.Certificate, err error) {
	if scheme, host, err = parseGateway(d.cfg.Gateway); err != nil {
		return
	}
	der, err := certificate.Make(d.cfg.Address, d.cfg.Key)
	return scheme, host, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: d.cfg.Key}, err
}
