package all_test

import (
	"math/big"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
)

// signers are the keys of the organisation's rules.
var signers = []string{"chair", "cfo", "clerk"}

// payment is money that has left the organisation, by the events alone.
type payment struct {
	at     int64
	to     string
	amount *big.Int
}

// office draws what the keys of an organisation try, and keeps what its account paid.
type office struct {
	*moduletest.Ledger
	t    *rapid.T
	paid []payment
	// proposals are the numbers used so far.
	proposals uint64
	done      int
}

// Whatever rule an organisation has, and however its keys pay, propose, approve, and change the rule: no transaction and no window sees more
// leave than the rule allows that stood, nothing goes to who may not receive, what has to wait has waited, and too few keys do nothing.
func TestRandomRules(t *testing.T) {
	tried, done := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		o := &office{Ledger: moduletest.New(), t: t}
		for _, name := range []string{"org", "bob", "carol"} {
			o.must("seoul", &txv1.Action_AccountOpen{AccountOpen: open(name)}, "seoul")
		}
		o.must("seoul", &txv1.Action_AssetCreate{AssetCreate: &assetv1.Create{Asset: "krw"}}, "seoul")
		o.must("seoul", &txv1.Action_AssetIssue{AssetIssue: &assetv1.Issue{Asset: "krw", To: address("org"), Amount: "100000"}}, "seoul")
		o.must("seoul", openFeed("speed", false), "seoul")
		o.must("org", &txv1.Action_AccountSetRule{AccountSetRule: &accountv1.SetRule{Rule: o.rule()}}, append(signers, "org")...)
		n := rapid.IntRange(10, 40).Draw(t, "transactions")
		for range n {
			o.step()
		}
		tried, done = tried+n, done+o.done
	})
	t.Logf("%d of %d transactions succeeded", done, tried)
	if done*6 < tried {
		t.Error("nearly everything is refused: the test says little about what is allowed")
	}
}

func (o *office) must(actor string, call any, keys ...string) {
	if r := o.Apply([]*txv1.Action{action(actor, call)}, keysOf(keys)...); r.Err != nil {
		o.t.Fatal(r.Err)
	}
}

func keysOf(names []string) (keys []tx.Key) {
	for _, name := range names {
		keys = append(keys, moduletest.Key(name))
	}
	return keys
}

func (o *office) pick(what string, from ...string) string {
	return rapid.SampledFrom(from).Draw(o.t, what)
}

// rule draws a rule that the ledger takes.
func (o *office) rule() *accountv1.Rule {
	r := &accountv1.Rule{}
	total := uint32(0)
	for _, name := range signers[:rapid.IntRange(1, 3).Draw(o.t, "keys")] {
		weight := rapid.Uint32Range(1, 2).Draw(o.t, "weight")
		r.Keys = append(r.Keys, &accountv1.RuleKey{Key: address(name), Weight: weight})
		total += weight
	}
	need := func(what string) uint32 { return rapid.Uint32Range(1, total).Draw(o.t, what) }
	r.Spend, r.Manage, r.Other = need("spend"), need("manage"), need("other")
	if rapid.Bool().Draw(o.t, "waits") {
		r.WaitMs, r.ManageWaits = 3600*1000, rapid.Bool().Draw(o.t, "manage waits")
	}
	l := &accountv1.Limit{
		Asset: "krw", PerTransaction: o.pick("per transaction", "", "100", "500"), PerWindow: o.pick("per window", "300", "1000"),
		WindowMs: rapid.SampledFrom([]int64{0, 3600 * 1000, 100_000}).Draw(o.t, "window"),
	}
	if r.GetWaitMs() > 0 {
		l.WaitOver = o.pick("wait over", "", "50")
	}
	r.Limits = []*accountv1.Limit{l}
	if rapid.IntRange(0, 3).Draw(o.t, "receivers") == 0 {
		r.Receivers = [][]byte{address("bob"), address("seoul")}
	}
	return r
}

// call draws something that an organisation does, besides proposals.
func (o *office) call() any {
	amount := o.pick("amount", "1", "40", "60", "120", "400")
	to := address(o.pick("to", "bob", "bob", "carol"))
	switch rapid.IntRange(0, 9).Draw(o.t, "call") {
	case 0:
		return &txv1.Action_AssetRedeem{AssetRedeem: &assetv1.Redeem{Asset: "krw", Amount: amount}}
	case 1:
		return &txv1.Action_AssetHold{AssetHold: &assetv1.Hold{Asset: "krw", Amount: amount, Payee: to, ExpiresAt: o.Now + 3600*1000}}
	case 2:
		return &txv1.Action_StreamFund{StreamFund: &streamv1.Fund{Feed: "speed", Amount: amount}}
	case 3:
		return &txv1.Action_AccountSetRule{AccountSetRule: &accountv1.SetRule{Rule: o.rule()}}
	case 4:
		return &txv1.Action_AccountUnlock{AccountUnlock: &accountv1.Unlock{}}
	}
	return &txv1.Action_AssetTransfer{AssetTransfer: &assetv1.Transfer{Asset: "krw", To: to, Amount: amount}}
}

// attempt draws an action of the organisation.
func (o *office) attempt() *txv1.Action {
	number := rapid.Uint64Range(1, max(1, o.proposals)).Draw(o.t, "proposal")
	switch rapid.IntRange(0, 9).Draw(o.t, "attempt") {
	case 0, 1:
		p := &accountv1.Propose{ExpiresAt: o.Now + 24*3600*1000}
		for range rapid.IntRange(1, 2).Draw(o.t, "proposed") {
			raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(action("org", o.call()))
			if err != nil {
				o.t.Fatal(err)
			}
			p.Actions = append(p.Actions, raw)
		}
		return action("org", &txv1.Action_AccountPropose{AccountPropose: p})
	case 2:
		return action("org", &txv1.Action_AccountApprove{AccountApprove: &accountv1.Approve{Proposal: number}})
	case 3:
		return action("org", &txv1.Action_AccountExecute{AccountExecute: &accountv1.Execute{Proposal: number}})
	case 4:
		switch rapid.IntRange(0, 3).Draw(o.t, "rare") {
		case 0:
			return action("org", &txv1.Action_AccountLock{AccountLock: &accountv1.Lock{}})
		case 1:
			return action("org", &txv1.Action_AccountWithdraw{AccountWithdraw: &accountv1.Withdraw{Proposal: number}})
		}
	}
	return action("org", o.call())
}

func (o *office) step() {
	o.Now += rapid.Int64Range(0, 40*60*1000).Draw(o.t, "pass")
	var actions []*txv1.Action
	for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(o.t, "actions") {
		actions = append(actions, o.attempt())
	}
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom(signers), 1, 3, rapid.ID[string]).Draw(o.t, "signers")
	before := o.View.Changes()
	rule, _ := account.GetRule(o.View, moduletest.Address("org"))
	state, _ := account.Get(o.View, moduletest.Address("org"))
	r := o.Apply(actions, keysOf(keys)...)
	if err := o.Check(); err != nil {
		o.t.Fatalf("%v\nafter %v", err, actions)
	}
	if r.Err != nil {
		if !moduletest.SameChanges(before, o.View.Changes()) {
			o.t.Fatalf("a refused transaction changed the state: %v", r.Err)
		}
		return
	}
	o.done++
	paid := o.payments(r.Events)
	o.judge(rule, state, keys, r.Events, paid)
	o.paid = append(o.paid, paid...)
	o.forget(rule)
}

// forget drops payments that an earlier rule did not count any more when a rule with a longer window came.
func (o *office) forget(before *accountv1.Rule) {
	after, _ := account.GetRule(o.View, moduletest.Address("org"))
	if window := before.GetLimits()[0].GetWindowMs(); after.GetLimits()[0].GetWindowMs() > window {
		o.paid = slices.DeleteFunc(o.paid, func(p payment) bool { return p.at <= o.Now-window })
	}
}

// payments are what left the organisation, and the proposals it made are counted.
func (o *office) payments(events []*ledgerv1.Event) (out []payment) {
	org := string(address("org"))
	for _, e := range events {
		p := payment{at: o.Now, amount: new(big.Int)}
		amount := ""
		switch {
		case e.GetAssetMoved() != nil && string(e.GetAssetMoved().GetFrom()) == org:
			amount, p.to = e.GetAssetMoved().GetAmount(), string(e.GetAssetMoved().GetTo())
			if p.to == "" {
				p.to = string(address("seoul")) // redeemed
			}
		case e.GetAssetHeld() != nil && string(e.GetAssetHeld().GetPayer()) == org:
			amount, p.to = e.GetAssetHeld().GetAmount(), string(e.GetAssetHeld().GetPayee())
		case e.GetStreamFunded() != nil && string(e.GetStreamFunded().GetBy()) == org:
			amount, p.to = e.GetStreamFunded().GetAmount(), string(address("seoul"))
		case e.GetAccountProposed() != nil:
			o.proposals = max(o.proposals, e.GetAccountProposed().GetProposal())
		}
		if amount != "" {
			p.amount.SetString(amount, 10)
			out = append(out, p)
		}
	}
	return out
}

// judge compares what was paid in a transaction with the rule before it. A transaction that changes the rule is left to the next.
func (o *office) judge(rule *accountv1.Rule, state *accountv1.Account, keys []string, events []*ledgerv1.Event, paid []payment) {
	done := false
	for _, e := range events {
		if e.GetAccountRuleSet() != nil || e.GetAccountUnlocked() != nil {
			return
		}
		done = done || e.GetAccountProposalClosed().GetDone()
	}
	if len(paid) == 0 {
		return
	}
	weight := uint32(0)
	for _, k := range rule.GetKeys() {
		if slices.ContainsFunc(keys, func(name string) bool { return string(address(name)) == string(k.GetKey()) }) {
			weight += k.GetWeight()
		}
	}
	limit, sum := rule.GetLimits()[0], total(paid)
	switch {
	case state.GetLockedAt() != 0:
		o.t.Fatal("a locked account has paid")
	case weight < rule.GetSpend() && !done:
		o.t.Fatalf("keys of weight %d have paid without a proposal; it takes %d", weight, rule.GetSpend())
	case exceeds(sum, limit.GetPerTransaction()):
		o.t.Fatalf("%s in one transaction under %v", sum, limit)
	case exceeds(sum, limit.GetWaitOver()) && !done:
		o.t.Fatalf("%s without having waited under %v", sum, limit)
	}
	window := new(big.Int).Set(sum)
	for _, p := range o.paid {
		if p.at > o.Now-limit.GetWindowMs() {
			window.Add(window, p.amount)
		}
	}
	if exceeds(window, limit.GetPerWindow()) {
		o.t.Fatalf("%s in the window of %v", window, limit)
	}
	for _, p := range paid {
		if len(rule.GetReceivers()) > 0 && !slices.ContainsFunc(rule.GetReceivers(), func(r []byte) bool { return string(r) == p.to }) {
			o.t.Fatalf("%x has received, who may not", p.to)
		}
	}
}

func total(paid []payment) *big.Int {
	sum := new(big.Int)
	for _, p := range paid {
		sum.Add(sum, p.amount)
	}
	return sum
}

func exceeds(amount *big.Int, limit string) bool {
	most, ok := new(big.Int).SetString(limit, 10)
	return ok && amount.Cmp(most) > 0
}
