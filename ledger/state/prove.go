package state

import (
	"bytes"
	"slices"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/dureledger/dure/ledger/fault"
)

// ErrEmpty is why an empty tree proves nothing: ICS-23 shows a key's absence by its neighbours. EmptyRoot itself
// tells that no key is there.
var ErrEmpty = fault.New("proof.empty_state", "the state is empty: its root alone shows that no key is in it")

// ProofSpec is what an ICS-23 verifier needs: ics23.TendermintSpec with room for paths of MaxDepth. Under the
// published spec a path ends at 128 steps, which keys only exceed that were chosen to share many leading bits.
func ProofSpec() *ics23.ProofSpec {
	return &ics23.ProofSpec{
		LeafSpec: leafOp(),
		InnerSpec: &ics23.InnerSpec{
			ChildOrder:      []int32{0, 1},
			MinPrefixLength: 1,
			MaxPrefixLength: 1,
			ChildSize:       32,
			Hash:            ics23.HashOp_SHA256,
		},
		MaxDepth: MaxDepth,
	}
}

// Prove shows that key is in the tree with its value or, by its neighbours, that it is not. Proofs are made of
// values too: of the key's own, or of its neighbours'. The one error is ErrEmpty.
func (t *Tree) Prove(key []byte) (*ics23.CommitmentProof, error) {
	defer t.hold()
	if t.root == 0 {
		return nil, ErrEmpty
	}
	if l := t.toward(t.node(t.root), key); bytes.Equal(l.key(), key) {
		return &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{Exist: t.existence(l)}}, nil
	}
	left, right := t.neighbours(key)
	return &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{Nonexist: &ics23.NonExistenceProof{
		Key:   bytes.Clone(key),
		Left:  t.existence(left),
		Right: t.existence(right),
	}}}, nil
}

// neighbours are the last leaf before key and the first after it, key itself being absent; of no page if there is none.
func (t *Tree) neighbours(key []byte) (left, right leaf) {
	n := t.node(t.root)
	d := diffBit(key, t.toward(n, key).key(), 0)
	var beside [2]*node // the nearest subtrees left and right of the path
	for n.bit < d {
		kids, side := n.inner().kids, bitAt(key, n.bit)
		beside[1-side] = t.node(kids[1-side])
		n = t.node(kids[side])
	}
	if n.bit != pageBit {
		beside[1-bitAt(key, d)] = n // key's bit 0 at d: all of n comes after it
	} else {
		p := n.page()
		i := p.seek(key)
		if i > 0 {
			left, beside[0] = leaf{p, i - 1}, nil
		}
		if i < p.len() {
			right, beside[1] = leaf{p, i}, nil
		}
	}
	if beside[0] != nil {
		left = t.end(beside[0], 1)
	}
	if beside[1] != nil {
		right = t.end(beside[1], 0)
	}
	return left, right
}

// existence proves a leaf of the tree; nil for that of no page.
func (t *Tree) existence(l leaf) *ics23.ExistenceProof {
	if l.page == nil {
		return nil
	}
	var path []*ics23.InnerOp
	n := t.node(t.root)
	for n.bit != pageBit {
		kids, side := n.inner().kids, bitAt(l.key(), n.bit)
		path = append(path, innerOp(side, &t.node(kids[1-side]).hash))
		n = t.node(kids[side])
	}
	for lo, hi := 0, l.page.len(); hi-lo > 1; {
		if s := split(l.page.bits(), lo, hi); l.i <= s {
			path = append(path, innerOp(0, l.page.subtreeHash(s+1, hi)))
			hi = s + 1
		} else {
			path = append(path, innerOp(1, l.page.subtreeHash(lo, s+1)))
			lo = s + 1
		}
	}
	slices.Reverse(path)
	return &ics23.ExistenceProof{
		Key: bytes.Clone(l.key()), Value: bytes.Clone(l.value()), Leaf: leafOp(), Path: path,
	}
}

func leafOp() *ics23.LeafOp {
	return &ics23.LeafOp{
		Hash:         ics23.HashOp_SHA256,
		PrehashKey:   ics23.HashOp_NO_HASH,
		PrehashValue: ics23.HashOp_SHA256,
		Length:       ics23.LengthOp_VAR_PROTO,
		Prefix:       []byte{leafPrefix},
	}
}

// innerOp says what to hash around the child on a side, given the other's hash. Slices are made without spare room, for the
// ics23 library appends to prefixes in place.
func innerOp(side int, sibling *[32]byte) *ics23.InnerOp {
	op := &ics23.InnerOp{Hash: ics23.HashOp_SHA256, Prefix: []byte{innerPrefix}}
	if side == 0 {
		op.Suffix = bytes.Clone(sibling[:])
		return op
	}
	op.Prefix = make([]byte, 33)
	op.Prefix[0] = innerPrefix
	copy(op.Prefix[1:], sibling[:])
	return op
}
