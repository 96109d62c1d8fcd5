package device

import (
	"bytes"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// vouch keeps what the maker of a device says of its key. Evidence by this key is worth that from then on; by another it is not.
func (m *Module) vouch(c *exec.Context, call *devicev1.Vouch) error {
	device, d, err := made(c, call.GetDevice())
	if err != nil {
		return err
	}
	if err := m.checkHardware(c, device, call); err != nil {
		return err
	}
	if !bytes.Equal(d.GetHardwareKey(), call.GetKey()) {
		fall(d, devicev1.Level_LEVEL_KEY_IN_HARDWARE)
	}
	d.Hardware, d.HardwareKey = call.GetHardware(), call.GetKey()
	devices.Set(c.View, device, d)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceVouched{
		DeviceVouched: &devicev1.Vouched{Device: device[:], Hardware: d.GetHardware(), Key: d.GetHardwareKey()},
	}})
	return nil
}

func (m *Module) checkHardware(c *exec.Context, device tx.Address, call *devicev1.Vouch) error {
	if call.GetHardware() == devicev1.Hardware_HARDWARE_UNSPECIFIED && len(call.GetKey()) == 0 {
		return nil
	}
	if _, known := devicev1.Hardware_name[int32(call.GetHardware())]; !known || call.GetHardware() == devicev1.Hardware_HARDWARE_UNSPECIFIED {
		return fault.New("device.bad_hardware", "Say what holds the key: a secure element, a TPM or the processor. To vouch no more leave out the key too.",
			"hardware", int32(call.GetHardware()))
	}
	key, err := toAddress("key", call.GetKey())
	if err != nil {
		return err
	}
	if acting, ok := m.accounts.KeyOf(c.View, device, c.Time); !ok || acting != key {
		return fault.New("device.wrong_key", "The key "+key.String()+" is not what acts for "+device.String()+" now.", "device", device, "key", key)
	}
	return nil
}

// fall takes a level away that rested on what the maker has just taken back.
func fall(d *devicev1.Device, from devicev1.Level) {
	if d.GetLevel() == from {
		d.Level = devicev1.Level_LEVEL_SELF_REPORTED
	}
}

// KeyChanged takes away what a device's last evidence was worth if it rested on the key that acted before: what another key signs is worth
// more than its own word only after evidence by it, and if the maker has said so of this key.
func KeyChanged(v *state.View, account, key tx.Address) {
	d, ok := devices.Get(v, account)
	if !ok {
		return
	}
	before := d.GetLevel()
	if !bytes.Equal(key[:], d.GetHardwareKey()) {
		fall(d, devicev1.Level_LEVEL_KEY_IN_HARDWARE)
	}
	if !bytes.Equal(key[:], d.GetAttesterBeside()) {
		fall(d, devicev1.Level_LEVEL_MEASURED_BOOT)
	}
	if d.GetLevel() != before {
		devices.Set(v, account, d)
	}
}

// setAttester keeps the key that a device's TPM quotes with. One TPM is in one device, so each key is one device's. That it is beside the key that
// acts for the device is said of the key that does so now; when that has changed the maker says it again.
func (m *Module) setAttester(c *exec.Context, call *devicev1.SetAttester) error {
	device, d, err := made(c, call.GetDevice())
	if err != nil {
		return err
	}
	if err := tx.CheckKey(tx.Key{Kind: accountv1.KeyKind_KEY_KIND_P256, Public: call.GetPublicKey()}); err != nil {
		return err
	}
	key := attester(call.GetPublicKey())
	acting, ok := m.accounts.KeyOf(c.View, device, c.Time)
	if !ok {
		return frozen(device)
	}
	again := bytes.Equal(key[:], d.GetAttester()) && !bytes.Equal(acting[:], d.GetAttesterBeside())
	if other, taken := byAttester.Get(c.View, key); taken && !again {
		return fault.New("device.attester_taken", "The attestation key is "+other.String()+"'s already.", "device", other)
	}
	if !again {
		if len(d.GetAttester()) > 0 {
			byAttester.Delete(c.View, attester(d.GetAttester()))
			fall(d, devicev1.Level_LEVEL_MEASURED_BOOT)
		}
		byAttester.Set(c.View, key, device)
		d.Attester, d.Boot = key[:], 0 // another TPM counts for itself
	}
	d.AttesterBeside = acting[:]
	devices.Set(c.View, device, d)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceAttesterSet{
		DeviceAttesterSet: &devicev1.AttesterSet{Device: device[:], PublicKey: key[:]},
	}})
	return nil
}
