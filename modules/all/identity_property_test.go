package all_test

import (
	"pgregory.net/rapid"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/network"
)

// whoBooks says who may issue "shop" and what is attested, from events alone.
type whoBooks struct {
	since  map[string]int64 // organisations that were admitted and not dismissed
	gone   map[string]int64 // when an organisation was dismissed last
	rights map[string]bookedRight
	facts  map[bookedFact]bookedSpan
}

type bookedRight struct {
	giver             string
	since, ends, lost int64
	depth             uint32
}

type bookedFact struct{ account, issuer, value string }

type bookedSpan struct{ since, ends int64 }

// book writes an event into the books. Accounts are named by their bytes; no giver stands for the members.
func (b *whoBooks) book(e *ledgerv1.Event, w *world) {
	if b.rights == nil {
		*b = whoBooks{map[string]int64{}, map[string]int64{}, map[string]bookedRight{}, map[bookedFact]bookedSpan{}}
	}
	switch {
	case e.GetIdentityAdmitted() != nil:
		b.since[string(e.GetIdentityAdmitted().GetAccount())] = w.Now
	case e.GetIdentityDismissed() != nil:
		a := string(e.GetIdentityDismissed().GetAccount())
		b.gone[a] = w.Now
		delete(b.since, a)
	case e.GetIdentityRightGiven() != nil:
		g := e.GetIdentityRightGiven()
		r := bookedRight{giver: string(g.GetGiver()), since: w.Now, ends: g.GetEndsAt(), depth: g.GetDepth()}
		if old := b.rights[string(g.GetHolder())]; b.holds(w, string(g.GetHolder())) {
			r.since = old.since
		}
		b.rights[string(g.GetHolder())] = r
	case e.GetIdentityRightRevoked() != nil:
		holder := string(e.GetIdentityRightRevoked().GetHolder())
		r := b.rights[holder]
		r.lost = w.Now
		b.rights[holder] = r
	case e.GetIdentityAttested() != nil:
		a := e.GetIdentityAttested()
		f := bookedFact{string(a.GetAccount()), string(a.GetIssuer()), a.GetValue()}
		span := bookedSpan{w.Now, a.GetEndsAt()}
		if b.says(w, f) {
			span.since = b.facts[f].since
		}
		b.facts[f] = span
	case e.GetIdentityAttributeWithdrawn() != nil:
		a := e.GetIdentityAttributeWithdrawn()
		delete(b.facts, bookedFact{string(a.GetAccount()), string(a.GetIssuer()), a.GetValue()})
	}
}

// holds follows a right up to the members.
func (b *whoBooks) holds(w *world, holder string) bool {
	r, ok := b.rights[holder]
	if !ok || r.lost != 0 || w.Now >= r.ends || !b.organisation(w, holder, r.since) {
		return false
	}
	if r.giver == "" {
		return true
	}
	above, ok := b.rights[r.giver]
	return ok && above.since <= r.since && above.depth > r.depth && b.holds(w, r.giver)
}

// organisation says whether an account has been one since a time. Of a member only now counts, unless it was admitted or dismissed since.
func (b *whoBooks) organisation(w *world, a string, since int64) bool {
	admitted, is := b.since[a]
	if is && admitted > since || b.gone[a] > since {
		return false
	}
	return is || network.IsMember(w.View, tx.Address([]byte(a)))
}

func (b *whoBooks) says(w *world, f bookedFact) bool {
	span, ok := b.facts[f]
	return ok && w.Now < span.ends && b.holds(w, f.issuer) && b.rights[f.issuer].since <= span.since
}

// compareFacts finds that exactly what the books say holds.
func (w *world) compareFacts() {
	want := map[bookedFact]bool{}
	for f := range w.who.facts {
		if w.who.says(w, f) {
			want[bookedFact{account: f.account, value: f.value}] = true
			want[bookedFact{account: f.account}] = true
		}
	}
	w.held += len(want)
	for _, name := range people {
		for _, value := range []string{"", "food", "books"} {
			got := all.Identity().Has(w.View, moduletest.Address(name), "shop", value, w.Now)
			if got != want[bookedFact{account: string(address(name)), value: value}] {
				w.t.Fatalf("%s is shop %q: the ledger says %t, its events do not", name, value, got)
			}
		}
	}
}

func registerSchema(name string) any {
	return &txv1.Action_IdentityRegisterSchema{IdentityRegisterSchema: &identityv1.RegisterSchema{
		Schema: name, TitleKo: "가게", TitleEn: "Shop", Digest: make([]byte, 32),
		Fields: []*identityv1.Field{{Name: "kind", TitleKo: "업종", TitleEn: "Kind", Kind: identityv1.FieldKind_FIELD_KIND_CHOICE, Fact: true, Choices: []string{"food", "books"}}}}}
}

func giveRight(holder string, ends int64) any {
	return &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: &networkv1.Change{Kind: &networkv1.Change_Identity{Identity: &identityv1.Decision{
		Kind: &identityv1.Decision_Give{Give: &identityv1.Give{Schema: "shop", Holder: address(holder), EndsAt: ends, Depth: 3}}}}}}}
}

// soon is an end that a test may live to see.
func (w *world) soon() int64 { return w.Now + rapid.Int64Range(0, 2*3600*1000).Draw(w.t, "ends") }

func (w *world) reason() identityv1.Reason {
	return identityv1.Reason(rapid.Int32Range(1, 5).Draw(w.t, "reason"))
}

// decision is what members may vote for about identity.
func (w *world) decision() *identityv1.Decision {
	switch rapid.IntRange(0, 5).Draw(w.t, "decision") {
	case 0:
		return &identityv1.Decision{Kind: &identityv1.Decision_Admit{Admit: w.admission()}}
	case 1:
		return &identityv1.Decision{Kind: &identityv1.Decision_Dismiss{Dismiss: &identityv1.Dismiss{Account: w.somebody(), Reason: w.reason()}}}
	case 2:
		return &identityv1.Decision{Kind: &identityv1.Decision_Revoke{Revoke: &identityv1.Revoke{Schema: "shop", Holder: w.somebody(), Reason: w.reason()}}}
	}
	return &identityv1.Decision{Kind: &identityv1.Decision_Give{Give: &identityv1.Give{
		Schema: "shop", Holder: w.somebody(), EndsAt: w.soon(), Depth: rapid.Uint32Range(0, 3).Draw(w.t, "depth")}}}
}

func (w *world) admission() *identityv1.Admit {
	return &identityv1.Admit{Account: w.somebody(), Name: "Office", Kind: identityv1.Kind_KIND_PUBLIC_BODY}
}

func (w *world) identityCall() (string, any) {
	value := rapid.SampledFrom([]string{"food", "books"}).Draw(w.t, "value")
	switch rapid.IntRange(0, 12).Draw(w.t, "identity action") {
	case 0:
		return w.member(), &txv1.Action_IdentityAdmit{IdentityAdmit: w.admission()}
	case 1:
		if w.seldom("dismiss") {
			return w.member(), &txv1.Action_IdentityDismiss{IdentityDismiss: &identityv1.Dismiss{Account: w.somebody(), Reason: w.reason()}}
		}
		return w.person(), &txv1.Action_IdentityDescribe{IdentityDescribe: &identityv1.Describe{Contact: "https://office.example"}}
	case 2, 3:
		return w.issuer(), &txv1.Action_IdentityDelegate{IdentityDelegate: &identityv1.Delegate{
			Schema: "shop", Holder: w.somebody(), EndsAt: w.soon(), Depth: rapid.Uint32Range(0, 2).Draw(w.t, "depth")}}
	case 4:
		return w.issuer(), &txv1.Action_IdentityRevoke{IdentityRevoke: &identityv1.Revoke{Schema: "shop", Holder: w.somebody(), Reason: w.reason()}}
	case 5, 6, 7:
		return w.issuer(), &txv1.Action_IdentityAttest{IdentityAttest: &identityv1.Attest{Account: w.somebody(), Schema: "shop", Value: value, EndsAt: w.soon()}}
	case 8:
		return w.issuer(), &txv1.Action_IdentityWithdraw{IdentityWithdraw: &identityv1.Withdraw{Account: w.somebody(), Schema: "shop", Value: value, Reason: w.reason()}}
	case 9:
		list := &identityv1.OpenList{List: rapid.Uint32Range(1, 2).Draw(w.t, "list"), Bits: 2, Size: 8192}
		return w.member(), &txv1.Action_IdentityOpenList{IdentityOpenList: list}
	case 10:
		set := &identityv1.SetStatus{List: 1, Status: rapid.Uint32Range(0, 3).Draw(w.t, "status"),
			Indexes: statuslist.AppendIndexes(nil, rapid.Uint32Range(0, 4000).Draw(w.t, "first"), rapid.Uint32Range(4001, 8192).Draw(w.t, "second"))}
		return w.member(), &txv1.Action_IdentitySetStatus{IdentitySetStatus: set}
	}
	if rapid.Bool().Draw(w.t, "service") {
		return w.service()
	}
	if rapid.Bool().Draw(w.t, "agrees") {
		return w.person(), &txv1.Action_IdentityGiveConsent{IdentityGiveConsent: &identityv1.GiveConsent{Recipient: w.somebody(), Digest: w.digest(), EndsAt: w.soon()}}
	}
	return w.person(), &txv1.Action_IdentityWithdrawConsent{IdentityWithdrawConsent: &identityv1.WithdrawConsent{Recipient: w.somebody(), Digest: w.digest()}}
}

func (w *world) service() (string, any) {
	if w.seldom("remove") {
		return w.person(), &txv1.Action_IdentityRemoveService{IdentityRemoveService: &identityv1.RemoveService{Account: w.somebody(), Reason: w.reason()}}
	}
	return w.person(), &txv1.Action_IdentitySetService{IdentitySetService: &identityv1.SetService{Service: &identityv1.Service{
		NameKo: "가게", NameEn: "Shop", RedirectUris: []string{"https://shop.example/callback"}, MayAsk: []string{"phone"}, Pairwise: rapid.Bool().Draw(w.t, "pairwise")}}}
}

// issuer is mostly somebody who has or had the right.
func (w *world) issuer() string {
	var names []string
	for _, name := range people {
		if _, ok := w.who.rights[string(address(name))]; ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 || w.seldom("other issuer") {
		return w.person()
	}
	return rapid.SampledFrom(names).Draw(w.t, "issuer")
}
