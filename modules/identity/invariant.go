package identity

import (
	"bytes"
	"errors"
	"fmt"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// Check verifies the invariants of the package comment.
func (m *Module) Check(r state.Reader) error {
	return errors.Join(m.checkOrganisations(r), m.checkSchemas(r), m.checkRights(r), m.checkFacts(r), m.checkLists(r), m.checkConsents(r), m.checkServices(r))
}

func (m *Module) checkOrganisations(r state.Reader) (err error) {
	organisations.Ascend(r, nil, func(a tx.Address, o *identityv1.Organisation) bool {
		switch {
		case !m.accounts.Exists(r, a):
			err = errors.New("it is no account")
		case len(o.GetAdmittedBy()) != 0 && len(o.GetAdmittedBy()) != len(tx.Address{}):
			err = errors.New("who admitted it has no address")
		case o.GetSinceAt() == 0: // a member's contact
			if o.GetName() != "" || o.GetKind() != 0 || len(o.GetAdmittedBy()) != 0 || o.GetDismissedAt() != 0 {
				err = errors.New("a member's entry says more than its contact")
			}
			err = errors.Join(err, checkContact(o.GetContact()))
		case o.GetDismissedAt() != 0 && o.GetDismissedAt() < o.GetSinceAt(), (o.GetDismissedAt() == 0) != (o.GetDismissReason() == 0):
			err = errors.New("its dismissal is not whole")
		default:
			err = checkOrganisation(o.GetName(), o.GetKind(), o.GetContact())
		}
		err = about("organisation %s", a, err)
		return err == nil
	})
	return err
}

func (m *Module) checkSchemas(r state.Reader) (err error) {
	schemas.Ascend(r, nil, func(name string, s *identityv1.Schema) bool {
		registrar, bad := toAddress("registrar", s.GetRegistrar())
		switch {
		case bad != nil:
			err = bad
		case !m.accounts.Exists(r, registrar):
			err = errors.New("its registrar is no account")
		default:
			err = checkSchema(name, s)
		}
		err = about("schema %s", name, err)
		return err == nil
	})
	return err
}

func (m *Module) checkRights(r state.Reader) (err error) {
	rights.Ascend(r, nil, func(id RightID, right *identityv1.Right) bool {
		switch {
		case !schemas.Has(r, id.Schema), !m.accounts.Exists(r, id.Holder):
			err = errors.New("its schema or its holder is not there")
		case len(right.GetGiver()) != 0 && !m.hasGiver(r, id, right):
			err = errors.New("who passed it on never had it, or is its holder")
		case right.GetDepth() > MaxDepth, len(right.GetGiver()) != 0 && right.GetDepth() >= MaxDepth:
			err = fmt.Errorf("it may be passed on %d times", right.GetDepth())
		case right.GetEndsAt() <= right.GetSinceAt(), len(right.GetTx()) != 32:
			err = errors.New("it is not whole")
		case right.GetRevokedAt() != 0 && right.GetRevokedAt() < right.GetSinceAt(), (right.GetRevokedAt() == 0) != (right.GetReason() == 0):
			err = errors.New("its end is not whole")
		}
		err = about("right %v", id, err)
		return err == nil
	})
	return err
}

func (m *Module) hasGiver(r state.Reader, id RightID, right *identityv1.Right) bool {
	giver, err := tx.ToAddress(right.GetGiver())
	return err == nil && giver != id.Holder && rights.Has(r, RightID{id.Schema, giver})
}

func (m *Module) checkFacts(r state.Reader) (err error) {
	type subject struct {
		account tx.Address
		schema  string
	}
	count := map[subject]int{}
	facts.Ascend(r, nil, func(id FactID, a *identityv1.Attribute) bool {
		s, ok := schemas.Get(r, id.Schema)
		count[subject{id.Account, id.Schema}]++
		switch {
		case !ok || !isFact(s, id.Value):
			err = errors.New("its schema has no such fact")
		case !m.accounts.Exists(r, id.Account), !rights.Has(r, RightID{id.Schema, id.Issuer}):
			err = errors.New("it is about no account, or its issuer never had the right")
		case a.GetEndsAt() <= a.GetSinceAt(), len(a.GetTx()) != 32:
			err = errors.New("it is not whole")
		case a.GetWithdrawnAt() != 0 && a.GetWithdrawnAt() < a.GetSinceAt(), (a.GetWithdrawnAt() == 0) != (a.GetReason() == 0):
			err = errors.New("its end is not whole")
		case count[subject{id.Account, id.Schema}] > MaxFacts:
			err = errors.New("there are too many")
		}
		err = about("fact %v", id, err)
		return err == nil
	})
	return err
}

func (m *Module) checkLists(r state.Reader) (err error) {
	lists.Ascend(r, nil, func(id ListID, l *identityv1.StatusList) bool {
		if err = checkList(id.List, l.GetBits(), l.GetSize()); err == nil && (!m.accounts.Exists(r, id.Issuer) || (l.GetVersion() == 0) != (l.GetChangedAt() == 0)) {
			err = errors.New("its issuer is no account, or it is not whole")
		}
		err = about("status list %v", id, err)
		return err == nil
	})
	if err != nil {
		return err
	}
	chunks.Ascend(r, nil, func(p statuslist.Place, chunk []byte) bool {
		l, ok := lists.Get(r, ListID{p.Issuer, p.List})
		switch {
		case !ok || uint64(p.Chunk)*statuslist.ChunkBytes >= statuslist.Bytes(l.GetBits(), l.GetSize()):
			err = errors.New("it is of no list, or behind its end")
		case len(chunk) != chunkSize(l, p.Chunk), len(bytes.Trim(chunk, "\x00")) == 0:
			err = fmt.Errorf("it has %d bytes, or nothing but zeros", len(chunk))
		}
		err = about("chunk %v", p, err)
		return err == nil
	})
	return err
}

func (m *Module) checkConsents(r state.Reader) (err error) {
	consents.Ascend(r, nil, func(id ConsentID, c *identityv1.Consent) bool {
		switch {
		case !m.accounts.Exists(r, id.Person), !m.accounts.Exists(r, id.Recipient), id.Person == id.Recipient:
			err = errors.New("person or recipient is no account, or they are one")
		case c.GetEndsAt() <= c.GetGivenAt(), len(c.GetTx()) != 32, c.GetWithdrawnAt() != 0 && c.GetWithdrawnAt() < c.GetGivenAt():
			err = errors.New("it is not whole")
		}
		err = about("consent %v", id, err)
		return err == nil
	})
	return err
}

func (m *Module) checkServices(r state.Reader) (err error) {
	services.Ascend(r, nil, func(a tx.Address, s *identityv1.StoredService) bool {
		if err = checkService(s.GetService()); err == nil && (!m.accounts.Exists(r, a) || len(s.GetTx()) != 32 || s.GetSetAt() <= 0) {
			err = errors.New("its account is not there, or it is not whole")
		}
		err = about("service of %s", a, err)
		return err == nil
	})
	return err
}

// about says what is wrong, if anything is.
func about(format string, what any, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", what, err)
}
