package state_test

import (
	"bytes"
	"testing"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

// fruits is a small tree with a key between others, and keys that extend others.
func fruits() *state.Tree {
	var changes []state.Change
	for _, k := range []string{"a", "apple", "apples", "banana", "cherry", "date", "fig", "figs"} {
		changes = append(changes, state.Change{Key: []byte(k), Value: []byte("sweet " + k)})
	}
	return state.NewTree().Apply(changes)
}

func prove(t testing.TB, tree *state.Tree, key string) *ics23.CommitmentProof {
	t.Helper()
	proof, err := tree.Prove([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// TestEveryBit flips every bit of proofs, cuts them short at every byte and lengthens them: all refused.
func TestEveryBit(t *testing.T) {
	tree := fruits()
	for _, key := range []string{"apple", "a", "figs", "apricot", "A", "zebra", "figgy"} {
		value, _ := tree.Get([]byte(key))
		raw := marshal(t, prove(t, tree, key))
		if err := state.VerifyProof(tree.Root(), raw, []byte(key), value); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		refuse := func(change string, i int, bad []byte) {
			if err := state.VerifyProof(tree.Root(), bad, []byte(key), value); fault.Code(err) == "" {
				t.Fatalf("%s: %s at %d gave %v", key, change, i, err)
			}
		}
		for i := range raw {
			for bit := range 8 {
				bad := bytes.Clone(raw)
				bad[i] ^= 1 << bit
				refuse("a flipped bit", i, bad)
			}
			refuse("a cut", i, raw[:i])
		}
		refuse("an extra byte", len(raw), append(bytes.Clone(raw), 0))
		refuse("an unknown field", len(raw), append(bytes.Clone(raw), 0x7a, 0))
	}
}

// TestFalseClaims uses honest proofs, or ones put together from honest parts, for what they do not show.
func TestFalseClaims(t *testing.T) {
	tree := fruits()
	other := tree.Apply([]state.Change{{Key: []byte("fig"), Value: []byte("sour")}})
	exist := func(key string) *ics23.ExistenceProof { return prove(t, tree, key).GetExist() }
	absent := func(key string, left, right *ics23.ExistenceProof) []byte {
		return marshal(t, &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Nonexist{
			Nonexist: &ics23.NonExistenceProof{Key: []byte(key), Left: left, Right: right}}})
	}
	apple := []byte("sweet apple")
	long := exist("apple")
	long.Leaf.Prefix = []byte{0, 0}
	for _, c := range []struct {
		name, key, code string
		proof, value    []byte
		root            [32]byte
	}{
		{"another value", "apple", "proof.mismatch", marshal(t, prove(t, tree, "apple")), []byte("sour"), tree.Root()},
		{"an empty value", "apple", "proof.mismatch", marshal(t, prove(t, tree, "apple")), []byte{}, tree.Root()},
		{"another key", "fig", "proof.mismatch", marshal(t, prove(t, tree, "apple")), apple, tree.Root()},
		{"another root", "apple", "proof.mismatch", marshal(t, prove(t, tree, "apple")), apple, other.Root()},
		{"presence as absence", "apple", "proof.malformed", marshal(t, prove(t, tree, "apple")), nil, tree.Root()},
		{"absence as presence", "kiwi", "proof.malformed", marshal(t, prove(t, tree, "kiwi")), apple, tree.Root()},
		{"absence of another", "lime", "proof.mismatch", marshal(t, prove(t, tree, "kiwi")), nil, tree.Root()},
		{"absence under another root", "kiwi", "proof.mismatch", marshal(t, prove(t, tree, "kiwi")), nil, other.Root()},
		{"distant neighbours", "banana", "proof.mismatch", absent("banana", exist("apple"), exist("cherry")), nil, tree.Root()},
		{"not the last", "figs", "proof.mismatch", absent("figs", exist("fig"), nil), nil, tree.Root()},
		{"not the first", "Z", "proof.mismatch", absent("Z", nil, exist("apple")), nil, tree.Root()},
		{"neighbours swapped", "b", "proof.mismatch", absent("b", exist("banana"), exist("apples")), nil, tree.Root()},
		{"key is its neighbour", "fig", "proof.mismatch", absent("fig", exist("fig"), exist("figs")), nil, tree.Root()},
		{"no neighbours", "kiwi", "proof.malformed", absent("kiwi", nil, nil), nil, tree.Root()},
		{"longer leaf prefix", "apple", "proof.malformed",
			marshal(t, &ics23.CommitmentProof{Proof: &ics23.CommitmentProof_Exist{Exist: long}}), apple, tree.Root()},
		{"batch", "apple", "proof.malformed",
			marshal(t, batch(t, prove(t, tree, "apple"))), apple, tree.Root()},
		{"nothing", "apple", "proof.malformed", nil, apple, tree.Root()},
		{"too large", "apple", "proof.too_large", make([]byte, state.MaxProof+1), apple, tree.Root()},
		{"no key", "", "proof.mismatch", marshal(t, prove(t, tree, "apple")), apple, tree.Root()},
	} {
		err := state.VerifyProof(c.root, c.proof, []byte(c.key), c.value)
		if fault.Code(err) != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
}

func batch(t *testing.T, proofs ...*ics23.CommitmentProof) *ics23.CommitmentProof {
	out, err := ics23.CombineProofs(proofs)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// FuzzVerifyProof sees that what VerifyProof accepts ics23 accepts too, that it has the one serialisation, and that
// nothing makes it panic.
func FuzzVerifyProof(f *testing.F) {
	tree := fruits()
	root := tree.Root()
	for _, key := range []string{"apple", "apricot", "A", "zebra"} {
		value, _ := tree.Get([]byte(key))
		f.Add(marshal(f, prove(f, tree, key)), []byte(key), value)
	}
	f.Fuzz(func(t *testing.T, raw, key, value []byte) {
		if len(value) == 0 {
			value = nil
		}
		if state.VerifyProof(root, raw, key, value) != nil {
			return
		}
		var proof ics23.CommitmentProof
		if err := proof.Unmarshal(raw); err != nil {
			t.Fatalf("accepted what does not decode: %v", err)
		}
		if !bytes.Equal(marshal(t, &proof), raw) {
			t.Fatal("accepted another serialisation")
		}
		if have, ok := tree.Get(key); ok != (value != nil) || !bytes.Equal(have, value) {
			t.Fatalf("accepted a false claim about %x", key)
		}
		if value != nil && !ics23.VerifyMembership(state.ProofSpec(), root[:], &proof, key, value) ||
			value == nil && !ics23.VerifyNonMembership(state.ProofSpec(), root[:], &proof, key) {
			t.Fatal("accepted what ics23 refuses")
		}
	})
}
