package index_test

import (
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/tx"
)

// breaking has payments of which those from some number on cannot be read until it is mended.
type breaking struct {
	*payments
	from   uint64
	mended bool
}

func (b *breaking) Entries(from uint64, most int) ([]index.Entry, error) {
	if !b.mended && from >= b.from {
		return nil, errBroken
	}
	return b.payments.Entries(from, most)
}

// Many transactions are indexed in one step of several parts: all of them or, when the ledger breaks in between, none.
func testStepsOfSeveralParts(t *testing.T, place func(*testing.T) keeper) {
	p := &breaking{payments: newPayments(23_000, false), from: 21_000}
	k := place(t)
	x := open(t, k, newLedger(t))
	before := k.dump(t)
	if err := x.Follow(t.Context(), p, slog.New(slog.DiscardHandler)); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	if x.Seq() != 0 || k.dump(t) != before {
		t.Errorf("%d transactions of a broken step are kept", x.Seq())
	}
	p.mended = true
	catchUp(t, x, p)
	of := map[tx.Address][]uint64{}
	for i, e := range p.entries {
		if i%97 == 0 {
			if at, ok, err := x.SeqOf(t.Context(), [32]byte(e.Outcome.GetId())); err != nil || !ok || at != uint64(i) {
				t.Fatalf("payment %d is at %d, %v, %v", i, at, ok, err)
			}
		}
		moved := e.Outcome.GetEvents()[0].GetAssetMoved()
		from, to := tx.Address(moved.GetFrom()), tx.Address(moved.GetTo())
		of[from] = append(of[from], uint64(i))
		if to != from {
			of[to] = append(of[to], uint64(i))
		}
	}
	for a, want := range of {
		if a[0] > 8 { // some hundred accounts are enough
			continue
		}
		slices.Reverse(want)
		if got := list(t, x, index.Filter{Account: &a}); !slices.Equal(got, want) {
			t.Fatalf("of %v: %v, want %v", a, got, want)
		}
	}
}
