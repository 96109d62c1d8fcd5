package device

import (
	"bytes"
	"slices"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// openDoubt is the doubt that goes on, nil if there is none.
func openDoubt(d *devicev1.Device) *devicev1.Doubt {
	if n := len(d.GetDoubts()); n > 0 && d.GetDoubts()[n-1].GetUntil() == 0 {
		return d.GetDoubts()[n-1]
	}
	return nil
}

// doubt suspends a device. The new doubt takes the place of those that lie in it.
func (m *Module) doubt(c *exec.Context, device tx.Address, d *devicev1.Device, doubt *devicev1.Doubt) {
	doubt.Tx = c.Tx[:]
	d.Doubts = slices.DeleteFunc(d.GetDoubts(), func(old *devicev1.Doubt) bool { return old.GetSince() >= doubt.GetSince() })
	n := len(d.GetDoubts())
	if n > 0 {
		doubt.Since = max(doubt.GetSince(), d.Doubts[n-1].GetUntil())
	}
	if n == MaxDoubts { // the two oldest become one, with what lies between
		d.Doubts[1].Since = d.Doubts[0].GetSince()
		d.Doubts = d.GetDoubts()[1:]
	}
	d.Doubts = append(d.GetDoubts(), doubt)
	d.State = devicev1.State_STATE_SUSPENDED
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceSuspended{DeviceSuspended: &devicev1.Suspended{
		Device: device[:], Reason: doubt.GetReason(), SinceAt: doubt.GetSince(), SuspendedBy: doubt.GetBy(), Found: doubt.GetFound(),
		Finding: doubt.GetFinding(),
	}}})
}

// trust ends a device's doubt. If it was evidence that brought it to a device that a person had suspended, the suspension goes on.
func (m *Module) trust(c *exec.Context, device tx.Address, d *devicev1.Device) {
	ended := openDoubt(d)
	ended.Until = c.Time
	if len(ended.GetHeldBy()) > 0 {
		m.doubt(c, device, d, &devicev1.Doubt{Since: c.Time, Reason: ended.GetHeldReason(), By: ended.GetHeldBy()})
		return
	}
	d.State = devicev1.State_STATE_ACTIVE
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceReadmitted{DeviceReadmitted: &devicev1.Readmitted{Device: device[:]}}})
}

// suspend suspends a device by hand. What it said before is not in doubt by that.
func (m *Module) suspend(c *exec.Context, call *devicev1.Suspend) error {
	if err := text.Check("device.bad_text", "reason", call.GetReason(), 1, MaxReason); err != nil {
		return err
	}
	device, d, err := kept(c, call.GetDevice())
	if err != nil {
		return err
	}
	if openDoubt(d) != nil {
		return fault.New("device.suspended", "The device "+device.String()+" is suspended already: "+openDoubt(d).GetReason(), "device", device)
	}
	m.doubt(c, device, d, &devicev1.Doubt{Since: c.Time, Reason: call.GetReason(), By: c.Actor[:]})
	devices.Set(c.View, device, d)
	return nil
}

// readmit ends a suspension that the actor made.
func (m *Module) readmit(c *exec.Context, call *devicev1.Readmit) error {
	if err := text.Check("device.bad_text", "reason", call.GetReason(), 1, MaxReason); err != nil {
		return err
	}
	device, d, err := kept(c, call.GetDevice())
	if err != nil {
		return err
	}
	last := openDoubt(d)
	switch {
	case last == nil:
		return fault.New("device.not_suspended", "The device "+device.String()+" is not suspended.", "device", device)
	case len(last.GetBy()) == 0:
		return fault.New("device.by_evidence", "The device "+device.String()+" is suspended because "+last.GetReason()+". Only good evidence readmits it.", "device", device)
	case !bytes.Equal(last.GetBy(), c.Actor[:]):
		by := tx.Address(last.GetBy())
		return fault.New("device.not_entitled", by.String()+" has suspended the device and has to readmit it.", "device", device, "by", by)
	}
	m.trust(c, device, d)
	devices.Set(c.View, device, d)
	return nil
}

// revoke ends a device's life on the ledger. Its serial number is free for the same thing with another key.
func (m *Module) revoke(c *exec.Context, call *devicev1.Revoke) error {
	if err := text.Check("device.bad_text", "reason", call.GetReason(), 1, MaxReason); err != nil {
		return err
	}
	device, d, err := kept(c, call.GetDevice())
	if err != nil {
		return err
	}
	if openDoubt(d) == nil {
		m.doubt(c, device, d, &devicev1.Doubt{Since: c.Time, Reason: call.GetReason(), By: c.Actor[:]})
	}
	d.State, d.Nonce = devicev1.State_STATE_REVOKED, nil
	bySerial.Delete(c.View, plateOf(d))
	if len(d.GetAttester()) > 0 {
		byAttester.Delete(c.View, attester(d.GetAttester()))
	}
	devices.Set(c.View, device, d)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceRevoked{DeviceRevoked: &devicev1.Revoked{Device: device[:]}}})
	return nil
}
