package state_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/dureledger/dure/ledger/state"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const vectorFile = "testdata/vectors.json"

// octets are hexadecimal in JSON.
type octets []byte

func (o octets) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(o)), nil }

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = hex.DecodeString(string(text))
	return err
}

// vector is a set of entries, its root, and proofs under it. docs/state.md explains the file.
type vector struct {
	Name    string        `json:"name"`
	Entries []vectorEntry `json:"entries"`
	Root    octets        `json:"root"`
	Proofs  []vectorProof `json:"proofs"`
}

type vectorEntry struct {
	Key   octets `json:"key"`
	Value octets `json:"value"`
}

// vectorProof without a value shows absence.
type vectorProof struct {
	Key   octets  `json:"key"`
	Value *octets `json:"value,omitempty"`
	Proof octets  `json:"proof"`
}

func entries(kv ...string) (out []state.Change) {
	for i := 0; i < len(kv); i += 2 {
		out = append(out, state.Change{Key: []byte(kv[i]), Value: []byte(kv[i+1])})
	}
	slices.SortFunc(out, state.Change.Compare)
	return out
}

// vectorSets are the contents of the vectors and the keys proven in each.
func vectorSets() []struct {
	name    string
	entries []state.Change
	proven  []string
} {
	var numbers, deep []state.Change
	for i := range uint64(100) {
		key := binary.BigEndian.AppendUint64([]byte("An"), i*i)
		numbers = append(numbers, state.Change{Key: key, Value: bytes.Repeat([]byte{byte(i)}, int(i)+1)})
	}
	for i := range 16 {
		key := []byte{0, 0}
		key[i/8] |= 0x80 >> (i % 8)
		deep = append(deep, state.Change{Key: key, Value: []byte{byte(i + 1)}})
	}
	slices.SortFunc(deep, state.Change.Compare)
	return []struct {
		name    string
		entries []state.Change
		proven  []string
	}{
		{"no keys", nil, nil},
		{"one key", entries("apple", "red"), []string{"apple", "a", "b"}},
		{"two keys", entries("apple", "red", "banana", "yellow"), []string{"apple", "banana", "a", "avocado", "c"}},
		{"keys that extend each other", entries("a", "1", "a\x00", "2", "a\x00\x00", "3", "a\xff", "4", "ab", "5", "b", "6"),
			[]string{"a", "a\x00", "a\xff", "a\x00\x01", "aa", "`", "b\x00"}},
		{"keys that each leave one path", deep, []string{"\x00\x01", "\x80\x00", "\x00\x00", "\x00\x03"}},
		{"a hundred numbers", numbers, []string{string(numbers[0].Key), string(numbers[77].Key), "An\x00", "B"}},
		{"a long key and value", append(entries("k", "v"),
			state.Change{Key: bytes.Repeat([]byte("k"), 200), Value: bytes.Repeat([]byte("v"), 1000)}),
			[]string{"kk"}},
	}
}

// TestVectors checks the published roots and proofs, which other implementations check too.
func TestVectors(t *testing.T) {
	if *update {
		writeVectors(t)
	}
	raw, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) != len(vectorSets()) {
		t.Fatalf("%d vectors", len(vectors))
	}
	for _, v := range vectors {
		var changes []state.Change
		for _, e := range v.Entries {
			changes = append(changes, state.Change{Key: e.Key, Value: e.Value})
		}
		tree := state.NewTree().Apply(changes)
		root := tree.Root()
		if !bytes.Equal(root[:], v.Root) || referenceRoot(changes) != root {
			t.Errorf("%s: root %x, want %x", v.Name, root, v.Root)
		}
		for _, p := range v.Proofs {
			var value []byte
			if p.Value != nil {
				value = *p.Value
			}
			if err := state.VerifyProof(root, p.Proof, p.Key, value); err != nil {
				t.Errorf("%s: proof of %x: %v", v.Name, p.Key, err)
			}
			if got := marshal(t, prove(t, tree, string(p.Key))); !bytes.Equal(got, p.Proof) {
				t.Errorf("%s: proof of %x is now %x", v.Name, p.Key, got)
			}
		}
	}
}

func writeVectors(t *testing.T) {
	var out []vector
	for _, set := range vectorSets() {
		tree := state.NewTree().Apply(set.entries)
		root := tree.Root()
		v := vector{Name: set.name, Root: root[:], Entries: []vectorEntry{}, Proofs: []vectorProof{}}
		for _, c := range set.entries {
			v.Entries = append(v.Entries, vectorEntry{c.Key, c.Value})
		}
		for _, key := range set.proven {
			p := vectorProof{Key: octets(key), Proof: marshal(t, prove(t, tree, key))}
			if value, ok := tree.Get([]byte(key)); ok {
				p.Value = (*octets)(&value)
			}
			v.Proofs = append(v.Proofs, p)
		}
		out = append(out, v)
	}
	raw, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorFile, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
