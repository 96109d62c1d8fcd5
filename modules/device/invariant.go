package device

import (
	"bytes"
	"errors"
	"fmt"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Check verifies the invariants of the package comment.
func (m *Module) Check(r state.Reader) (err error) {
	firmwares.Ascend(r, nil, func(v version, f *devicev1.Firmware) bool {
		err = checkImage(r, v, f)
		return err == nil
	})
	if err != nil {
		return err
	}
	byDigest.Ascend(r, nil, func(i image, number uint64) bool {
		if f, ok := firmwares.Get(r, version{i.model, number}); !ok || !bytes.Equal(f.GetDigest(), i.digest[:]) {
			err = fmt.Errorf("the digest %x of %s is not firmware %d's", i.digest, i.model.Name, number)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	byMeasurement.Ascend(r, nil, func(m measurement, number uint64) bool {
		if f, ok := firmwares.Get(r, version{m.model, number}); !ok || f.GetPcrs() != m.pcrs || !bytes.Equal(f.GetPcrDigest(), m.digest[:]) {
			err = fmt.Errorf("the registers %x of %s are not firmware %d's", m.digest, m.model.Name, number)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	byAttester.Ascend(r, nil, func(key attester, a tx.Address) bool {
		if d, ok := devices.Get(r, a); !ok || !bytes.Equal(d.GetAttester(), key[:]) || d.GetState() == devicev1.State_STATE_REVOKED {
			err = fmt.Errorf("the attestation key %x is not %s's", key, a)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	bySerial.Ascend(r, nil, func(p plate, a tx.Address) bool {
		if d, ok := devices.Get(r, a); !ok || plateOf(d) != p || d.GetState() == devicev1.State_STATE_REVOKED {
			err = fmt.Errorf("the serial number %q of %s is not %s's", p.serial, p.model.Name, a)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	commands.Ascend(r, nil, func(a tx.Address, all *devicev1.Commands) bool {
		if err = checkCommands(r, a, all.GetCommands()); err != nil {
			err = fmt.Errorf("commands of %s: %w", a, err)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	devices.Ascend(r, nil, func(a tx.Address, d *devicev1.Device) bool {
		if err = errors.Join(m.checkDevice(r, a, d), checkDoubts(d)); err != nil {
			err = fmt.Errorf("device %s: %w", a, err)
		}
		return err == nil
	})
	return err
}

func checkImage(r state.Reader, v version, f *devicev1.Firmware) error {
	digest, err := toDigest(f.GetDigest())
	if err != nil {
		return err
	}
	if !registered.Has(r, v.model) {
		return fmt.Errorf("firmware %d of %s, which is no model", v.number, v.model.Name)
	}
	if number, ok := byDigest.Get(r, image{v.model, digest}); !ok || number != v.number {
		return fmt.Errorf("firmware %d of %s is not found by its digest", v.number, v.model.Name)
	}
	if err := checkFirmware(&devicev1.RegisterFirmware{Number: v.number, Follows: f.GetFollows(), Version: f.GetVersion(), Note: f.GetNote(),
		Pcrs: f.GetPcrs(), PcrDigest: f.GetPcrDigest()}); err != nil || f.GetPcrs() == 0 {
		return err
	}
	if number, ok := byMeasurement.Get(r, measurement{v.model, f.GetPcrs(), Digest(f.GetPcrDigest())}); !ok || number != v.number {
		return fmt.Errorf("firmware %d of %s is not found by its registers", v.number, v.model.Name)
	}
	return nil
}

func (m *Module) checkDevice(r state.Reader, a tx.Address, d *devicev1.Device) error {
	maker, err := toAddress("maker", d.GetMaker())
	if err != nil {
		return err
	}
	owner, err := toAddress("owner", d.GetOwner())
	if err != nil {
		return err
	}
	switch {
	case !m.accounts.Exists(r, a), !m.accounts.Exists(r, maker), !m.accounts.Exists(r, owner):
		return errors.New("it, its maker or its owner is no account")
	case d.GetState() != devicev1.State_STATE_REVOKED && !hasSerial(r, a, d):
		return fmt.Errorf("it is not found by its serial number %q", d.GetSerial())
	case !registered.Has(r, modelOf(d)):
		return errors.New("its model is not registered")
	case !firmwares.Has(r, version{modelOf(d), d.GetFirmware()}):
		return fmt.Errorf("its firmware %d is not registered", d.GetFirmware())
	case d.GetLastGoodAt() != 0 && (d.GetLastGoodAt() < d.GetEnrolledAt() || len(d.GetLastGoodTx()) != 32 || d.GetLevel() == devicev1.Level_LEVEL_UNSPECIFIED):
		return errors.New("its last good evidence is not whole")
	case d.GetState() != devicev1.State_STATE_REVOKED && len(d.GetAttester()) > 0 && !hasAttester(r, a, d):
		return errors.New("it is not found by its attestation key")
	case d.GetHardware() == 0 != (len(d.GetHardwareKey()) == 0), d.GetHardware() != 0 && len(d.GetHardwareKey()) != 20:
		return errors.New("what its maker says of its key is not whole")
	case len(d.GetAttester()) > 0 != (len(d.GetAttesterBeside()) == 20):
		return errors.New("what its maker says of its TPM is not whole")
	case d.GetNonce() != nil && len(d.GetNonce().GetValue()) != 32:
		return errors.New("its nonce has not 32 bytes")
	}
	return nil
}

func hasSerial(r state.Reader, a tx.Address, d *devicev1.Device) bool {
	found, ok := bySerial.Get(r, plateOf(d))
	return ok && found == a
}

func hasAttester(r state.Reader, a tx.Address, d *devicev1.Device) bool {
	if len(d.GetAttester()) != len(attester{}) {
		return false
	}
	found, ok := byAttester.Get(r, attester(d.GetAttester()))
	return ok && found == a
}

func checkDoubts(d *devicev1.Device) error {
	doubts := d.GetDoubts()
	if len(doubts) > MaxDoubts {
		return fmt.Errorf("%d doubts", len(doubts))
	}
	end := int64(0)
	for i, doubt := range doubts {
		goesOn := doubt.GetUntil() == 0
		switch {
		case doubt.GetSince() < end, !goesOn && doubt.GetUntil() < doubt.GetSince():
			return errors.New("its doubts are not in order")
		case goesOn && i < len(doubts)-1:
			return errors.New("a doubt goes on that is not the last")
		case (len(doubt.GetBy()) == 0) != (doubt.GetFinding() != fine):
			return errors.New("a doubt that neither evidence nor a person brought, or both")
		case len(doubt.GetHeldBy()) != 0 && (len(doubt.GetHeldBy()) != 20 || doubt.GetFinding() == fine):
			return errors.New("a doubt that lasts on by nobody, or by another person than brought it")
		case len(doubt.GetTx()) != 32:
			return errors.New("a doubt without a transaction")
		}
		end = doubt.GetUntil()
	}
	if active := d.GetState() == devicev1.State_STATE_ACTIVE; active == (openDoubt(d) != nil) {
		return fmt.Errorf("%v with a doubt that goes on: %t", d.GetState(), !active)
	}
	return nil
}

func checkCommands(r state.Reader, a tx.Address, all []*devicev1.Command) error {
	if !devices.Has(r, a) || len(all) > MaxCommands {
		return fmt.Errorf("%d of them, of a device: %t", len(all), devices.Has(r, a))
	}
	seen := map[CommandID]bool{}
	for _, k := range all {
		if len(k.GetId()) != len(CommandID{}) || len(k.GetTx()) != 32 || !isName(k.GetKind(), MaxKind) || len(k.GetPayload()) > MaxPayload {
			return errors.New("one is not whole")
		}
		if seen[CommandID(k.GetId())] {
			return errors.New("two have the same id")
		}
		seen[CommandID(k.GetId())] = true
	}
	return nil
}
