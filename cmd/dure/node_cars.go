package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/keystore"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// demoImage stands for the cars' firmware in the demonstration: its digest is what they give as evidence.
const demoImage = "sedan-3 firmware 1.0.0\n"

// hasCars says whether a network was made with accounts for a gateway and cars; earlier ones have none.
func (d demo) hasCars() bool {
	store, err := keystore.Open(filepath.Join(d.client(), "keys"))
	if err != nil {
		return false
	}
	_, err = store.Get(demoCars[0])
	return err == nil
}

// enrolCars registers the cars' model and firmware, enrols the cars and opens their feed, in one transaction, unless that has been done.
func (d demo) enrolCars(ctx context.Context, nodes []string) error {
	c, err := client.Dial(client.Config{Addresses: nodes})
	if err != nil {
		return err
	}
	id, err := c.Network(ctx)
	if err != nil {
		return err
	}
	store, err := keystore.Open(filepath.Join(d.client(), "keys"))
	if err != nil {
		return err
	}
	cars := make([]tx.Address, len(demoCars))
	for i, name := range demoCars {
		entry, err := store.Get(name)
		if err != nil {
			return err
		}
		cars[i] = entry.Address
	}
	refusal := (*client.Refusal)(nil)
	if _, err := c.Device(ctx, cars[0]); !errors.As(err, &refusal) || refusal.Code != "device.unknown" {
		return err // nil: it is there
	}
	passphrase, err := readSmall(filepath.Join(d.client(), "passphrase"), 4096)
	if err != nil {
		return err
	}
	var signers []tx.Signer
	for _, name := range append([]string{demoMaker, "insurer"}, demoCars...) { // a car signs that it is one
		signer, err := store.Unlock(name, strings.TrimSpace(string(passphrase)))
		if err != nil {
			return err
		}
		signers = append(signers, signer)
	}
	if err := os.WriteFile(filepath.Join(d.client(), "sedan-3-1.0.0.bin"), []byte(demoImage), 0o644); err != nil { // public
		return err
	}
	_, err = act(ctx, c, carsDraft(id, signers[0].Key().Address(), signers[1].Key().Address(), cars), signers...)
	return err
}

func carsDraft(network string, maker, insurer tx.Address, cars []tx.Address) *client.Draft {
	draft := client.NewTransaction(network).RegisterModel(maker, demoModel, "Sedan, third series").
		RegisterFirmware(maker, client.Firmware{Model: demoModel, Number: 1, Version: "1.0.0", Digest: sha256.Sum256([]byte(demoImage))})
	for i, car := range cars {
		draft.EnrolDevice(maker, car, insurer, demoModel, fmt.Sprintf("KM8-%04d", i+1), 1)
	}
	const minute = 60_000
	return draft.OpenFeed(insurer, demoFeed, &streamv1.Terms{
		Title: "Speed of the demonstration's cars", Unit: "km/h", Decimals: 1, Most: 2500, LateMs: 60 * minute, AheadMs: minute, StaleMs: 24 * 60 * minute,
		MinSources: 1, AppealMs: 7 * 24 * 60 * minute, MinLevel: devicev1.Level_LEVEL_UNSPECIFIED,
	}).AdmitDevices(insurer, demoFeed, cars...)
}

// startGateway enrols the cars and lets them in.
func (d demo) startGateway(ctx context.Context, nodes []string, port int) (*gatewayProcess, error) {
	if err := d.enrolCars(ctx, nodes); err != nil {
		return nil, failed("the demonstration's cars cannot be enrolled: "+err.Error(), "\"dure up --gateway=false\" goes without them")
	}
	g := &gatewayProcess{home: d.client(), dir: string(d), node: strings.Join(nodes, ","), listen: fmt.Sprintf("127.0.0.1:%d", port)}
	if err := os.WriteFile(filepath.Join(d.client(), gatewaySetting), []byte(g.listen+"\n"), 0o644); err != nil { // public
		return nil, err
	}
	if err := g.start(ctx); err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

// greetCars says how a car reports through the gateway.
func (a *app) greetCars(d demo, g *gatewayProcess, api string) {
	store, err := keystore.Open(filepath.Join(d.client(), "keys"))
	if err != nil {
		return
	}
	car, err := store.Get(demoCars[0])
	if err != nil {
		return
	}
	host, port, _ := strings.Cut(g.listen, ":")
	fmt.Fprintf(a.out, `
  Gateway       mqtts://%s   for %s, whose speed goes to the feed %s

Let a car report (count --sequence on from reading to reading), and see what the ledger has:
  bin/dure device cert car-1 -o car-1
  bin/dure device reading %s 52.5 --unit km/h --boot 1 --sequence 1 --by car-1 -o r.cbor
  mosquitto_pub -V 5 -h %s -p %s --cafile %s --cert car-1.pem --key car-1-key.pem -i %s -t dure/1/%s/reading -q 1 -f r.cbor -d
  bin/dure stream readings %s      and http://%s/feed/%s
`, g.listen, strings.Join(demoCars, ", "), demoFeed, demoFeed, host, port, g.certificate(), car.Address, car.Address, demoFeed, api, demoFeed)
}
