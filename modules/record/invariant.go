package record

import (
	"bytes"
	"errors"
	"fmt"

	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Check verifies the invariants of the package comment.
func (m *Module) Check(r state.Reader) (err error) {
	records.Ascend(r, nil, func(place id, record *recordv1.Record) bool {
		if err = errors.Join(m.checkRecord(r, place, record), checkLinks(r, place, record), m.checkCosignatures(r, place, record)); err != nil {
			err = fmt.Errorf("record %s of %s: %w", place.digest, place.recorder, err)
		}
		return err == nil
	})
	return err
}

func (m *Module) checkRecord(r state.Reader, place id, record *recordv1.Record) error {
	said := &recordv1.Add{MediaType: record.GetMediaType(), Title: record.GetTitle(), Name: record.GetName()}
	if err := check(said); err != nil {
		return err
	}
	next := len(record.GetSupersededBy()) > 0
	switch {
	case !m.accounts.Exists(r, place.recorder):
		return errors.New("its recorder is no account")
	case len(record.GetTx()) != 32:
		return errors.New("no transaction")
	case record.GetChangedAt() < record.GetRecordedAt():
		return errors.New("changed before it was recorded")
	case record.GetState() == recordv1.State_STATE_ACTIVE && !next,
		record.GetState() == recordv1.State_STATE_SUPERSEDED && next,
		record.GetState() == recordv1.State_STATE_WITHDRAWN:
		return nil
	}
	return fmt.Errorf("%v with superseded_by %x", record.GetState(), record.GetSupersededBy())
}

func checkLinks(r state.Reader, place id, record *recordv1.Record) error {
	if b := record.GetSupersededBy(); len(b) > 0 {
		_, next, err := find(r, b, place.recorder)
		if err != nil {
			return fmt.Errorf("superseded by: %w", err)
		}
		if !bytes.Equal(next.GetSupersedes(), place.digest[:]) {
			return fmt.Errorf("superseded by %x, which does not supersede it", b)
		}
	}
	if b := record.GetSupersedes(); len(b) > 0 {
		_, before, err := find(r, b, place.recorder)
		if err != nil {
			return fmt.Errorf("supersedes: %w", err)
		}
		if !bytes.Equal(before.GetSupersededBy(), place.digest[:]) {
			return fmt.Errorf("supersedes %x, which is not superseded by it", b)
		}
	}
	return nil
}

func (m *Module) checkCosignatures(r state.Reader, place id, record *recordv1.Record) error {
	if n := len(record.GetCosignatures()); n > MaxCosignatures {
		return fmt.Errorf("%d cosignatures", n)
	}
	seen := map[tx.Address]bool{place.recorder: true}
	for _, s := range record.GetCosignatures() {
		a, err := tx.ToAddress(s.GetAccount())
		switch {
		case err != nil:
			return fmt.Errorf("cosigner: %w", err)
		case seen[a]:
			return fmt.Errorf("%s cosigns twice or its own record", a)
		case !m.accounts.Exists(r, a):
			return fmt.Errorf("cosigner %s is no account", a)
		}
		seen[a] = true
	}
	return nil
}
