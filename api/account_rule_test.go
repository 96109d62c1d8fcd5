package api_test

import (
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/tx"
)

// An account with a rule: what the API and the page say of it, its limits and its proposals, and that the index finds what a proposal did.
func TestRule(t *testing.T) {
	n := start(t)
	org, second := indextest.Person(0), indextest.Person(1)
	me, other := person(0), person(1)
	do := func(call *txv1.Action, signers ...tx.Signer) {
		t.Helper()
		call.Actor = me[:]
		if o, err := n.Do([]*txv1.Action{call}, signers...); err != nil || o.GetRefusal() != nil {
			t.Fatal(o, err)
		}
	}
	propose := func(actions ...*txv1.Action) {
		t.Helper()
		p := &accountv1.Propose{Reason: "임대료", ExpiresAt: 1767225600000 + 24*3600*1000}
		for _, a := range actions {
			raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			p.Actions = append(p.Actions, raw)
		}
		do(&txv1.Action{Call: &txv1.Action_AccountPropose{AccountPropose: p}}, org)
	}
	do(&txv1.Action{Call: &txv1.Action_AccountSetRule{AccountSetRule: &accountv1.SetRule{Rule: &accountv1.Rule{
		Keys:  []*accountv1.RuleKey{{Key: me[:], Weight: 2}, {Key: other[:], Weight: 1}},
		Spend: 3, Manage: 3, Other: 1, WaitMs: 3600 * 1000, Receivers: [][]byte{other[:]},
		Limits: []*accountv1.Limit{{Asset: indextest.Asset, PerWindow: "500000", PerTransaction: "300000", WaitOver: "250000"}},
	}}}}, org, second)
	do(indextest.Transfer(org, other, "100000", ""), org, second)
	propose(indextest.Transfer(org, other, "50000", "점심"))
	propose(indextest.Record(org, "deed", "등기", "deed.pdf")) // one key is enough: it happens at once

	accounts := apiv1connect.NewAccountServiceClient(n.client, n.url)
	found, err := accounts.GetAccount(t.Context(), connect.NewRequest(&apiv1.GetAccountRequest{Address: me.String()}))
	if err != nil {
		t.Fatal(err)
	}
	rule := found.Msg.GetAccount().GetRule()
	if found.Msg.GetAccount().GetKey() != "" || rule.GetSpend() != 3 || len(rule.GetKeys()) != 2 || rule.GetReceivers()[0] != other.String() {
		t.Errorf("%v", found.Msg)
	}
	if l := rule.GetLimits()[0]; l.GetSpent() != "100000" || l.GetLeft() != "400000" || l.GetWindowMs() != 24*3600*1000 {
		t.Errorf("%v", l)
	}
	list, err := accounts.ListAccountProposals(t.Context(), connect.NewRequest(&apiv1.ListAccountProposalsRequest{Address: me.String()}))
	if err != nil || len(list.Msg.GetProposals()) != 1 {
		t.Fatal(list, err)
	}
	p := list.Msg.GetProposals()[0]
	if p.GetNumber() != 1 || p.GetState() != "open" || p.GetWeight() != 2 || p.GetNeeded() != 3 || p.GetActions()[0].GetCall() != "asset.transfer" || p.GetApprovals()[0] != me.String() {
		t.Errorf("%v", p)
	}
	if _, err := accounts.ListAccountProposals(t.Context(), connect.NewRequest(&apiv1.ListAccountProposalsRequest{Address: "0x12"})); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("a bad address: %v", err)
	}

	do(&txv1.Action{Call: &txv1.Action_AccountLock{AccountLock: &accountv1.Lock{Reason: "분실"}}}, second)
	n.indexed(t)
	n.showsAll(t, map[string][]string{
		"/account/" + me.String():              {"여러 키의 규칙", "돈을 쓸 때", "1시간", "5,000.00", "4,000.00", "진행 중인 제안", "임대료", "승인 모으는 중", "500.00", "잠김", "분실"},
		"/account/" + me.String() + "?lang=en": {"Rule over keys", "Gathering approvals", "The account has locked itself"},
		"/search?q=%EB%93%B1%EA%B8%B0":         {"등기"}, // recorded by a proposal
	})
}
