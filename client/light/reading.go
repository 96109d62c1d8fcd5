package light

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// VerifiedReading is a reading whose proof holds. What the ledger found of it later, such as that the device was in doubt then,
// is not in the proof.
type VerifiedReading struct {
	// Verified is the receipt of the transaction that anchored it; Executed is when.
	*Verified
	Device  tx.Address
	Reading *reading.Reading
	Verdict streamv1.Verdict
	Reason  streamv1.Reason
	// Firmware is what the device ran by its evidence when the reading was anchored, Level what that was worth.
	Firmware uint64
	Level    devicev1.Level
	// Key signed it. OwnKey says that it is the device's first one; another one acts for the device by the ledger's word, unless
	// the reading was refused.
	Key    tx.Key
	OwnKey bool
	// Message is what the device signed.
	Message []byte
}

// VerifyReading verifies a file that proves a reading from the anchor: the receipt, that the transaction anchored the reading with
// this verdict, and the signature of the device.
//
// Error codes: those of [proof.DecodeReading], [Anchor.VerifyReceipt] and [reading.Parse]; proof.not_anchored, reading.bad_signature.
func (a *Anchor) VerifyReading(file []byte) (*VerifiedReading, error) {
	p, err := proof.DecodeReading(file)
	if err != nil {
		return nil, err
	}
	v, err := a.VerifyReceipt(p.Receipt)
	if err != nil {
		return nil, err
	}
	root, err := p.Root()
	if err != nil {
		return nil, err
	}
	if !anchored(v.Outcome, p, root) {
		return nil, fault.New("proof.not_anchored", "the transaction of the receipt did not anchor this reading with this verdict",
			"transaction", hex.EncodeToString(v.ID[:]), "device", p.Device)
	}
	r, err := reading.Parse(p.Message)
	if err != nil {
		return nil, err
	}
	if err := tx.VerifyReading(a.network, p.Device, p.Key, r); err != nil {
		return nil, err
	}
	return &VerifiedReading{
		Verified: v, Device: p.Device, Reading: r, Verdict: streamv1.Verdict(p.Verdict >> 4), Reason: streamv1.Reason(p.Verdict & 15),
		Firmware: p.Firmware, Level: devicev1.Level(p.Level), Key: p.Key, OwnKey: p.Key.Address() == p.Device, Message: p.Message,
	}, nil
}

// anchored says whether an outcome has the anchor that a proof speaks of.
func anchored(o *ledgerv1.Outcome, p *proof.Reading, root [32]byte) bool {
	if o.GetStatus() != ledgerv1.Status_STATUS_OK {
		return false
	}
	for _, ev := range o.GetEvents() {
		if found := ev.GetStreamAnchored(); found != nil && ev.GetAction() == p.Action && found.GetReadings() == p.Size && string(found.GetRoot()) == string(root[:]) {
			return true
		}
	}
	return false
}

// Found is the ledger's verdict in words, with the reason if there is one.
func (v *VerifiedReading) Found() string {
	words := enumWord(v.Verdict.String(), "VERDICT_")
	if v.Reason != streamv1.Reason_REASON_UNSPECIFIED {
		words += ", " + enumWord(v.Reason.String(), "REASON_")
	}
	return words
}

// Taken is when the device says it measured the value.
func (v *VerifiedReading) Taken() time.Time { return time.UnixMilli(v.Reading.Time).UTC() }

// String says in a few lines what was verified and what it rests on.
func (v *VerifiedReading) String() string {
	var b strings.Builder
	key := "the device's own key"
	if !v.OwnKey {
		key = v.Key.Address().String() + ", which is not the device's first key"
	}
	line := func(name, value string) { fmt.Fprintf(&b, "%-12s %s\n", name, value) }
	line("device", v.Device.String())
	line("feed", v.Reading.Feed)
	line("value", v.Reading.Value.String()+" "+strconv.Quote(v.Reading.Unit))
	line("taken", v.Taken().Format(timeFormat))
	line("number", fmt.Sprintf("%d of start %d", v.Reading.Sequence, v.Reading.Boot))
	line("signed by", key)
	line("verdict", v.Found())
	line("firmware", fmt.Sprintf("%d by its evidence then, %s", v.Firmware, levelWords(v.Level)))
	b.WriteString(v.Verified.String())
	return b.String()
}

func levelWords(l devicev1.Level) string {
	if l == devicev1.Level_LEVEL_UNSPECIFIED {
		return "none given yet"
	}
	return enumWord(l.String(), "LEVEL_")
}

// enumWord is the short name of an enum value: LEVEL_SELF_REPORTED is "self reported".
func enumWord(name, prefix string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, prefix), "_", " "))
}
