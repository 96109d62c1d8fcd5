package index_test

import (
	"path/filepath"
	"testing"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/fault"
)

// FuzzPageToken gives any text as a page token and as a search: the answer is a page or a refusal, and no page
// repeats what the first one had.
func FuzzPageToken(f *testing.F) {
	l, err := indextest.New()
	if err != nil {
		f.Fatal(err)
	}
	for range 3 {
		if _, err := l.Do([]*txv1.Action{indextest.Transfer(indextest.Person(0), indextest.Address(indextest.Person(1)), "1", "메모 memo")}, indextest.Person(0)); err != nil {
			f.Fatal(err)
		}
	}
	x, err := index.Open(filepath.Join(f.TempDir(), "index.db"), l.Genesis())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = x.Close() })
	catchUp(f, x, l)
	_, next, err := x.Transactions(f.Context(), index.Filter{}, index.Page{Size: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("", "")
	f.Add(next, "memo")
	f.Add("AAAAAAAAAAAAAAAA", "메 모")
	f.Add("________________", `"a" OR b* NEAR(c) body:`)
	f.Fuzz(func(t *testing.T, token, text string) {
		anyText(t, x, l, token, text)
	})
}

// anyText asks every list for a page by a token and text that may be anything.
func anyText(t *testing.T, x *index.Index, l *indextest.Ledger, token, text string) {
	t.Helper()
	holder := indextest.Address(indextest.Person(0))
	p := index.Page{Size: 2, Token: token}
	check := func(err error) {
		if code := fault.Code(err); err != nil && code != "page.bad_token" {
			t.Fatal(err)
		}
	}
	seqs, _, err := x.Transactions(t.Context(), index.Filter{}, p)
	check(err)
	for i, s := range seqs {
		if s >= l.Size() || i > 0 && s >= seqs[i-1] {
			t.Fatalf("page %v", seqs)
		}
	}
	_, _, err = x.Transactions(t.Context(), index.Filter{Text: text}, p)
	check(err)
	_, _, err = x.Records(t.Context(), index.RecordFilter{Text: text, Name: text}, p)
	check(err)
	_, _, err = x.Accounts(t.Context(), nil, p)
	check(err)
	_, _, err = x.Holds(t.Context(), holder, p)
	check(err)
	_, _, err = x.HoldersOf(t.Context(), text, p)
	check(err)
	_, _, err = x.Transactions(t.Context(), index.Filter{Asset: text}, p)
	check(err)
	_, _, err = x.AssetsOf(t.Context(), holder, p)
	check(err)
	st, _, _ := l.State()
	_, _, err = index.ReadProposals(st, p)
	check(err)
}
