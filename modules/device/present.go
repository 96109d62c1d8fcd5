package device

import (
	"bytes"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// What checking one signature costs, in units of work. A witness of the same kind costs 50 and 250; these are checked alone.
const (
	workEd25519 = 150
	workP256    = 300
)

// present takes the evidence of a device that makes no transactions. Its signature is looked at last, when nothing else speaks against it.
func (m *Module) present(c *exec.Context, call *devicev1.Present) error {
	t, err := evidence.ParseToken(call.GetEvidence())
	if err != nil {
		return err
	}
	device, d, err := find(c.View, t.Device[:])
	if err != nil {
		return err
	}
	if err := speaks(device, d); err != nil {
		return err
	}
	if err := fresh(c, device, d, t.Nonce[:], t.Boot); err != nil {
		return err
	}
	key := t.Key.Address()
	switch acting, ok := m.accounts.KeyOf(c.View, device, c.Time); {
	case !ok:
		return frozen(device)
	case acting != key:
		return fault.New("device.wrong_key", "The evidence is signed by the key "+key.String()+", and "+acting.String()+" acts for "+device.String()+".",
			"device", device, "key", key, "acting", acting)
	}
	work := uint64(workEd25519)
	if t.Key.Kind == accountv1.KeyKind_KEY_KIND_P256 {
		work = workP256
	}
	c.View.Spend(work)
	if err := evidence.VerifyToken(c.Network, t); err != nil {
		return err
	}
	return m.take(c, device, d, reported(c.View, d, t.Boot, t.Firmware, key))
}

func frozen(device tx.Address) error {
	return fault.New("device.frozen", "The account of "+device.String()+" is frozen, so what its key signs does not count. Ask its sponsor.", "device", device)
}

// presentQuote takes a quote of a device's TPM.
func (m *Module) presentQuote(c *exec.Context, call *devicev1.PresentQuote) error {
	device, d, err := find(c.View, call.GetDevice())
	if err != nil {
		return err
	}
	if len(d.GetAttester()) == 0 {
		return fault.New("device.no_attester", "The maker of "+device.String()+" has registered no key of a TPM for it: dure device attester.", "device", device)
	}
	q, err := evidence.ParseQuote(call.GetQuote())
	if err != nil {
		return err
	}
	if err := fresh(c, device, d, q.Nonce[:], q.Boot()); err != nil {
		return err
	}
	model := modelOf(d)
	number, ok := byMeasurement.Get(c.View, measurement{model, q.PCRs, q.Digest})
	if !ok && !quotable(c.View, model, q.PCRs) {
		return fault.New("device.wrong_pcrs", fmt.Sprintf("The model %s has no firmware that is known by these registers of a TPM. Quote those it is registered with.", model.Name),
			"model", model.Name, "pcrs", fmt.Sprintf("%06x", q.PCRs))
	}
	c.View.Spend(workP256)
	if err := evidence.VerifyQuote(d.GetAttester(), call.GetQuote(), call.GetSignature()); err != nil {
		return err
	}
	return m.take(c, device, d, shown{q.Boot(), q.Digest, number, m.quoted(c, device, d)})
}

// quoted is what a quote is worth: nobody has said that the TPM is in one thing with another key than acted when the maker registered it.
func (m *Module) quoted(c *exec.Context, device tx.Address, d *devicev1.Device) devicev1.Level {
	if acting, ok := m.accounts.KeyOf(c.View, device, c.Time); ok && bytes.Equal(acting[:], d.GetAttesterBeside()) {
		return devicev1.Level_LEVEL_MEASURED_BOOT
	}
	return devicev1.Level_LEVEL_SELF_REPORTED
}

// quotable says whether some firmware of a model is known by these registers, whatever is in them.
func quotable(r state.Reader, model Model, pcrs uint32) (found bool) {
	all := measurements.Append(nil, measurement{model: model, pcrs: pcrs})
	byMeasurement.Ascend(r, all[:len(all)-len(Digest{})], func(measurement, uint64) bool {
		found = true
		return false
	})
	return found
}
