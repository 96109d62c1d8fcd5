package all_test

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/modules/account"
	"github.com/dureledger/dure/modules/asset"
)

// ruledChain is a chain on which ana acts by the keys chair and cfo: both to spend, of krw at most 300 in a day; either for anything else.
func ruledChain(t *testing.T) *chain {
	t.Helper()
	c := newChain(t)
	rule := &accountv1.Rule{
		Keys:  []*accountv1.RuleKey{{Key: address("chair"), Weight: 1}, {Key: address("cfo"), Weight: 1}},
		Spend: 2, Manage: 2, Other: 2, Limits: []*accountv1.Limit{{Asset: "krw", PerWindow: "300"}},
	}
	set := action("ana", &txv1.Action_AccountSetRule{AccountSetRule: &accountv1.SetRule{Rule: rule}})
	if o := one(t, c.seal(c.sign(c.body(set), "ana", "chair", "cfo"))); o.GetStatus() != ledgerv1.Status_STATUS_OK {
		t.Fatal(o.GetRefusal())
	}
	return c
}

func proposal(actions ...*txv1.Action) *txv1.Action {
	p := &accountv1.Propose{ExpiresAt: moduletest.Start + 24*3600*1000}
	for _, a := range actions {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(a)
		if err != nil {
			panic(err)
		}
		p.Actions = append(p.Actions, raw)
	}
	return action("ana", &txv1.Action_AccountPropose{AccountPropose: p})
}

// Transactions of one block that together are over a limit: as many are done as it allows, the others fail.
func TestLimitIsRacedWithinABlock(t *testing.T) {
	c := ruledChain(t)
	var txs []*tx.Tx
	for range 8 {
		txs = append(txs, c.sign(c.body(transfer("ana", "ben", "krw", "100")), "chair", "cfo"))
	}
	r := c.seal(txs...)
	for i, applied := range r.Applied {
		want := ""
		if i >= 3 {
			want = "account.over_window_limit"
		}
		if got := applied.Outcome.GetRefusal().GetCode(); got != want {
			t.Errorf("transaction %d: %q, want %q", i, got, want)
		}
	}
	if left, _ := asset.Balance(c.ledger.Tree(), "krw", moduletest.Address("ana")); left.Dec() != "700" {
		t.Errorf("%s are left", left.Dec())
	}
}

// A transaction with too few signatures leaves nothing: the same one, with more, happens. Signatures are gathered off the ledger like that.
func TestTooFewKeysLeaveNothing(t *testing.T) {
	c := ruledChain(t)
	body := c.body(transfer("ana", "ben", "krw", "10"))
	body.Once = onceKey32("invoice")
	r := c.seal(c.sign(body, "cfo"))
	if len(r.Applied) != 0 || len(r.Voids) != 1 || r.Voids[0].Refusal.Code != "account.too_few_keys" {
		t.Fatalf("%v %v", r.Applied, r.Voids)
	}
	tree := c.ledger.Tree()
	if refusal := c.rules.Admit(tree, c.rules.Network.Parameters(tree), c.sign(body, "cfo")); refusal == nil || refusal.Code != "account.too_few_keys" {
		t.Errorf("admitted: %v", refusal)
	}
	if o := one(t, c.seal(c.sign(body, "cfo", "chair"))); o.GetStatus() != ledgerv1.Status_STATUS_OK {
		t.Error(o.GetRefusal())
	}
}

// One key may propose, but not use up a once key of the account, by which an invoice would never be paid.
func TestNobodyAloneBurnsOnceKeys(t *testing.T) {
	c := ruledChain(t)
	body := c.body(proposal(transfer("ana", "ben", "krw", "10")))
	body.Once = onceKey32("invoice")
	if r := c.seal(c.sign(body, "cfo")); len(r.Voids) != 1 || r.Voids[0].Refusal.Code != "account.too_few_keys" {
		t.Errorf("%v", r.Voids)
	}
	body.Once = nil
	if o := one(t, c.seal(c.sign(body, "cfo"))); o.GetStatus() != ledgerv1.Status_STATUS_OK {
		t.Error(o.GetRefusal())
	}
}

// A cautious institution: an Ed25519 and an ML-DSA-65 key must both sign, under the address that the first made.
func TestBothKindsOfKeySign(t *testing.T) {
	c := newChain(t)
	c.signers["post-quantum"] = txtest.Signer(accountv1.KeyKind_KEY_KIND_ML_DSA_65, 7)
	second := c.signers["post-quantum"].Key().Address()
	set := action("ana", &txv1.Action_AccountSetRule{AccountSetRule: &accountv1.SetRule{Rule: &accountv1.Rule{
		Keys: []*accountv1.RuleKey{{Key: address("ana"), Weight: 1}, {Key: second[:], Weight: 1}}, Spend: 2, Manage: 2, Other: 2,
	}}})
	if o := one(t, c.seal(c.sign(c.body(set), "ana", "post-quantum"))); o.GetRefusal() != nil {
		t.Fatal(o.GetRefusal())
	}
	rule, _ := account.GetRule(c.ledger.Tree(), moduletest.Address("ana"))
	if kind := rule.GetKeys()[1].GetKind(); kind != accountv1.KeyKind_KEY_KIND_ML_DSA_65 {
		t.Errorf("the second key is of kind %v", kind)
	}
	for _, signer := range []string{"ana", "post-quantum"} {
		if r := c.seal(c.sign(c.body(transfer("ana", "ben", "krw", "1")), signer)); len(r.Voids) != 1 || r.Voids[0].Refusal.Code != "account.too_few_keys" {
			t.Errorf("%s alone: %v", signer, r.Voids)
		}
	}
	if o := one(t, c.seal(c.sign(c.body(transfer("ana", "ben", "krw", "1")), "ana", "post-quantum"))); o.GetRefusal() != nil {
		t.Error(o.GetRefusal())
	}
}

// What a proposal does is undone and refused as it would be outside, and its events stand in the outcome.
func TestProposalRunsInItsApproval(t *testing.T) {
	c := ruledChain(t)
	approve := func(number uint64) *ledgerv1.Outcome {
		return one(t, c.seal(c.sign(c.body(action("ana", &txv1.Action_AccountApprove{AccountApprove: &accountv1.Approve{Proposal: number}})), "chair")))
	}
	one(t, c.seal(c.sign(c.body(proposal(transfer("ana", "ben", "krw", "10"), transfer("ana", "cho", "krw", "20"))), "cfo")))
	done := approve(1)
	var names []string
	for _, e := range done.GetEvents() {
		names = append(names, fmt.Sprintf("%T", e.GetKind()))
		if e.GetAction() != 0 {
			t.Errorf("event of action %d", e.GetAction())
		}
	}
	if got := fmt.Sprint(names); got != "[*ledgerv1.Event_AccountApproved *ledgerv1.Event_AssetMoved *ledgerv1.Event_AssetMoved *ledgerv1.Event_AccountProposalClosed]" {
		t.Error(got)
	}

	one(t, c.seal(c.sign(c.body(proposal(transfer("ana", "ben", "krw", "10"), transfer("ana", "cho", "krw", "20000"))), "cfo")))
	before, _ := asset.Balance(c.ledger.Tree(), "krw", moduletest.Address("ben"))
	postponed := approve(2)
	after, _ := asset.Balance(c.ledger.Tree(), "krw", moduletest.Address("ben"))
	if n := len(postponed.GetEvents()); n != 2 || postponed.GetEvents()[1].GetAccountPostponed().GetCode() != "account.over_window_limit" || before != after {
		t.Errorf("%v", postponed)
	}
}
