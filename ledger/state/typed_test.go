package state_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/holiman/uint256"
	"google.golang.org/protobuf/proto"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	"github.com/dureledger/dure/ledger/state"
)

var (
	titles = state.NewMap("Tt", state.Uint64, state.Proto[assetv1.Class]())
	sums   = state.NewMap("Ts", state.Uint64, state.Amount)
)

func TestMap(t *testing.T) {
	v := state.NewView(state.NewTree())
	for _, n := range []uint64{256, 1, math.MaxUint64, 2} {
		titles.Set(v, n, &assetv1.Class{Name: "title"})
		sums.Set(v, n, *uint256.NewInt(n))
	}
	titles.Set(v, 3, &assetv1.Class{}) // no fields: an empty encoding
	titles.Delete(v, 2)
	tree := state.NewTree().Apply(v.Changes())
	for _, g := range []state.Getter{v, tree} {
		if got, ok := titles.Get(g, 1); !ok || got.GetName() != "title" {
			t.Fatalf("got %v, %v", got, ok)
		}
		if got, ok := titles.Get(g, 3); !ok || !proto.Equal(got, &assetv1.Class{}) {
			t.Fatalf("empty message: got %v, %v", got, ok)
		}
		if titles.Has(g, 2) || !sums.Has(g, 2) {
			t.Fatal("deletion missed, or hit another map")
		}
	}
	var keys []uint64
	titles.Ascend(tree, nil, func(n uint64, _ *assetv1.Class) bool {
		keys = append(keys, n)
		return n != 256
	})
	if len(keys) != 3 || keys[0] != 1 || keys[1] != 3 || keys[2] != 256 {
		t.Fatalf("walked %v", keys)
	}
	keys = nil
	titles.Ascend(v, make([]byte, 7), func(n uint64, _ *assetv1.Class) bool {
		keys = append(keys, n)
		return true
	})
	if len(keys) != 2 {
		t.Fatalf("walked %v under a part of the key", keys)
	}
}

func TestAmount(t *testing.T) {
	var most uint256.Int
	most.SubUint64(most.Lsh(uint256.NewInt(1), 128), 1)
	if got, err := state.Amount.Decode(state.Amount.Append(nil, most)); err != nil || got != most {
		t.Fatalf("got %s, %v", got.Dec(), err)
	}
	if _, err := state.Amount.Decode(make([]byte, 15)); err == nil {
		t.Fatal("15 bytes decoded")
	}
	defer func() {
		if recover() == nil {
			t.Fatal("2^128 was encoded")
		}
	}()
	state.Amount.Append(nil, *most.AddUint64(&most, 1))
}

func TestPrefixEnd(t *testing.T) {
	for _, c := range []struct{ prefix, end []byte }{
		{[]byte("ab"), []byte("ac")},
		{[]byte{1, 0xff, 0xff}, []byte{2}},
		{[]byte{0xff}, nil},
		{nil, nil},
	} {
		if got := state.PrefixEnd(c.prefix); !bytes.Equal(got, c.end) || (got == nil) != (c.end == nil) {
			t.Errorf("PrefixEnd(%x) = %x, want %x", c.prefix, got, c.end)
		}
	}
}

// TestBrokenLedger: bytes that do not decode panic.
func TestBrokenLedger(t *testing.T) {
	v := state.NewView(state.NewTree())
	v.Set(sums.Key(1), []byte("short"))
	defer func() {
		if recover() == nil {
			t.Fatal("decoded")
		}
	}()
	sums.Get(v, 1)
}
