package indextest

import (
	"crypto"
	"crypto/sha256"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// Feed is what a fleet reports to: km/h with one digit after the point, from 0 to 250.
const Feed = "fleet.speed"

// Fleet is three cars that report to Feed, of which a value needs two that are within 20 km/h of their median. A reading that is accepted
// earns 1.00 of Asset after two minutes. The first person made and owns the cars and anchors for them, the second operates the feed.
type Fleet struct {
	l    *Ledger
	Cars []*Car
}

// Car is a device.
type Car struct {
	Signer         tx.Signer
	Address        tx.Address
	Boot, Sequence uint64
	key            crypto.Signer
	boots          uint64 // that its evidence has shown
}

// carSeed is the number of the first car's key.
const carSeed = 2000

// NewFleet enrols the cars, opens the feed, funds it with 100.00 and has each car give good evidence.
func (l *Ledger) NewFleet() (*Fleet, error) {
	f := &Fleet{l: l}
	image := sha256.Sum256([]byte("image"))
	actions := []*txv1.Action{
		{Actor: bytesOf(Person(0)), Call: &txv1.Action_DeviceRegisterModel{DeviceRegisterModel: &devicev1.RegisterModel{Model: "car", Title: "자동차"}}},
		{Actor: bytesOf(Person(0)), Call: &txv1.Action_DeviceRegisterFirmware{DeviceRegisterFirmware: &devicev1.RegisterFirmware{
			Model: "car", Number: 1, Version: "1.0", Digest: image[:]}}},
		{Actor: bytesOf(Person(1)), Call: &txv1.Action_StreamOpen{StreamOpen: &streamv1.Open{Feed: Feed, Terms: &streamv1.Terms{
			Title: "차량 속도", Unit: "km/h", Decimals: 1, Most: 2500, LateMs: 600_000, AheadMs: 30_000, StaleMs: 60_000, MinSources: 2, MaxDeviation: 200, AppealMs: 600_000,
			Premium: &streamv1.Premium{Asset: Asset, Amount: "100", DisputeMs: 120_000},
		}}}},
		{Actor: bytesOf(Person(1)), Call: &txv1.Action_StreamFund{StreamFund: &streamv1.Fund{Feed: Feed, Amount: "10000"}}},
	}
	var devices [][]byte
	for i := range uint64(3) {
		key, err := reading.Key(accountv1.KeyKind_KEY_KIND_ED25519, txtest.Secret(carSeed+i))
		if err != nil {
			return nil, err
		}
		car := &Car{Signer: txtest.Ed25519(carSeed + i), Boot: 1, key: key}
		car.Address = Address(car.Signer)
		f.Cars, devices = append(f.Cars, car), append(devices, car.Address[:])
		actions = append(actions, &txv1.Action{Actor: bytesOf(Person(0)), Call: &txv1.Action_DeviceEnrol{DeviceEnrol: &devicev1.Enrol{
			Device: car.Address[:], Model: "car", Serial: fmt.Sprint("KM8-", i), Owner: bytesOf(Person(0)), Firmware: 1}}})
		if err := f.do([]*txv1.Action{Open(Member(0), car.Signer.Key())}, Member(0)); err != nil {
			return nil, err
		}
	}
	actions = append(actions, &txv1.Action{Actor: bytesOf(Person(1)), Call: &txv1.Action_StreamAdmit{StreamAdmit: &streamv1.Admit{Feed: Feed, Devices: devices}}})
	if err := f.do(actions, Person(0), Person(1), Member(0)); err != nil {
		return nil, err
	}
	for _, car := range f.Cars {
		if err := f.Attest(car, "image"); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// do commits actions that must be ok.
func (f *Fleet) do(actions []*txv1.Action, by ...tx.Signer) error {
	o, err := f.l.Do(actions, by...)
	if err == nil && o.GetStatus() != ledgerv1.Status_STATUS_OK {
		err = fmt.Errorf("indextest: %v", o.GetRefusal())
	}
	return err
}

// Attest has a car start again, asks it for evidence, and gives an image's as its.
func (f *Fleet) Attest(car *Car, image string) error {
	challenge := &txv1.Action{Actor: bytesOf(Member(0)), Call: &txv1.Action_DeviceChallenge{DeviceChallenge: &devicev1.Challenge{Device: car.Address[:]}}}
	o, err := f.l.Do([]*txv1.Action{challenge}, Member(0))
	if err != nil || o.GetStatus() != ledgerv1.Status_STATUS_OK {
		return fmt.Errorf("indextest: %v, %w", o.GetRefusal(), err)
	}
	car.boots++
	digest := sha256.Sum256([]byte(image))
	return f.do([]*txv1.Action{{Actor: car.Address[:], Call: &txv1.Action_DeviceAttest{DeviceAttest: &devicev1.Attest{
		Nonce: o.GetEvents()[0].GetDeviceChallenged().GetNonce(), Boot: car.boots, Firmware: digest[:]}}}}, car.Signer)
}

// Read is a car's next reading: tenths of km/h, taken so long before the newest block, in milliseconds.
func (f *Fleet) Read(car *Car, tenths, before int64) []byte {
	car.Sequence++
	_, _, now := f.l.State()
	value, err := reading.NewDecimal(tenths, -1)
	if err != nil {
		panic(err)
	}
	raw, err := reading.Sign(f.l.genesis.NetworkID, car.Address, &reading.Reading{
		Boot: car.Boot, Sequence: car.Sequence, Feed: Feed, Unit: "km/h", Value: value, Time: now - before}, car.key)
	if err != nil {
		panic(err)
	}
	return raw
}

// Source is readings of a car as an anchor takes them.
func (c *Car) Source(raw ...[]byte) *streamv1.Source {
	key := c.Signer.Key()
	return &streamv1.Source{Device: c.Address[:], Kind: key.Kind, PublicKey: key.Public, Readings: raw}
}

// Anchor commits readings, which must be ok, and returns the outcome.
func (f *Fleet) Anchor(sources ...*streamv1.Source) (*ledgerv1.Outcome, error) {
	o, err := f.l.Do([]*txv1.Action{{Actor: bytesOf(Person(0)), Call: &txv1.Action_StreamAnchor{StreamAnchor: &streamv1.Anchor{Sources: sources}}}}, Person(0))
	if err == nil && o.GetStatus() != ledgerv1.Status_STATUS_OK {
		err = fmt.Errorf("indextest: %v", o.GetRefusal())
	}
	return o, err
}

// Report anchors a reading of each car, taken now: the first says this, and each after it 1 km/h more.
func (f *Fleet) Report(tenths int64) error {
	var sources []*streamv1.Source
	for i, car := range f.Cars {
		sources = append(sources, car.Source(f.Read(car, tenths+10*int64(i), 0)))
	}
	_, err := f.Anchor(sources...)
	return err
}

// Settle pays every car what can be paid.
func (f *Fleet) Settle() error {
	var devices [][]byte
	for _, car := range f.Cars {
		devices = append(devices, car.Address[:])
	}
	return f.do([]*txv1.Action{{Actor: bytesOf(Person(2)), Call: &txv1.Action_StreamSettle{StreamSettle: &streamv1.Settle{Feed: Feed, Devices: devices}}}}, Person(2))
}

// Wait commits empty blocks until so much time has passed, in milliseconds.
func (l *Ledger) Wait(ms int64) {
	for range (ms + BlockTime - 1) / BlockTime {
		l.Commit()
	}
}
