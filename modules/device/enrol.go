package device

import (
	"bytes"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// enrol makes an account a device of the actor's model. Until its first evidence it is active and nothing is shown of it.
func (m *Module) enrol(c *exec.Context, call *devicev1.Enrol) error {
	device, err := m.account(c.View, "device", call.GetDevice())
	if err != nil {
		return err
	}
	owner, err := m.account(c.View, "owner", call.GetOwner())
	if err != nil {
		return err
	}
	if err := text.Check("device.bad_text", "serial", call.GetSerial(), 1, MaxSerial); err != nil {
		return err
	}
	model := Model{c.Actor, call.GetModel()}
	if !registered.Has(c.View, model) {
		return unknownModel(model)
	}
	f, err := findFirmware(c.View, model, call.GetFirmware())
	if err != nil {
		return err
	}
	if f.GetWithdrawnAt() != 0 {
		return withdrawn(model, call.GetFirmware(), f)
	}
	if devices.Has(c.View, device) {
		return fault.New("device.exists", device.String()+" is a device already.", "device", device)
	}
	if m.members.IsMember(c.View, device) {
		return fault.New("device.not_entitled", device.String()+" is a member's account; a device has one of its own.", "device", device)
	}
	if m.accounts.HasRule(c.View, device) {
		return fault.New("device.not_entitled", device.String()+" acts by a rule over keys; a device acts by one key of its own.", "device", device)
	}
	if other, ok := bySerial.Get(c.View, plate{model, call.GetSerial()}); ok {
		return fault.New("device.serial_taken", "The serial number "+call.GetSerial()+" is "+other.String()+"'s. Revoke that device if this one takes its place.",
			"model", model.Name, "serial", call.GetSerial(), "device", other)
	}
	// Else a stranger could make anybody's account a device of theirs, and keep the maker of a real one from enrolling it.
	if !m.accounts.AgreesOrSponsor(c, device) {
		return fault.New("device.not_agreed", "Neither the key of "+device.String()+" nor that of its sponsor has signed that it is a device. Sign the transaction with one of them too.", "device", device)
	}
	bySerial.Set(c.View, plate{model, call.GetSerial()}, device)
	devices.Set(c.View, device, &devicev1.Device{
		Maker: c.Actor[:], Model: model.Name, Serial: call.GetSerial(), Owner: owner[:], State: devicev1.State_STATE_ACTIVE,
		EnrolledAt: c.Time, Firmware: call.GetFirmware(),
	})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceEnrolled{
		DeviceEnrolled: &devicev1.Enrolled{Device: device[:], Maker: c.Actor[:], Owner: owner[:]},
	}})
	return nil
}

// account reads the address of an account that is open.
func (m *Module) account(g state.Getter, field string, b []byte) (tx.Address, error) {
	a, err := toAddress(field, b)
	if err == nil && !m.accounts.Exists(g, a) {
		err = fault.New("device.unknown_account", "There is no account "+a.String()+" to be the "+field+". Ask a member to open it.", "field", field, "account", a)
	}
	return a, err
}

// transfer gives the actor's device to another owner. Its past, and doubts about it, stay with it.
func (m *Module) transfer(c *exec.Context, call *devicev1.Transfer) error {
	device, d, err := find(c.View, call.GetDevice())
	if err != nil {
		return err
	}
	if !bytes.Equal(c.Actor[:], d.GetOwner()) {
		return fault.New("device.not_entitled", "Only the owner of "+device.String()+" may give it away.", "device", device, "actor", c.Actor)
	}
	if err := alive(device, d); err != nil {
		return err
	}
	owner, err := m.account(c.View, "owner", call.GetOwner())
	if err != nil {
		return err
	}
	d.Owner = owner[:]
	devices.Set(c.View, device, d)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceTransferred{
		DeviceTransferred: &devicev1.Transferred{Device: device[:], Owner: owner[:]},
	}})
	return nil
}
