package device

import (
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Get returns a device.
func Get(g state.Getter, device tx.Address) (*devicev1.Device, bool) { return devices.Get(g, device) }

// BySerial returns the device of a model that has a serial number and is not revoked.
func BySerial(g state.Getter, model Model, serial string) (tx.Address, bool) {
	return bySerial.Get(g, plate{model, serial})
}

// Commands are what a device was told to do, the oldest first: without an answer, expired or answered, at most MaxCommands.
func Commands(g state.Getter, device tx.Address) []*devicev1.Command {
	all, _ := commands.Get(g, device)
	return all.GetCommands()
}

// AscendDevices calls fn for each device of a model that is not revoked, in order of serial number, until fn returns false. It begins
// after a serial number; "" is before all.
func AscendDevices(r state.Reader, model Model, after string, fn func(serial string, device tx.Address) bool) {
	bySerial.AscendAfter(r, models.Append(nil, model), plate{model, after}, func(p plate, device tx.Address) bool { return fn(p.serial, device) })
}

// GetModel returns what a maker says of a model.
func GetModel(g state.Getter, model Model) (*devicev1.Model, bool) { return registered.Get(g, model) }

// GetFirmware returns a firmware of a model.
func GetFirmware(g state.Getter, model Model, number uint64) (*devicev1.Firmware, bool) {
	return firmwares.Get(g, version{model, number})
}

// AscendModels calls fn for each model of a maker, in order of name, until fn returns false.
func AscendModels(r state.Reader, maker tx.Address, fn func(name string, model *devicev1.Model) bool) {
	registered.Ascend(r, maker[:], func(m Model, model *devicev1.Model) bool { return fn(m.Name, model) })
}

// AscendFirmware calls fn for each firmware of a model, in order of number, until fn returns false.
func AscendFirmware(r state.Reader, model Model, fn func(number uint64, firmware *devicev1.Firmware) bool) {
	firmwares.Ascend(r, models.Append(nil, model), func(v version, f *devicev1.Firmware) bool { return fn(v.number, f) })
}

// Key is the raw state key of a device, for state proofs.
func Key(device tx.Address) []byte { return devices.Key(device) }

// Doubted returns the first doubt of what a device said of one time and the ledger had at another, unix milliseconds, in either order, or nil: one
// that covers any time from the earlier to the later, both included. Whoever lies says that it measured before it lied, or will measure after.
// For one time give it twice.
func Doubted(d *devicev1.Device, taken, anchored int64) *devicev1.Doubt {
	first, last := min(taken, anchored), max(taken, anchored)
	for _, doubt := range d.GetDoubts() {
		if doubt.GetSince() <= last && (doubt.GetUntil() == 0 || first < doubt.GetUntil()) {
			return doubt
		}
	}
	return nil
}

// Reliance is the answer to: may I rely on what this device said at that time?
type Reliance struct {
	// Reason is why not; empty if nothing speaks against it.
	Reason string
	// Confirmed: the device has given good evidence at that time or later, and since the ledger has had it, so nobody has to wait for more.
	Confirmed bool
	// Age is how long before that time the last good evidence known was given, in milliseconds; 0 if it was at that time or later, -1 if
	// there has been none.
	Age int64
	// Level is what the last good evidence is worth.
	Level devicev1.Level
	// Firmware is what the device runs by its last good evidence, or left the factory with.
	Firmware uint64
	// Doubt is the doubt that covers the time, nil if none does.
	Doubt *devicev1.Doubt
}

// Rely says whether anything speaks against what a device said at a time, in unix milliseconds. How old evidence may be,
// and which level is enough, is the asker's to decide.
func Rely(g state.Getter, device tx.Address, at int64) Reliance {
	d, _ := devices.Get(g, device)
	return RelyOn(d, at, at)
}

// RelyOn is Rely for what a device, nil if there is none, said of one time and the ledger had at another.
func RelyOn(d *devicev1.Device, taken, anchored int64) Reliance {
	if d == nil {
		return Reliance{Reason: "it is no device of this ledger", Age: -1}
	}
	r := Reliance{Level: d.GetLevel(), Firmware: d.GetFirmware(), Age: -1}
	if last := d.GetLastGoodAt(); last > 0 {
		r.Confirmed, r.Age = last >= max(taken, anchored), max(0, taken-last)
	}
	if taken < d.GetEnrolledAt() {
		r.Reason = "it was not enrolled then"
	}
	if doubt := Doubted(d, taken, anchored); doubt != nil {
		r.Reason, r.Doubt, r.Confirmed = doubt.GetReason(), doubt, false
	}
	return r
}
