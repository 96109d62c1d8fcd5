package identity_test

import (
	"fmt"
	"strings"
	"testing"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/identity"
)

const day = 24 * 60 * 60 * 1000

// shops is a ledger on which seoul may attest of alice that she is a shop of 17 kinds.
func shops(t *testing.T) *moduletest.Ledger {
	t.Helper()
	var kinds []string
	for i := range identity.MaxFacts + 1 {
		kinds = append(kinds, fmt.Sprintf("k%d", i))
	}
	l, err := moduletest.Play("seoul account.open key=alice",
		"seoul identity.register_schema schema=shop title_ko=가게 title_en=Shop digest=d field=kind,fact,"+strings.Join(kinds, "|"),
		"seoul network.propose change.identity.give.schema=shop change.identity.give.holder=seoul change.identity.give.ends_at=+100d",
		"busan network.vote proposal=1", "jeju network.vote proposal=1")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func attest(l *moduletest.Ledger, value string, days int64) error {
	alice := moduletest.Address("alice")
	return moduletest.Do(l, "seoul", &txv1.Action_IdentityAttest{IdentityAttest: &identityv1.Attest{
		Account: alice[:], Schema: "shop", Value: value, EndsAt: l.Now + days*day}}).Err
}

// An account has 16 facts of a schema; one more finds room only where one does not hold any more.
func TestFactsAreBounded(t *testing.T) {
	l := shops(t)
	for i := range identity.MaxFacts {
		if err := attest(l, fmt.Sprintf("k%d", i), 10-int64(i%2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := attest(l, "k16", 10); fault.Code(err) != "identity.too_many_facts" {
		t.Fatalf("one more than can be kept: %v", err)
	}
	if err := attest(l, "k3", 20); err != nil { // one that there is
		t.Fatal(err)
	}
	l.Now += 9 * day
	if err := attest(l, "k16", 10); err != nil {
		t.Fatal(err)
	}
	m, alice := all.Identity(), moduletest.Address("alice")
	for value, want := range map[string]bool{"k0": true, "k1": false, "k2": true, "k3": true, "k16": true, "": true} {
		if got := m.Has(l.View, alice, "shop", value, l.Now); got != want {
			t.Errorf("has %q: %t", value, got)
		}
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
}

// Asking for a fact costs no more than looking at all that can be kept, each with a chain of rights as long as can be.
func TestAskingIsBounded(t *testing.T) {
	l := shops(t)
	for i := range identity.MaxFacts {
		if err := attest(l, fmt.Sprintf("k%d", i), 10); err != nil {
			t.Fatal(err)
		}
	}
	before := l.View.Work()
	all.Identity().Has(l.View, moduletest.Address("alice"), "shop", "k99", l.Now)
	if work := l.View.Work() - before; work > 5000 {
		t.Errorf("%d units of work", work)
	}
}

// One action sets as many entries as one transaction may work for, wherever they are.
func TestManyEntriesAtOnce(t *testing.T) {
	l := moduletest.New()
	open := &identityv1.OpenList{List: 1, Bits: 1, Size: 8 * statuslist.MaxBytes}
	if err := moduletest.Do(l, "seoul", &txv1.Action_IdentityOpenList{IdentityOpenList: open}).Err; err != nil {
		t.Fatal(err)
	}
	set := func(n uint32) error {
		var indexes []uint32
		for i := range n {
			indexes = append(indexes, i*(open.GetSize()/n))
		}
		return moduletest.Do(l, "seoul", &txv1.Action_IdentitySetStatus{IdentitySetStatus: &identityv1.SetStatus{
			List: 1, Status: 1, Indexes: statuslist.AppendIndexes(nil, indexes...)}}).Err
	}
	before := l.View.Work()
	if err := set(identity.MaxIndexes); err != nil {
		t.Fatal(err)
	}
	if work := l.View.Work() - before; work > 100_000 {
		t.Errorf("%d units of work, of a million that a transaction may use", work)
	}
	if err := set(identity.MaxIndexes + 1); fault.Code(err) != "identity.bad_index" {
		t.Errorf("more than one action may set: %v", err)
	}
	_, entries, _ := identity.StatusList(l.View, moduletest.Address("seoul"), 1)
	n := 0
	list := statuslist.List{Bits: 1, Entries: entries}
	for i := range list.Len() {
		status, _ := list.Get(i)
		n += int(status)
	}
	if n != identity.MaxIndexes {
		t.Errorf("%d entries are set", n)
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
}

// A node takes nothing with text where a name or a choice belongs, so that no failed transaction keeps it.
func TestScreen(t *testing.T) {
	l, m := shops(t), all.Identity()
	for name, tc := range map[string]struct {
		call any
		want string
	}{
		"a fact":              {&txv1.Action_IdentityAttest{IdentityAttest: &identityv1.Attest{Schema: "shop", Value: "k1"}}, ""},
		"a number":            {&txv1.Action_IdentityAttest{IdentityAttest: &identityv1.Attest{Schema: "shop", Value: "010-1234-5678"}}, "identity.no_fact"},
		"a name":              {&txv1.Action_IdentityWithdraw{IdentityWithdraw: &identityv1.Withdraw{Schema: "shop", Value: "kim"}}, "identity.no_fact"},
		"a name for a schema": {&txv1.Action_IdentityRevoke{IdentityRevoke: &identityv1.Revoke{Schema: "김민지"}}, "identity.unknown_schema"},
		"a mail address":      {&txv1.Action_IdentityDescribe{IdentityDescribe: &identityv1.Describe{Contact: "kim@example.com"}}, "identity.bad_contact"},
		"a choice":            {&txv1.Action_IdentityRegisterSchema{IdentityRegisterSchema: &identityv1.RegisterSchema{Schema: "kim minji"}}, "identity.bad_schema"},
		"what has no text":    {&txv1.Action_IdentitySetStatus{IdentitySetStatus: &identityv1.SetStatus{}}, ""},
	} {
		got := ""
		if refusal := m.Screen(l.View, tc.call); refusal != nil {
			got = refusal.Code
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
