package all_test

import (
	"bytes"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/merkle"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/modules/stream"
)

// A device with a P-256 key, as secure elements have it, and one with Ed25519 in one anchor, from signature to proof: the transaction verifies, the block gives
// verdicts, and the outcome's root proves each reading.
func TestReadingsFromSignatureToProof(t *testing.T) {
	c := newChain(t)
	chip := txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 5).Key()
	secret, err := reading.Key(chip.Kind, txtest.Secret(5))
	if err != nil {
		t.Fatal(err)
	}
	device := chip.Address()
	one(t, c.seal(c.sign(c.body(
		moduletest.Action("seoul", &txv1.Action_AccountOpen{AccountOpen: &accountv1.Open{Kind: chip.Kind, PublicKey: chip.Public}}),
		moduletest.Action("seoul", &txv1.Action_DeviceRegisterModel{DeviceRegisterModel: &devicev1.RegisterModel{Model: "meter", Title: "Meter"}}),
		moduletest.Action("seoul", &txv1.Action_DeviceRegisterFirmware{DeviceRegisterFirmware: &devicev1.RegisterFirmware{
			Model: "meter", Number: 7, Version: "1", Digest: bytes.Repeat([]byte{1}, 32)}}),
		moduletest.Action("seoul", &txv1.Action_DeviceEnrol{DeviceEnrol: &devicev1.Enrol{Device: device[:], Model: "meter", Serial: "1", Owner: address("ben"), Firmware: 7}}),
		moduletest.Action("seoul", &txv1.Action_DeviceEnrol{DeviceEnrol: &devicev1.Enrol{Device: address("cho"), Model: "meter", Serial: "2", Owner: address("ben"), Firmware: 7}}),
		moduletest.Action("seoul", openFeed("speed", false)),
		moduletest.Action("seoul", &txv1.Action_StreamAdmit{StreamAdmit: &streamv1.Admit{Feed: "speed", Devices: [][]byte{device[:], address("cho")}}}),
	), "seoul")))

	r := reading.Reading{Boot: 1, Sequence: 1, Feed: "speed", Unit: "km/h", Value: reading.Decimal{Mantissa: 625, Exponent: -1}, Time: c.now}
	raw, err := reading.Sign(txtest.NetworkID, device, &r, secret)
	if err != nil {
		t.Fatal(err)
	}
	call := &streamv1.Anchor{Sources: []*streamv1.Source{{Device: device[:], Kind: chip.Kind, PublicKey: chip.Public, Readings: [][]byte{raw}}}}
	for i := range uint64(3) {
		moduletest.AddReading(call, "cho", "cho", reading.Reading{Boot: 1, Sequence: i + 1, Feed: "speed", Unit: "km/h", Value: reading.Decimal{Mantissa: 64}, Time: c.now})
	}
	anchored := c.sign(c.body(moduletest.Action("ana", &txv1.Action_StreamAnchor{StreamAnchor: call})), "ana")
	if err := anchored.Verify(); err != nil {
		t.Fatal(err)
	}
	events := one(t, c.seal(anchored)).GetEvents()
	if len(events) != 3 || events[2].GetStreamAnchored().GetAccepted() != 4 {
		t.Fatalf("events %v", events)
	}
	checkLeaves(t, anchored, events[0].GetStreamReported(), events[1].GetStreamReported(), events[2].GetStreamAnchored())

	// The same readings once more, in another transaction: nobody is paid twice.
	again := one(t, c.seal(c.sign(c.body(moduletest.Action("ben", &txv1.Action_StreamAnchor{StreamAnchor: call})), "ben"))).GetEvents()
	if again[2].GetStreamAnchored().GetRefused() != 4 || stream.Waiting(c.ledger.Tree(), "speed") != 4 {
		t.Errorf("events %v", again)
	}
}

// checkLeaves proves every reading of a transaction against the root in its outcome.
func checkLeaves(t *testing.T, d *tx.Tx, first, second *streamv1.Reported, sum *streamv1.Anchored) {
	t.Helper()
	var leaves [][32]byte
	for i, e := range []*streamv1.Reported{first, second} {
		s := d.Sources[i]
		if int(e.GetFirst()) != len(leaves) || len(e.GetVerdicts()) != len(s.Readings) || e.GetFirmware() != 7 {
			t.Fatalf("reported %v", e)
		}
		for j, r := range s.Readings {
			raw, err := r.Encode()
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, merkle.LeafHash(reading.LeafData(s.Device, e.GetVerdicts()[j], byte(e.GetLevel()), e.GetFirmware(), raw)))
		}
	}
	for i := range leaves {
		root, err := proof.PathRoot(leaves[i], uint64(i), uint64(sum.GetReadings()), reading.Path(leaves, i))
		if err != nil || !bytes.Equal(root[:], sum.GetRoot()) {
			t.Errorf("reading %d: %v", i, err)
		}
	}
}
