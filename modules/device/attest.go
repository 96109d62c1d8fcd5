package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// challenge asks a device for evidence. The nonce comes from the transaction's id, so the device cannot know it before
// the challenger has signed, and no device may challenge itself.
func (m *Module) challenge(c *exec.Context, call *devicev1.Challenge) error {
	device, d, err := find(c.View, call.GetDevice())
	if err != nil {
		return err
	}
	entitled := bytes.Equal(c.Actor[:], d.GetMaker()) || bytes.Equal(c.Actor[:], d.GetOwner()) || m.members.IsMember(c.View, c.Actor)
	if !entitled || c.Actor == device {
		return fault.New("device.not_entitled", "Only its maker, its owner and members may ask "+device.String()+" for evidence.", "device", device, "actor", c.Actor)
	}
	if err := alive(device, d); err != nil {
		return err
	}
	nonce := nonceOf(c)
	d.Nonce = &devicev1.Nonce{Value: nonce[:], By: c.Actor[:], AskedAt: c.Time}
	devices.Set(c.View, device, d)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceChallenged{
		DeviceChallenged: &devicev1.Challenged{Device: device[:], Nonce: nonce[:]},
	}})
	return nil
}

// nonceOf is SHA-256("dure/device/nonce/v1\n" ‖ transaction id ‖ index of the action, 4 bytes big endian).
func nonceOf(c *exec.Context) [32]byte {
	b := append([]byte("dure/device/nonce/v1\n"), c.Tx[:]...)
	return sha256.Sum256(binary.BigEndian.AppendUint32(b, c.Serial()))
}

// attest takes the actor's own evidence.
func (m *Module) attest(c *exec.Context, call *devicev1.Attest) error {
	device, d, err := find(c.View, c.Actor[:])
	if err != nil {
		return err
	}
	digest, err := toDigest(call.GetFirmware())
	if err != nil {
		return err
	}
	if err := speaks(device, d); err != nil {
		return err
	}
	if err := fresh(c, device, d, call.GetNonce(), call.GetBoot()); err != nil {
		return err
	}
	key, _ := m.accounts.KeyOf(c.View, device, c.Time) // it may act, as the transaction did
	return m.take(c, device, d, reported(c.View, d, call.GetBoot(), digest, key))
}

// shown is what fresh evidence shows, whatever form it came in.
type shown struct {
	boot uint64
	// found is the digest that the evidence has, number the firmware that it stands for, 0 if none is registered.
	found  Digest
	number uint64
	level  devicev1.Level
}

// reported is what a device shows that measured itself and signed that with a key.
func reported(g state.Getter, d *devicev1.Device, boot uint64, digest Digest, key tx.Address) shown {
	number, _ := byDigest.Get(g, image{modelOf(d), digest})
	level := devicev1.Level_LEVEL_SELF_REPORTED
	if bytes.Equal(key[:], d.GetHardwareKey()) {
		level = devicev1.Level_LEVEL_KEY_IN_HARDWARE
	}
	return shown{boot, digest, number, level}
}

// take does what fresh evidence asks for: good evidence ends a doubt that evidence brought, bad evidence brings one.
func (m *Module) take(c *exec.Context, device tx.Address, d *devicev1.Device, s shown) error {
	bad, why := judge(c.View, d, s.number)
	last := openDoubt(d)
	if bad == fine && last != nil && len(last.GetBy()) == 0 && s.boot == d.GetBoot() {
		return fault.New("device.same_boot", "The evidence of "+device.String()+" was found bad after this start. Repair it, start it again, and answer then.",
			"device", device, "boot", s.boot)
	}
	d.Nonce, d.Boot = nil, s.boot
	switch {
	case bad != fine && (last == nil || len(last.GetBy()) > 0):
		doubt := &devicev1.Doubt{Since: since(d, c.Time), Reason: why, Found: s.found[:], Finding: bad}
		if last != nil {
			doubt.HeldBy, doubt.HeldReason = last.GetBy(), last.GetReason()
		}
		m.doubt(c, device, d, doubt)
	case bad == fine:
		d.Firmware, d.LastGoodAt, d.LastGoodTx, d.Level = s.number, c.Time, c.Tx[:], s.level
		c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceAttested{
			DeviceAttested: &devicev1.Attested{Device: device[:], Firmware: s.number, Boot: s.boot, Level: s.level},
		}})
		if last != nil && len(last.GetBy()) == 0 {
			m.trust(c, device, d)
		}
	}
	devices.Set(c.View, device, d)
	return nil
}

// speaks refuses what a device says of itself when its TPM has to: a forged firmware could else say in time that all is well.
func speaks(device tx.Address, d *devicev1.Device) error {
	if len(d.GetAttester()) == 0 {
		return nil
	}
	return fault.New("device.needs_quote", "The maker of "+device.String()+" has registered the key of its TPM, so its evidence is a quote: dure device present --quote.",
		"device", device)
}

// fresh refuses evidence that does not answer the challenge at hand, or is of a start before.
func fresh(c *exec.Context, device tx.Address, d *devicev1.Device, nonce []byte, boot uint64) error {
	if err := alive(device, d); err != nil {
		return err
	}
	asked := d.GetNonce()
	switch {
	case asked == nil:
		return fault.New("device.not_challenged", "Nobody has asked "+device.String()+" for evidence since it last gave some.", "device", device)
	case !bytes.Equal(asked.GetValue(), nonce):
		return fault.New("device.wrong_nonce", "The evidence answers another challenge than the last one.", "device", device)
	case c.Time-asked.GetAskedAt() > AnswerMs:
		return fault.New("device.late", "The evidence comes more than five minutes after the challenge. Ask for it again.",
			"device", device, "asked_at", asked.GetAskedAt(), "time", c.Time)
	case boot < d.GetBoot():
		return fault.New("device.old_boot", fmt.Sprintf("The evidence is of start %d of the device, which has shown start %d before.", boot, d.GetBoot()),
			"device", device, "boot", boot, "shown", d.GetBoot())
	}
	return nil
}

// fine is when nothing is wrong.
const fine = devicev1.Finding_FINDING_UNSPECIFIED

// judge says what is wrong with a firmware of its model on a device, if anything is; number 0 stands for one that is not registered.
func judge(g state.Getter, d *devicev1.Device, number uint64) (bad devicev1.Finding, why string) {
	f, ok := firmwares.Get(g, version{modelOf(d), number})
	if !ok {
		return devicev1.Finding_FINDING_UNREGISTERED, "it runs a firmware that its maker has not registered"
	}
	switch before := d.GetFirmware(); {
	case f.GetWithdrawnAt() != 0:
		return devicev1.Finding_FINDING_WITHDRAWN, fmt.Sprintf("it runs firmware %d, which is withdrawn: %s", number, f.GetWithdrawReason())
	case number < before:
		return devicev1.Finding_FINDING_WENT_BACK, fmt.Sprintf("it went back from firmware %d to %d", before, number)
	case number > before && before < f.GetFollows():
		return devicev1.Finding_FINDING_SKIPPED, fmt.Sprintf("it went from firmware %d to %d, which only follows %d and later", before, number, f.GetFollows())
	}
	return fine, ""
}

// since is from when on a device whose evidence is bad at a time is in doubt: just after its last good evidence, whoever suspended and
// readmitted it in between.
func since(d *devicev1.Device, now int64) int64 {
	t := d.GetEnrolledAt()
	if d.GetLastGoodAt() > 0 {
		t = d.GetLastGoodAt() + 1
	}
	if open := openDoubt(d); open != nil {
		t = min(t, open.GetSince())
	}
	return min(t, now)
}
