package index_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

func newLedger(t *testing.T) *indextest.Ledger {
	t.Helper()
	l, err := indextest.New()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// keeper is a place for one index, in the database that the suite runs on.
type keeper interface {
	open(l *indextest.Ledger) (*index.Index, error)
	// dump is every row of every table as text.
	dump(t *testing.T) string
}

// suite is what an index does wherever it is kept; place makes a new keeper.
func suite(t *testing.T, place func(*testing.T) keeper) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) keeper){
		"TransactionsAreFound":              testTransactionsAreFound,
		"PagesAreStableWhileTheLedgerGrows": testPagesAreStableWhileTheLedgerGrows,
		"BadPagesAreRefused":                testBadPagesAreRefused,
		"Lists":                             testLists,
		"AccountEvents":                     testAccountEvents,
		"SeqOf":                             testSeqOf,
		"RebuildGivesTheSame":               testRebuildGivesTheSame,
		"KilledMidWayResumes":               testKilledMidWayResumes,
		"StepsOfSeveralParts":               testStepsOfSeveralParts,
		"AnotherHistoryStartsAnew":          testAnotherHistoryStartsAnew,
		"StrangeTextIsNoTrouble":            testStrangeTextIsNoTrouble,
		"FollowKeepsUp":                     testFollowKeepsUp,
		"Readings":                          testReadings,
		"AnchorIsWhole":                     testAnchorIsWhole,
		"Values":                            testValues,
		"Taint":                             testTaint,
		"TaintOfOtherTimes":                 testTaintOfOtherTimes,
		"RawIsErased":                       testRawIsErased,
		"ErasedAnchors":                     testErasedAnchors,
		"FeedsAfterSnapshot":                testFeedsAfterSnapshot,
		"Identity":                          testIdentity,
	} {
		t.Run(name, func(t *testing.T) { test(t, place) })
	}
}

func open(t *testing.T, k keeper, l *indextest.Ledger) *index.Index {
	t.Helper()
	x, err := k.open(l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.Close() })
	return x
}

// do commits actions that must be well-formed and returns their outcome.
func do(t *testing.T, l *indextest.Ledger, by tx.Signer, actions ...*txv1.Action) *ledgerv1.Outcome {
	t.Helper()
	o, err := l.Do(actions, by)
	if err != nil || o == nil {
		t.Fatalf("outcome %v, error %v", o, err)
	}
	return o
}

// catchUp follows the ledger until everything committed is indexed.
func catchUp(t testing.TB, x *index.Index, src index.Source) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	until := &watched{Source: src, x: x, done: cancel}
	if err := x.Follow(ctx, until, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if x.Seq() != src.Size() {
		t.Fatalf("indexed %d of %d", x.Seq(), src.Size())
	}
}

// watched ends a Follow that has nothing left to do.
type watched struct {
	index.Source
	x    *index.Index
	done func()
}

func (w *watched) Advanced() <-chan struct{} {
	if w.x.Seq() == w.Size() {
		w.done()
	}
	return w.Source.Advanced()
}

// busy fills a ledger with some of everything.
func busy(t *testing.T, l *indextest.Ledger) {
	t.Helper()
	person := indextest.Person
	a1 := indextest.Address(person(1))
	do(t, l, person(0), indextest.Transfer(person(0), a1, "1500", "점심값 2인분"))
	do(t, l, person(0), indextest.Transfer(person(0), a1, "2500", "June rent"))
	do(t, l, person(0), indextest.Transfer(person(0), a1, "999999999999", "too much"))
	held := do(t, l, person(0), l.Hold(person(0), a1, indextest.Address(person(2)), "700"))
	do(t, l, person(0), l.Hold(person(0), a1, indextest.Address(person(2)), "800"))
	hold := held.GetEvents()[0].GetAssetHeld().GetHold()
	do(t, l, person(2), indextest.Release(person(2), hold, "300"))
	do(t, l, indextest.Member(1), indextest.Open(indextest.Member(1), person(90).Key()))
	do(t, l, indextest.Member(2), indextest.Create(indextest.Member(2), "points"))
	do(t, l, person(3), indextest.Record(person(3), "one", "임대차 계약서", "lease.pdf"))
	do(t, l, person(4), indextest.Record(person(4), "two", "Invoice 7", "invoice.pdf"))
	for i := range 20 {
		do(t, l, person(1), indextest.Transfer(person(1), indextest.Address(person([]int{0, 2, 3}[i%3])), "1", fmt.Sprintf("row %d", i)))
	}
}

func addr(a tx.Address) *tx.Address { return &a }

func list(t *testing.T, x *index.Index, f index.Filter) []uint64 {
	t.Helper()
	seqs, next, err := x.Transactions(t.Context(), f, index.Page{Size: index.MaxPage})
	if err != nil || next != "" {
		t.Fatalf("%+v: next %q, error %v", f, next, err)
	}
	return seqs
}

func testTransactionsAreFound(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	busy(t, l)
	x := open(t, place(t), l)
	catchUp(t, x, l)
	lease := sha256.Sum256([]byte("one"))
	at := func(seq uint64) int64 {
		e, err := l.Entries(seq, 1)
		if err != nil {
			t.Fatal(err)
		}
		return e[0].Outcome.GetTime()
	}
	a2 := indextest.Address(indextest.Person(2))
	for name, tc := range map[string]struct {
		filter index.Filter
		want   []uint64
	}{
		"account":           {index.Filter{Account: addr(indextest.Address(indextest.Person(90)))}, []uint64{6}},
		"account as party":  {index.Filter{Account: &a2, Until: at(10)}, []uint64{5, 4, 3}},
		"asset":             {index.Filter{Asset: "points"}, []uint64{7}},
		"failed":            {index.Filter{Status: ledgerv1.Status_STATUS_FAILED}, []uint64{2}},
		"ok of account":     {index.Filter{Account: &a2, Until: at(10), Status: ledgerv1.Status_STATUS_OK}, []uint64{5, 4, 3}},
		"ok":                {index.Filter{Status: ledgerv1.Status_STATUS_OK, Until: at(3)}, []uint64{1, 0}},
		"digest":            {index.Filter{Digest: &lease}, []uint64{8}},
		"time":              {index.Filter{Since: at(2), Until: at(4)}, []uint64{3, 2}},
		"after all":         {index.Filter{Since: at(29) + 1}, nil},
		"words":             {index.Filter{Text: "rent JUNE"}, []uint64{1}},
		"part of a word":    {index.Filter{Text: "voic"}, []uint64{9}},
		"Korean syllables":  {index.Filter{Text: "점심"}, []uint64{0}},
		"one syllable":      {index.Filter{Text: "값"}, []uint64{0}},
		"inside a word":     {index.Filter{Text: "대차"}, []uint64{8}},
		"text and account":  {index.Filter{Text: "row", Account: &a2, Since: at(28)}, []uint64{29}},
		"text and digest":   {index.Filter{Text: "계약", Digest: &lease}, []uint64{8}},
		"text and asset":    {index.Filter{Text: "rent", Asset: indextest.Asset}, []uint64{1}},
		"not there":         {index.Filter{Text: "저녁"}, nil},
		"no word":           {index.Filter{Text: `"* -`}, nil},
		"query language":    {index.Filter{Text: `rent" OR "row`}, nil},
		"reversed syllable": {index.Filter{Text: "심점"}, nil},
	} {
		if got := list(t, x, tc.filter); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

func testPagesAreStableWhileTheLedgerGrows(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	busy(t, l)
	x := open(t, place(t), l)
	catchUp(t, x, l)
	f := index.Filter{Asset: indextest.Asset}
	want := list(t, x, f)
	var got []uint64
	for token := ""; ; {
		seqs, next, err := x.Transactions(t.Context(), f, index.Page{Size: 7, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, seqs...)
		if token = next; token == "" {
			break
		}
		do(t, l, indextest.Person(0), indextest.Transfer(indextest.Person(0), indextest.Address(indextest.Person(1)), "1", ""))
		catchUp(t, x, l)
	}
	if !slices.Equal(got, want) {
		t.Errorf("paged %v, want %v", got, want)
	}
}

func testBadPagesAreRefused(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	busy(t, l)
	x := open(t, place(t), l)
	catchUp(t, x, l)
	_, next, err := x.Transactions(t.Context(), index.Filter{Asset: indextest.Asset}, index.Page{Size: 1})
	if err != nil || next == "" {
		t.Fatal(next, err)
	}
	for name, tc := range map[string]struct {
		page index.Page
		code string
	}{
		"of another list": {index.Page{Token: next}, "page.bad_token"},
		"not base64":      {index.Page{Token: "!"}, "page.bad_token"},
		"long":            {index.Page{Token: strings.Repeat("A", 4096)}, "page.bad_token"},
		"too many":        {index.Page{Size: 501}, "page.too_large"},
		"negative":        {index.Page{Size: -1}, "page.too_large"},
	} {
		if _, _, err := x.Transactions(t.Context(), index.Filter{}, tc.page); fault.Code(err) != tc.code {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := x.Assets(t.Context(), tc.page); fault.Code(err) != tc.code {
			t.Errorf("assets, %s: %v", name, err)
		}
	}
}

func testLists(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	busy(t, l)
	x := open(t, place(t), l)
	catchUp(t, x, l)
	ctx, person := t.Context(), func(i int) tx.Address { return indextest.Address(indextest.Person(i)) }

	accounts := paged(t, func(p index.Page) ([]tx.Address, string, error) { return x.Accounts(ctx, nil, p) })
	if len(accounts) != indextest.Accounts+len(indextest.Members)+1 || accounts[len(accounts)-1] != person(90) {
		t.Errorf("accounts %v", accounts)
	}
	sponsored := paged(t, func(p index.Page) ([]tx.Address, string, error) {
		return x.Accounts(ctx, addr(indextest.Address(indextest.Member(1))), p)
	})
	if want := []tx.Address{person(1), indextest.Address(indextest.Member(1)), person(90)}; !slices.Equal(sponsored, want) {
		t.Errorf("sponsored %v, want %v", sponsored, want)
	}
	assets := paged(t, func(p index.Page) ([]string, string, error) { return x.Assets(ctx, p) })
	if !slices.Equal(assets, []string{indextest.Asset, "points"}) {
		t.Errorf("assets %v", assets)
	}
	holders := paged(t, func(p index.Page) ([]tx.Address, string, error) { return x.HoldersOf(ctx, indextest.Asset, p) })
	if len(holders) != indextest.Accounts || !slices.IsSortedFunc(holders, func(a, b tx.Address) int { return slices.Compare(a[:], b[:]) }) {
		t.Errorf("holders %v", holders)
	}
	if of := paged(t, func(p index.Page) ([]string, string, error) { return x.AssetsOf(ctx, person(0), p) }); !slices.Equal(of, []string{indextest.Asset}) {
		t.Errorf("assets of an account %v", of)
	}
	for _, i := range []int{0, 1, 2} { // payer, payee, arbiter
		holds := paged(t, func(p index.Page) ([][]byte, string, error) { return x.Holds(ctx, person(i), p) })
		st, _, _ := l.State()
		if len(holds) != 1 {
			t.Fatalf("holds of %d: %x", i, holds)
		}
		if h, ok := index.ReadHold(st, [16]byte(holds[0])); !ok || h.GetAmount() != "800" {
			t.Errorf("hold %v", h)
		}
	}
	lease, invoice := sha256.Sum256([]byte("one")), sha256.Sum256([]byte("two"))
	for name, tc := range map[string]struct {
		filter index.RecordFilter
		want   [][32]byte
	}{
		"all":      {index.RecordFilter{}, [][32]byte{invoice, lease}},
		"recorder": {index.RecordFilter{Recorder: addr(person(3))}, [][32]byte{lease}},
		"name":     {index.RecordFilter{Name: "invoice.pdf"}, [][32]byte{invoice}},
		"title":    {index.RecordFilter{Title: "임대차 계약서"}, [][32]byte{lease}},
		"text":     {index.RecordFilter{Text: "pdf"}, [][32]byte{invoice, lease}},
		"both":     {index.RecordFilter{Text: "계약", Name: "invoice.pdf"}, nil},
	} {
		var got [][32]byte
		for _, k := range paged(t, func(p index.Page) ([]index.RecordKey, string, error) { return x.Records(ctx, tc.filter, p) }) {
			got = append(got, k.Digest)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("records by %s: %x", name, got)
		}
	}
}

// paged reads a list one row a page.
func paged[T any](t *testing.T, read func(index.Page) ([]T, string, error)) []T {
	t.Helper()
	var all []T
	for token := ""; ; {
		rows, next, err := read(index.Page{Size: 1, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, rows...); next == "" {
			return all
		}
		token = next
	}
}

func testSeqOf(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	busy(t, l)
	x := open(t, place(t), l)
	catchUp(t, x, l)
	entries, _ := l.Entries(0, 1000)
	for _, e := range entries {
		seq, ok, err := x.SeqOf(t.Context(), [32]byte(e.Outcome.GetId()))
		if err != nil || !ok || seq != e.Outcome.GetSeq() {
			t.Errorf("%x: %d %v %v", e.Outcome.GetId(), seq, ok, err)
		}
	}
	near := [32]byte(entries[0].Outcome.GetId())
	near[31]++
	if _, ok, err := x.SeqOf(t.Context(), near); ok || err != nil {
		t.Errorf("an id that differs in its last byte is found: %v %v", ok, err)
	}
}

func testRebuildGivesTheSame(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	busy(t, l)
	travelled(t, l)
	moved(t, l)
	k := place(t)
	x := open(t, k, l)
	catchUp(t, x, l)
	before := k.dump(t)
	if err := x.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x.Seq() != 0 || x.Height() != 0 {
		t.Errorf("after emptying: %d outcomes, height %d", x.Seq(), x.Height())
	}
	catchUp(t, x, l)
	if after := k.dump(t); after != before {
		t.Errorf("rebuilt differs:\n%s\nwas\n%s", after, before)
	}
	fresh := place(t)
	catchUp(t, open(t, fresh, l), l)
	if fresh.dump(t) != before {
		t.Error("a new index differs from the old")
	}
}

// failing breaks after some entries, as a full disk or a killed process does.
type failing struct {
	index.Source
	left int
}

var errBroken = errors.New("broken")

func (f *failing) Entries(from uint64, most int) ([]index.Entry, error) {
	if f.left == 0 {
		return nil, errBroken
	}
	e, err := f.Source.Entries(from, min(most, 4))
	f.left--
	if f.left == 0 && len(e) > 1 { // the step is left half done: the entry after these is not where it should be
		e[len(e)-1].Outcome = &ledgerv1.Outcome{Seq: 1 << 40, Id: make([]byte, 32)}
	}
	return e, err
}

func testKilledMidWayResumes(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	busy(t, l)
	whole, killed := place(t), place(t)
	catchUp(t, open(t, whole, l), l)
	for steps := 2; ; steps = 2 {
		x, err := killed.open(l)
		if err != nil {
			t.Fatal(err)
		}
		before := x.Seq()
		ctx, cancel := context.WithCancel(t.Context())
		err = x.Follow(ctx, &watched{Source: &failing{l, steps}, x: x, done: cancel}, slog.New(slog.DiscardHandler))
		cancel()
		if err == nil && x.Seq() < l.Size() {
			t.Fatal("a broken step was not reported")
		}
		if x.Seq()%4 != 0 && x.Seq() != l.Size() {
			t.Errorf("half a step is kept: %d", x.Seq())
		}
		after := x.Seq()
		// The file is left as a killed process leaves it: its log is not folded in.
		if err := x.Close(); err != nil {
			t.Fatal(err)
		}
		if after == before {
			break
		}
	}
	catchUp(t, open(t, killed, l), l)
	if killed.dump(t) != whole.dump(t) {
		t.Error("after resuming the contents differ")
	}
}

func testAnotherHistoryStartsAnew(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	busy(t, l)
	k := place(t)
	x := open(t, k, l)
	catchUp(t, x, l)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	other := newLedger(t) // the same genesis, another history
	do(t, other, indextest.Person(0), indextest.Transfer(indextest.Person(0), indextest.Address(indextest.Person(1)), "1", "other"))
	x = open(t, k, other)
	catchUp(t, x, other)
	if got := list(t, x, index.Filter{}); !slices.Equal(got, []uint64{0}) {
		t.Errorf("of the other ledger: %v", got)
	}
}

// What a failed transaction or a question names need not be what a database can hold or a table's key may be.
func testStrangeTextIsNoTrouble(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	p := indextest.Person(0)
	for _, s := range []string{"nul\x00nul", strings.Repeat("long ", 5000), strings.Repeat("각", 10000), "%_\\'\"", ""} {
		transfer := indextest.Transfer(p, indextest.Address(indextest.Person(1)), "1", s)
		transfer.GetAssetTransfer().Asset = s
		raw, err := l.Sign([]*txv1.Action{transfer}, p)
		if err != nil {
			continue // malformed for any ledger
		}
		l.Commit(raw)
	}
	x := open(t, place(t), l)
	catchUp(t, x, l)
	if l.Size() == 0 || len(list(t, x, index.Filter{})) != int(l.Size()) {
		t.Errorf("of %d: %v", l.Size(), list(t, x, index.Filter{}))
	}
	for _, s := range []string{"", "nul\x00", "\xff", "'", "\\", "%", `"a" OR b* NEAR(c) body:`, "& | ! <->", "각"} {
		anyText(t, x, l, s, s)
	}
	if got := list(t, x, index.Filter{Text: "각각각"}); len(got) != 1 {
		t.Errorf("long text: %v", got)
	}
}

func testFollowKeepsUp(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	x := open(t, place(t), l)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- x.Follow(ctx, l, slog.New(slog.DiscardHandler)) }()
	for i := range 20 {
		do(t, l, indextest.Person(0), indextest.Transfer(indextest.Person(0), indextest.Address(indextest.Person(1)), "1", fmt.Sprint(i)))
	}
	for deadline := time.Now().Add(20 * time.Second); x.Seq() != 20; {
		if time.Now().After(deadline) {
			t.Fatalf("indexed %d of 20", x.Seq())
		}
		if _, _, err := x.Transactions(t.Context(), index.Filter{}, index.Page{}); err != nil {
			t.Fatal(err)
		}
	}
	if x.Height() != 20 {
		t.Errorf("height %d", x.Height())
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
