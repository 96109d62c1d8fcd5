package index_test

import (
	"testing"

	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
)

// An index that is made when anchors have been erased lists none of their readings and says so; the outcomes are listed, and what comes later is
// as always.
func testErasedAnchors(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	f := travelled(t, l)
	if n := l.Erase(); n != 11 {
		t.Fatalf("%d anchors", n)
	}
	_, _, last := l.State()
	x := open(t, place(t), l)
	catchUp(t, x, l)
	if n, until := x.Missing(); n != 34 || until != last {
		t.Errorf("%d readings are missing until %d, not until %d", n, until, last)
	}
	rows, _, err := x.Readings(t.Context(), index.ReadingFilter{Feed: indextest.Feed}, index.Page{})
	if err != nil || len(rows) != 0 {
		t.Errorf("%d readings of transactions that are gone: %v", len(rows), err)
	}
	gateway := indextest.Address(indextest.Person(0))
	seqs, _, err := x.Transactions(t.Context(), index.Filter{Account: &gateway}, index.Page{})
	if err != nil || len(seqs) < 11 {
		t.Errorf("only %d transactions of the gateway: %v", len(seqs), err)
	}
	must(t, f.Report(505))
	catchUp(t, x, l)
	rows, _, err = x.Readings(t.Context(), index.ReadingFilter{Feed: indextest.Feed}, index.Page{})
	if err != nil || len(rows) != 3 {
		t.Errorf("%d readings after that: %v", len(rows), err)
	}
	if n, until := x.Missing(); n != 34 || until != last {
		t.Errorf("%d readings are missing until %d, afterwards", n, until)
	}
}
