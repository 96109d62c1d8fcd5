package device

import (
	"fmt"
	"slices"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// reportFault makes a fault of a firmware of the actor's model known, or says more about one. Devices that run it are not touched.
func (m *Module) reportFault(c *exec.Context, call *devicev1.ReportFault) error {
	model, number := Model{c.Actor, call.GetModel()}, call.GetNumber()
	if err := text.Check("device.bad_text", "id", call.GetId(), 1, MaxFaultID); err != nil {
		return err
	}
	if err := text.Check("device.bad_text", "text", call.GetText(), 1, MaxReason); err != nil {
		return err
	}
	f, err := findFirmware(c.View, model, number)
	if err != nil {
		return err
	}
	if in := call.GetFixedIn(); in != 0 {
		if in <= number {
			return fault.New("device.bad_number", fmt.Sprintf("A fault of firmware %d is mended by a later one.", number), "number", number, "fixed_in", in)
		}
		if _, err := findFirmware(c.View, model, in); err != nil {
			return err
		}
	}
	i := slices.IndexFunc(f.GetFaults(), func(k *devicev1.KnownFault) bool { return k.GetId() == call.GetId() })
	if i < 0 {
		if len(f.GetFaults()) == MaxFaults {
			return fault.New("device.too_many_faults", fmt.Sprintf("The firmware %d of %s has %d known faults already, and no more are kept. Withdraw it, or say more about one of them.",
				number, model.Name, MaxFaults), "model", model.Name, "number", number)
		}
		i = len(f.Faults)
		f.Faults = append(f.Faults, &devicev1.KnownFault{Id: call.GetId(), KnownAt: c.Time})
	}
	known := f.Faults[i]
	known.Text, known.FixedIn, known.ChangedAt = call.GetText(), call.GetFixedIn(), c.Time
	firmwares.Set(c.View, version{model, number}, f)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceFaultReported{
		DeviceFaultReported: &devicev1.FaultReported{Maker: c.Actor[:], Model: model.Name, Number: number, Id: known.GetId()},
	}})
	return nil
}

// KnownFaults are those of the firmware that a device has shown last, nil if it is no device.
func KnownFaults(g state.Getter, device tx.Address) []*devicev1.KnownFault {
	d, ok := devices.Get(g, device)
	if !ok {
		return nil
	}
	f, _ := firmwares.Get(g, version{modelOf(d), d.GetFirmware()})
	return f.GetFaults()
}
