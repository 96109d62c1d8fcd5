package network

import (
	"crypto/sha256"
	"errors"
	"fmt"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// MaxEvidence is how many pieces of evidence are kept of one validator, the latest; all are counted.
const MaxEvidence = 16

// Validator names a validator key, as consensus does: the first 20 bytes of the key's SHA-256.
type Validator [20]byte

// ValidatorOf names a key.
func ValidatorOf(key []byte) Validator {
	sum := sha256.Sum256(key)
	return Validator(sum[:20])
}

var (
	validatorNames = state.Codec[Validator]{
		Append: func(b []byte, v Validator) []byte { return append(b, v[:]...) },
		Decode: func(b []byte) (Validator, error) {
			a, err := tx.ToAddress(b)
			return Validator(a), err
		},
	}
	evidence = state.NewMap("Ne", validatorNames, state.Proto[networkv1.Evidence]())
)

// Misbehaved keeps evidence against a validator. Nothing else follows by itself: whether the member stays is for the
// members to vote on.
func (m *Module) Misbehaved(v *state.View, what exec.Misbehaviour, height int64) {
	name := Validator(what.Validator)
	e, ok := evidence.Get(v, name)
	if !ok {
		e = &networkv1.Evidence{}
	}
	if len(e.Member) == 0 {
		e.Member = holder(m.Members(v), name)
	}
	for _, known := range e.Latest { // one deed can have several proofs
		if known.GetHeight() == what.Height && known.GetKind() == what.Kind {
			return
		}
	}
	if e.Count+1 > e.Count {
		e.Count++
	}
	e.Latest = append(e.Latest, &networkv1.Misbehaviour{Kind: what.Kind, Height: what.Height, Time: what.Time, RecordedAt: height})
	e.Latest = e.Latest[max(0, len(e.Latest)-MaxEvidence):]
	evidence.Set(v, name, e)
}

// holder is the address of the member that validates with a key, nil if there is none.
func holder(all []*networkv1.Member, name Validator) []byte {
	for _, member := range all {
		if ValidatorOf(member.GetValidatorKey()) == name {
			return member.GetAddress()
		}
	}
	return nil
}

// EvidenceAgainst returns what the ledger holds against a validator and whether it holds anything.
func EvidenceAgainst(g state.Getter, v Validator) (*networkv1.Evidence, bool) {
	return evidence.Get(g, v)
}

// AllEvidence calls yield for each validator there is evidence against, in order of name, until it returns false.
func AllEvidence(r state.Reader, yield func(Validator, *networkv1.Evidence) bool) {
	evidence.Ascend(r, nil, yield)
}

func checkEvidence(r state.Reader) (err error) {
	evidence.Ascend(r, nil, func(v Validator, e *networkv1.Evidence) bool {
		switch n := len(e.GetLatest()); {
		case n == 0 || n > MaxEvidence || uint64(n) > e.GetCount():
			err = fmt.Errorf("evidence against %x: %d of %d pieces", v, n, e.GetCount())
		case len(e.GetMember()) != 0 && len(e.GetMember()) != 20:
			err = errors.New("evidence against a member without an address")
		}
		return err == nil
	})
	return err
}
