package device

import (
	"fmt"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
)

// registerModel registers a model of the actor's.
func (m *Module) registerModel(c *exec.Context, call *devicev1.RegisterModel) error {
	model := Model{c.Actor, call.GetModel()}
	if !isName(model.Name, MaxModel) {
		return fault.New("device.bad_model", fmt.Sprintf("A model is 1 to %d of a-z, 0-9, '-', '.' and '_'.", MaxModel), "model", model.Name)
	}
	if err := text.Check("device.bad_text", "title", call.GetTitle(), 1, MaxTitle); err != nil {
		return err
	}
	if registered.Has(c.View, model) {
		return fault.New("device.model_exists", c.Actor.String()+" has registered the model "+model.Name+" already.", "maker", c.Actor, "model", model.Name)
	}
	registered.Set(c.View, model, &devicev1.Model{Title: call.GetTitle(), RegisteredAt: c.Time})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceModelRegistered{
		DeviceModelRegistered: &devicev1.ModelRegistered{Maker: c.Actor[:], Model: model.Name},
	}})
	return nil
}

// isName says whether s is 1 to most of the bytes that models and kinds of commands consist of.
func isName(s string, most int) bool {
	for i := range len(s) {
		b := s[i]
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' && b != '.' && b != '_' {
			return false
		}
	}
	return s != "" && len(s) <= most
}

// registerFirmware registers a firmware of the actor's model.
func (m *Module) registerFirmware(c *exec.Context, call *devicev1.RegisterFirmware) error {
	model, number := Model{c.Actor, call.GetModel()}, call.GetNumber()
	digest, err := toDigest(call.GetDigest())
	if err != nil {
		return err
	}
	if err := checkFirmware(call); err != nil {
		return err
	}
	if !registered.Has(c.View, model) {
		return unknownModel(model)
	}
	place := version{model, number}
	if firmwares.Has(c.View, place) {
		return fault.New("device.firmware_exists", fmt.Sprintf("The model %s has a firmware %d already. What is registered never changes: give the next one a higher number.", model.Name, number),
			"model", model.Name, "number", number)
	}
	if other, ok := byDigest.Get(c.View, image{model, digest}); ok {
		return fault.New("device.firmware_exists", fmt.Sprintf("The model %s has this image as firmware %d already.", model.Name, other),
			"model", model.Name, "number", other)
	}
	if call.GetPcrs() != 0 {
		if err := measured(c, place, call.GetPcrs(), call.GetPcrDigest()); err != nil {
			return err
		}
	}
	firmwares.Set(c.View, place, &devicev1.Firmware{
		Version: call.GetVersion(), Digest: digest[:], Follows: call.GetFollows(), Note: call.GetNote(), RegisteredAt: c.Time,
		Pcrs: call.GetPcrs(), PcrDigest: call.GetPcrDigest(),
	})
	byDigest.Set(c.View, image{model, digest}, number)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceFirmwareRegistered{
		DeviceFirmwareRegistered: &devicev1.FirmwareRegistered{Maker: c.Actor[:], Model: model.Name, Number: number},
	}})
	return nil
}

// measured keeps by what a quote a firmware is known.
func measured(c *exec.Context, v version, pcrs uint32, digest []byte) error {
	m := measurement{v.model, pcrs, Digest(digest)}
	if other, ok := byMeasurement.Get(c.View, m); ok {
		return fault.New("device.firmware_exists", fmt.Sprintf("The model %s has these registers of a TPM for firmware %d already.", v.model.Name, other),
			"model", v.model.Name, "number", other)
	}
	byMeasurement.Set(c.View, m, v.number)
	return nil
}

// measureFirmware adds to a firmware of the actor's model what a TPM quotes of it, if that was not known when it was registered. A withdrawn one
// can be added to, so that a quote of it is found to be that.
func (m *Module) measureFirmware(c *exec.Context, call *devicev1.MeasureFirmware) error {
	place := version{Model{c.Actor, call.GetModel()}, call.GetNumber()}
	f, err := findFirmware(c.View, place.model, place.number)
	if err != nil {
		return err
	}
	if f.GetPcrs() != 0 {
		return fault.New("device.measured", fmt.Sprintf("The firmware %d of %s has registers of a TPM already. What is registered never changes: give the next one a higher number.",
			place.number, place.model.Name), "model", place.model.Name, "number", place.number)
	}
	if call.GetPcrs() == 0 {
		return badPCRs(call.GetPcrs(), call.GetPcrDigest())
	}
	if err := checkPCRs(call.GetPcrs(), call.GetPcrDigest()); err != nil {
		return err
	}
	if err := measured(c, place, call.GetPcrs(), call.GetPcrDigest()); err != nil {
		return err
	}
	f.Pcrs, f.PcrDigest = call.GetPcrs(), call.GetPcrDigest()
	firmwares.Set(c.View, place, f)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceFirmwareMeasured{
		DeviceFirmwareMeasured: &devicev1.FirmwareMeasured{Maker: c.Actor[:], Model: place.model.Name, Number: place.number},
	}})
	return nil
}

func checkFirmware(call *devicev1.RegisterFirmware) error {
	if n := call.GetNumber(); n == 0 || call.GetFollows() >= n {
		return fault.New("device.bad_number", "A firmware's number is 1 or more, and it follows lower ones.", "number", n, "follows", call.GetFollows())
	}
	if err := checkPCRs(call.GetPcrs(), call.GetPcrDigest()); err != nil {
		return err
	}
	if err := text.Check("device.bad_text", "version", call.GetVersion(), 1, MaxVersion); err != nil {
		return err
	}
	return text.Check("device.bad_text", "note", call.GetNote(), 0, MaxNote)
}

// checkPCRs checks registers and the digest of a quote over them: both or neither.
func checkPCRs(pcrs uint32, digest []byte) error {
	if pcrs >= 1<<evidence.PCRs || (pcrs == 0) != (len(digest) == 0) || pcrs != 0 && len(digest) != 32 {
		return badPCRs(pcrs, digest)
	}
	return nil
}

func badPCRs(pcrs uint32, digest []byte) error {
	return fault.New("device.bad_pcrs", fmt.Sprintf("A TPM has registers 0 to %d, and a quote over some of them a digest of 32 bytes. Give both or neither.", evidence.PCRs-1),
		"pcrs", pcrs, "bytes", len(digest))
}

func unknownModel(model Model) error {
	return fault.New("device.unknown_model", model.Maker.String()+" has no model "+model.Name+". Register it first.", "maker", model.Maker, "model", model.Name)
}

// findFirmware returns a firmware of a model.
func findFirmware(g state.Getter, model Model, number uint64) (*devicev1.Firmware, error) {
	f, ok := firmwares.Get(g, version{model, number})
	if !ok {
		return nil, fault.New("device.unknown_firmware", fmt.Sprintf("The model %s has no firmware %d. Register it first.", model.Name, number),
			"maker", model.Maker, "model", model.Name, "number", number)
	}
	return f, nil
}

// withdrawFirmware withdraws a firmware of the actor's model. Devices that run it are not touched before they show it.
func (m *Module) withdrawFirmware(c *exec.Context, call *devicev1.WithdrawFirmware) error {
	model, number := Model{c.Actor, call.GetModel()}, call.GetNumber()
	if err := text.Check("device.bad_text", "reason", call.GetReason(), 1, MaxReason); err != nil {
		return err
	}
	f, err := findFirmware(c.View, model, number)
	if err != nil {
		return err
	}
	if f.GetWithdrawnAt() != 0 {
		return withdrawn(model, number, f)
	}
	f.WithdrawnAt, f.WithdrawReason = c.Time, call.GetReason()
	firmwares.Set(c.View, version{model, number}, f)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceFirmwareWithdrawn{
		DeviceFirmwareWithdrawn: &devicev1.FirmwareWithdrawn{Maker: c.Actor[:], Model: model.Name, Number: number},
	}})
	return nil
}

func withdrawn(model Model, number uint64, f *devicev1.Firmware) error {
	return fault.New("device.withdrawn", fmt.Sprintf("The firmware %d of %s is withdrawn: %s", number, model.Name, f.GetWithdrawReason()),
		"maker", model.Maker, "model", model.Name, "number", number)
}
