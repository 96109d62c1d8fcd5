package index_test

import (
	"slices"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/tx"
)

// moved opens an account, gives it another sponsor, and has that one freeze it until it answers an appeal.
func moved(t *testing.T, l *indextest.Ledger) {
	t.Helper()
	first, second, customer := indextest.Member(2), indextest.Member(1), indextest.Person(91)
	account, sponsor := indextest.Address(customer), indextest.Address(second)
	act := func(by tx.Signer, call *txv1.Action) *txv1.Action {
		a := indextest.Address(by)
		call.Actor = a[:]
		return call
	}
	commit := func(actions []*txv1.Action, by ...tx.Signer) {
		t.Helper()
		if o, err := l.Do(actions, by...); err != nil || o.GetRefusal() != nil {
			t.Fatalf("%v, %v", o, err)
		}
	}
	commit([]*txv1.Action{indextest.Open(first, customer.Key())}, first)
	commit([]*txv1.Action{act(customer, &txv1.Action{Call: &txv1.Action_AccountSetSponsor{
		AccountSetSponsor: &accountv1.SetSponsor{Sponsor: sponsor[:]}}})}, customer, second)
	_, _, now := l.State() // its time
	commit([]*txv1.Action{act(second, &txv1.Action{Call: &txv1.Action_AccountFreeze{AccountFreeze: &accountv1.Freeze{
		Account: account[:], Basis: accountv1.Basis_BASIS_OWNER_REQUEST, EndsAt: now + 3600_000}}})}, second)
	commit([]*txv1.Action{act(customer, &txv1.Action{Call: &txv1.Action_AccountAppeal{AccountAppeal: &accountv1.Appeal{Text: "전화를 찾았습니다"}}})}, customer)
	commit([]*txv1.Action{act(second, &txv1.Action{Call: &txv1.Action_AccountAnswer{AccountAnswer: &accountv1.AnswerAppeal{
		Account: account[:], Text: "found", Lift: true}}})}, second)
}

func testAccountEvents(t *testing.T, place func(*testing.T) keeper) {
	l := newLedger(t)
	moved(t, l)
	x := open(t, place(t), l)
	catchUp(t, x, l)
	account := indextest.Address(indextest.Person(91))
	var names []string
	for _, k := range paged(t, func(p index.Page) ([]index.EventKey, string, error) { return x.AccountEvents(t.Context(), account, p) }) {
		e, err := l.Entries(k.Seq, 1)
		if err != nil {
			t.Fatal(err)
		}
		m := e[0].Outcome.GetEvents()[k.Event].ProtoReflect()
		names = append(names, string(m.WhichOneof(m.Descriptor().Oneofs().ByName("kind")).Name()))
	}
	want := []string{"account_unfrozen", "account_appeal_answered", "account_appealed", "account_frozen", "account_sponsor_changed", "account_opened"}
	if !slices.Equal(names, want) {
		t.Errorf("events %v, want %v", names, want)
	}
	if none := paged(t, func(p index.Page) ([]index.EventKey, string, error) {
		return x.AccountEvents(t.Context(), tx.Address{1}, p)
	}); len(none) != 0 {
		t.Errorf("events of nobody: %v", none)
	}
	sponsored := paged(t, func(p index.Page) ([]tx.Address, string, error) {
		return x.Accounts(t.Context(), addr(indextest.Address(indextest.Member(2))), p)
	})
	if slices.Contains(sponsored, account) {
		t.Error("it is listed under the sponsor it has left")
	}
	if found := list(t, x, index.Filter{Text: "전화를"}); len(found) != 1 {
		t.Errorf("the appeal is found %d times", len(found))
	}
}
