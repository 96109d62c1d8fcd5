package state

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/sha2"
)

// MaxProof is the most bytes a proof can have: two neighbours with the largest values and the longest paths.
const MaxProof = 5 << 19

// VerifyProof checks that proof, a serialised cosmos.ics23.v1.CommitmentProof, shows key to have value under root or,
// if value is nil, to be absent. It is stricter than ICS-23: only the one serialisation that Prove's result has is
// accepted, so that a proof cannot be altered in any bit. Memory is bounded by the proof's size.
// Codes: proof.too_large, proof.malformed, proof.mismatch.
func VerifyProof(root [32]byte, proof, key, value []byte) error {
	if len(proof) > MaxProof {
		return fault.New("proof.too_large", "the state proof is larger than any can be", "bytes", len(proof), "limit", MaxProof)
	}
	if len(key) == 0 || len(key) > MaxKey {
		return fault.New("proof.mismatch", "no state key has this length", "bytes", len(key), "limit", MaxKey)
	}
	verify := func() error { return verifyExistence(root, proof, key, value) }
	if value == nil {
		verify = func() error { return verifyAbsence(root, proof, key) }
	}
	switch err := verify(); {
	case err == nil:
		return nil
	case errors.Is(err, errMalformed):
		return fault.New("proof.malformed", "the state proof is damaged or of another kind than asked for")
	default:
		return fault.New("proof.mismatch", "the state proof does not hold: "+err.Error())
	}
}

var errMalformed = errors.New("malformed")

func verifyExistence(root [32]byte, proof, key, value []byte) error {
	r := reader{rest: proof}
	p, err := readExistence(r.message(1))
	switch {
	case !r.done() || err != nil:
		return errMalformed
	case !bytes.Equal(p.key, key):
		return errors.New("it is about another key")
	case !bytes.Equal(p.value, value):
		return errors.New("it is about another value")
	case p.root != root:
		return errors.New("it leads to another root")
	}
	return nil
}

func verifyAbsence(root [32]byte, proof, key []byte) error {
	outer := reader{rest: proof}
	r := reader{rest: outer.message(2)}
	about := r.message(1)
	var sides [2]*existence
	for i := range sides {
		if !r.next(byte(2 + i)) {
			continue
		}
		p, err := readExistence(r.message(byte(2 + i)))
		if err != nil {
			return err
		}
		sides[i] = p
	}
	left, right := sides[0], sides[1]
	switch {
	case !outer.done() || !r.done() || left == nil && right == nil:
		return errMalformed
	case !bytes.Equal(about, key):
		return errors.New("it is about another key")
	case left != nil && left.root != root || right != nil && right.root != root:
		return errors.New("it leads to another root")
	case left != nil && bytes.Compare(left.key, key) >= 0 || right != nil && bytes.Compare(right.key, key) <= 0:
		return errors.New("the key is not between the neighbours")
	case !adjacent(left, right):
		return errors.New("there may be keys between the neighbours")
	}
	return nil
}

// adjacent says whether no leaf is between two of the same root; nil is beyond the end.
func adjacent(left, right *existence) bool {
	var l, r []byte // what is left to follow, ending at the root
	if left != nil {
		l = left.sides
	}
	if right != nil {
		r = right.sides
	}
	if left != nil && right != nil {
		for len(l) > 0 && len(r) > 0 && l[len(l)-1] == r[len(r)-1] {
			l, r = l[:len(l)-1], r[:len(r)-1]
		}
		if len(l) == 0 || len(r) == 0 || l[len(l)-1] != 0 {
			return false
		}
		l, r = l[:len(l)-1], r[:len(r)-1]
	}
	return bytes.IndexByte(l, 0) < 0 && bytes.IndexByte(r, 1) < 0
}

// existence is a decoded ExistenceProof: the root it leads to, and on which side the path is at each step from the
// leaf up.
type existence struct {
	key, value []byte
	sides      []byte
	root       [32]byte
}

// The serialised operations, of which a proof has no others: the LeafOp, and an InnerOp around a left and around a
// right child, up to the sibling's hash.
var (
	leafOpBytes  = []byte{0x08, 1, 0x18, 1, 0x20, 1, 0x2a, 1, leafPrefix}
	leftOpBytes  = []byte{0x08, 1, 0x12, 1, innerPrefix, 0x1a, 32}
	rightOpBytes = []byte{0x08, 1, 0x12, 33, innerPrefix}
)

func readExistence(b []byte) (*existence, error) {
	r := reader{rest: b}
	p := &existence{key: r.message(1), value: r.message(2)}
	leaf := r.message(3)
	switch {
	case r.bad || len(p.key) == 0 || len(p.key) > MaxKey || len(p.value) == 0 || len(p.value) > MaxValue:
		return nil, errMalformed
	case !bytes.Equal(leaf, leafOpBytes):
		return nil, errMalformed
	}
	p.root = hashLeaf(p.key, p.value)
	for len(r.rest) > 0 {
		op := r.message(4)
		sibling := op[max(len(op)-32, 0):]
		switch operation := op[:len(op)-len(sibling)]; {
		case len(p.sides) == MaxDepth:
			return nil, errMalformed
		case bytes.Equal(operation, leftOpBytes):
			sha2.Node(&p.root, &p.root, (*[32]byte)(sibling))
			p.sides = append(p.sides, 0)
		case bytes.Equal(operation, rightOpBytes):
			sha2.Node(&p.root, (*[32]byte)(sibling), &p.root)
			p.sides = append(p.sides, 1)
		default:
			return nil, errMalformed
		}
	}
	return p, nil
}

// reader takes protobuf fields of wire type 2 (bytes, messages) off the front of rest, in their canonical form.
type reader struct {
	rest []byte
	bad  bool
}

// next says whether the next field has that number (1 to 15).
func (r *reader) next(number byte) bool {
	return len(r.rest) > 0 && r.rest[0] == number<<3|2
}

// message takes the field with that number; without it the reader is bad and empty.
func (r *reader) message(number byte) []byte {
	if r.next(number) {
		size, n := binary.Uvarint(r.rest[1:])
		shortest := n == 1 || n > 1 && r.rest[n] != 0
		if shortest && size <= uint64(len(r.rest)-1-n) {
			body := r.rest[1+n:][:size]
			r.rest = r.rest[1+n+int(size):]
			return body
		}
	}
	r.rest, r.bad = nil, true
	return nil
}

// done says whether all was read and well.
func (r *reader) done() bool { return !r.bad && len(r.rest) == 0 }
