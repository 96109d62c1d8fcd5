package api_test

import (
	"strings"
	"testing"

	"connectrpc.com/connect"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/tx"
)

// An account is frozen, appeals, and is being recovered: the service, the history and the page say who, why and until when, in both languages.
func TestGuardedAccount(t *testing.T) {
	n := start(t)
	c := apiv1connect.NewAccountServiceClient(n.client, n.url)
	owner, guardian, next := indextest.Person(1), indextest.Person(2), indextest.Person(95)
	account, friend := indextest.Address(owner), indextest.Address(guardian)
	get := func() *apiv1.GetAccountResponse {
		t.Helper()
		res, err := c.GetAccount(t.Context(), connect.NewRequest(&apiv1.GetAccountRequest{Address: account.String()}))
		if err != nil {
			t.Fatal(err)
		}
		return res.Msg
	}
	sponsor := memberOf(t, get().GetAccount().GetSponsor())
	act := func(by tx.Signer, call *txv1.Action, more ...tx.Signer) {
		t.Helper()
		a := indextest.Address(by)
		call.Actor = a[:]
		o, err := n.Do([]*txv1.Action{call}, append(more, by)...)
		if err != nil || o.GetRefusal() != nil {
			t.Fatal(o, err)
		}
	}

	x := get()
	if x.GetAccount().GetFrozen() || len(x.GetFreezes()) != 0 || !x.GetRecovery().GetRules().GetSponsor() || x.GetRecovery().GetRules().GetWaitMs() != 72*3600_000 {
		t.Errorf("untouched: %v", x)
	}
	act(owner, &txv1.Action{Call: &txv1.Action_AccountSetRecovery{AccountSetRecovery: &accountv1.SetRecovery{Rules: &accountv1.RecoveryRules{
		Guardians: [][]byte{friend[:]}, Threshold: 1, WaitMs: 3600_000}}}}, sponsor)
	act(guardian, &txv1.Action{Call: &txv1.Action_AccountRecover{AccountRecover: &accountv1.Recover{
		Account: account[:], Kind: next.Key().Kind, PublicKey: next.Key().Public}}}, next)
	_, _, now := n.Ledger.State()
	act(sponsor, &txv1.Action{Call: &txv1.Action_AccountFreeze{AccountFreeze: &accountv1.Freeze{
		Account: account[:], Basis: accountv1.Basis_BASIS_COURT_ORDER, Digest: make([]byte, 32), Reason: "2026카합118", EndsAt: now + 30*24*3600_000}}})
	act(owner, &txv1.Action{Call: &txv1.Action_AccountAppeal{AccountAppeal: &accountv1.Appeal{Text: "제 계좌가 <b>아닙니다</b>"}}})
	n.indexed(t)

	x = get()
	f := x.GetFreezes()
	if !x.GetAccount().GetFrozen() || x.GetAccount().GetFreezeReason() != "2026카합118" || x.GetAccount().GetFrozenUntil() == "" || len(f) != 1 || !f[0].GetInForce() ||
		f[0].GetBasis() != "court_order" || f[0].GetDigest() != strings.Repeat("0", 64) || f[0].GetAppeal().GetText() != "제 계좌가 <b>아닙니다</b>" || f[0].GetAppeal().GetAnsweredAt() != "" {
		t.Errorf("frozen: %v", x)
	}
	q := x.GetRecovery().GetRequest()
	if q.GetKey() != indextest.Address(next).String() || q.GetBegunBy() != friend.String() || q.GetReadyAt() == "" || len(q.GetAgreed()) != 1 || q.GetBySponsor() {
		t.Errorf("recovery: %v", x.GetRecovery())
	}
	events, err := c.ListAccountEvents(t.Context(), connect.NewRequest(&apiv1.ListAccountEventsRequest{Address: account.String(), PageSize: 3}))
	if err != nil || len(events.Msg.GetEvents()) != 3 || events.Msg.GetNextPageToken() == "" || events.Msg.GetEvents()[0].GetEvent().GetName() != "account.appealed" ||
		events.Msg.GetEvents()[1].GetEvent().GetFields().GetFields()["basis"].GetStringValue() != "court_order" {
		t.Errorf("events: %v, %v", events, err)
	}
	if _, err := c.ListAccountEvents(t.Context(), connect.NewRequest(&apiv1.ListAccountEventsRequest{Address: "0x12"})); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("no address: %v", err)
	}
	n.showsAll(t, map[string][]string{
		"/account/" + account.String(): {"동결된 계정입니다", "법원의 명령", "2026카합118", "제 계좌가 &lt;b&gt;아닙니다", "답변을 기다리는 중",
			"복구가 진행 중입니다", q.GetKey(), "보호자 1 · 필요한 동의 1", "동결과 이의 기록", "계정의 변경 기록", "/record/" + strings.Repeat("0", 64)},
		"/account/" + account.String() + "?lang=en": {"This account is frozen", "Court order", "Lifts by itself", "Waits for an answer", "A recovery of this account", "Freezes and appeals"},
	})
	own, err := c.GetAccount(t.Context(), connect.NewRequest(&apiv1.GetAccountRequest{Address: x.GetAccount().GetSponsor()}))
	if err != nil || own.Msg.GetRecovery() != nil {
		t.Errorf("a member's own account: %v, %v", own, err)
	}
	if _, page := n.get(t, "/account/"+x.GetAccount().GetSponsor()); strings.Contains(page, "키 복구") {
		t.Error("the page of a member says who may recover its account")
	}
}

// memberOf is the signer of the member with an address.
func memberOf(t *testing.T, address string) tx.Signer {
	t.Helper()
	for i := range indextest.Members {
		if m := indextest.Member(i); indextest.Address(m).String() == address {
			return m
		}
	}
	t.Fatalf("%s is no member", address)
	return nil
}
