package index_test

import (
	"context"
	"log/slog"
	"reflect"
	"testing"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/tx"
)

// issued is a ledger on which member 0 attests facts about persons, who agreed to something towards it.
func issued(t *testing.T) *indextest.Ledger {
	t.Helper()
	l := newLedger(t)
	member := indextest.Address(indextest.Member(0))
	end := int64(indextest.Start + 1000*3600*1000)
	act := func(by tx.Signer, actions ...*txv1.Action) {
		t.Helper()
		for _, a := range actions {
			address := indextest.Address(by)
			a.Actor = address[:]
		}
		if o := do(t, l, by, actions...); o.GetRefusal() != nil {
			t.Fatal(o.GetRefusal())
		}
	}
	for i, schema := range []string{"resident", "shop"} {
		act(indextest.Member(0), &txv1.Action{Call: &txv1.Action_IdentityRegisterSchema{IdentityRegisterSchema: &identityv1.RegisterSchema{
			Schema: schema, TitleKo: "양식", TitleEn: "Schema", Digest: make([]byte, 32), Fact: true,
			Fields: []*identityv1.Field{{Name: "kind", TitleKo: "업종", TitleEn: "Kind", Kind: identityv1.FieldKind_FIELD_KIND_CHOICE, Fact: true, Choices: []string{"food"}}}}}},
			&txv1.Action{Call: &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: &networkv1.Change{Kind: &networkv1.Change_Identity{
				Identity: &identityv1.Decision{Kind: &identityv1.Decision_Give{Give: &identityv1.Give{Schema: schema, Holder: member[:], EndsAt: end}}}}}}}})
		for voter := 1; voter < 3; voter++ {
			act(indextest.Member(voter), &txv1.Action{Call: &txv1.Action_NetworkVote{NetworkVote: &networkv1.Vote{Proposal: uint64(i + 1)}}})
		}
	}
	for i := range 3 {
		person := indextest.Address(indextest.Person(i))
		act(indextest.Member(0), &txv1.Action{Call: &txv1.Action_IdentityAttest{IdentityAttest: &identityv1.Attest{Account: person[:], Schema: "resident", EndsAt: end}}},
			&txv1.Action{Call: &txv1.Action_IdentityAttest{IdentityAttest: &identityv1.Attest{Account: person[:], Schema: "shop", Value: "food", EndsAt: end}}})
		act(indextest.Person(i), &txv1.Action{Call: &txv1.Action_IdentityGiveConsent{IdentityGiveConsent: &identityv1.GiveConsent{
			Recipient: member[:], Digest: append(make([]byte, 31), byte(i)), EndsAt: end}}})
	}
	return l
}

// identityOf is everything that the index lists about member 0, in pages of two.
func identityOf(t *testing.T, x *index.Index) []any {
	t.Helper()
	member := indextest.Address(indextest.Member(0))
	var all []any
	all = append(all, everyPage(t, func(p index.Page) ([]index.RightID, string, error) { return x.RightsOf(t.Context(), member, p) })...)
	all = append(all, everyPage(t, func(p index.Page) ([]index.FactID, string, error) { return x.FactsBy(t.Context(), member, p) })...)
	return append(all, everyPage(t, func(p index.Page) ([]index.ConsentID, string, error) { return x.ConsentsTo(t.Context(), member, p) })...)
}

func everyPage[T any](t *testing.T, list func(index.Page) ([]T, string, error)) (all []any) {
	t.Helper()
	for p := (index.Page{Size: 2}); ; {
		page, next, err := list(p)
		must(t, err)
		for _, item := range page {
			all = append(all, item)
		}
		if p.Token = next; next == "" {
			return all
		}
	}
}

// Rights, facts and consents are listed by holder, issuer and recipient, and in the same way by an index that began with a state.
func testIdentity(t *testing.T, place func(*testing.T) keeper) {
	l := issued(t)
	x := open(t, place(t), l)
	catchUp(t, x, l)
	followed := identityOf(t, x)
	member := indextest.Address(indextest.Member(0))
	if len(followed) != 2+6+3 {
		t.Fatalf("%v", followed)
	}
	if followed[0] != (index.RightID{Schema: "resident", Holder: member}) {
		t.Errorf("the first right is %v", followed[0])
	}
	st, _, now := l.State()
	if _, ok := index.ReadFact(st, followed[2].(index.FactID)); !ok {
		t.Errorf("%v is no fact", followed[2])
	}
	if _, ok := index.ReadConsent(st, followed[8].(index.ConsentID)); !ok {
		t.Errorf("%v is no consent", followed[8])
	}

	seeded := open(t, place(t), l)
	ctx, cancel := context.WithCancel(t.Context())
	src := &later{watched{l, seeded, cancel}, l.Size(), st, now + 1}
	do(t, l, indextest.Person(0), indextest.Transfer(indextest.Person(0), member, "1", ""))
	must(t, seeded.Follow(ctx, src, slog.New(slog.DiscardHandler)))
	if got := identityOf(t, seeded); !reflect.DeepEqual(got, followed) {
		t.Errorf("from a state: %v\nfrom the beginning: %v", got, followed)
	}
}
