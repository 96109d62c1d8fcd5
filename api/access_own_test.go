package api_test

import (
	"bufio"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

func asConnect(err error, e **connect.Error) bool { return errors.As(err, e) }

// act commits one action that must be ok.
func (n *node) act(t testing.TB, a *txv1.Action, signers ...tx.Signer) {
	t.Helper()
	o, err := n.Do([]*txv1.Action{a}, signers...)
	if err != nil || o.GetStatus() != ledgerv1.Status_STATUS_OK {
		t.Fatal(o, err)
	}
}

// newcomer is an account of a key of a kind.
func (n *node) newcomer(t testing.TB, kind accountv1.KeyKind) tx.Signer {
	t.Helper()
	signer := txtest.Signer(kind, 4000+uint64(kind))
	n.act(t, indextest.Open(indextest.Member(0), signer.Key()), indextest.Member(0))
	return signer
}

func (n *node) freeze(t testing.TB, who int) {
	t.Helper()
	account, sponsor := person(who), indextest.Member(who%len(indextest.Members))
	by := indextest.Address(sponsor)
	n.act(t, &txv1.Action{Actor: by[:], Call: &txv1.Action_AccountFreeze{AccountFreeze: &accountv1.Freeze{Account: account[:], Reason: "lost", Basis: accountv1.Basis_BASIS_OWNER_REQUEST, EndsAt: indextest.Start + 24*3_600_000}}}, sponsor)
}

func TestFrozenAccountsAndOldKeysReadNothing(t *testing.T) {
	n, clock := startClosed(t)
	id := n.pay(t, "1500", "")
	alice, bob := n.as(t, clock, person(0), indextest.Person(0)), n.as(t, clock, person(1), indextest.Person(1))
	streams := map[string]*connect.ServerStreamForClient[apiv1.WatchTransactionsResponse]{}
	for name, v := range map[string]*visitor{"alice": alice, "bob": bob} {
		s, err := v.ledger.WatchTransactions(t.Context(), connect.NewRequest(&apiv1.WatchTransactionsRequest{Cursor: "0"}))
		if err != nil || !s.Receive() {
			t.Fatal(name, err)
		}
		streams[name] = s
	}
	n.freeze(t, 0)
	account, next := person(1), txtest.Ed25519(5000)
	n.act(t, &txv1.Action{Actor: account[:], Call: &txv1.Action_AccountRotateKey{AccountRotateKey: &accountv1.RotateKey{
		Kind: next.Key().Kind, PublicKey: next.Key().Public}}}, indextest.Person(1), next)

	_, err := alice.transaction(id)
	refused(t, "frozen", err, "access.frozen")
	_, err = bob.transaction(id)
	refused(t, "by the old key", err, "access.key_not_acting")
	for name, code := range map[string]string{"alice": "access.frozen", "bob": "access.key_not_acting"} {
		s := streams[name]
		if s.Receive() {
			t.Errorf("%s is shown %v", name, s.Msg())
		}
		refused(t, name+"'s stream", s.Err(), code)
		_ = s.Close()
	}
	_, err = alice.login(n, person(0), indextest.Person(0), nil)
	refused(t, "a token for the frozen", err, "access.frozen")
	_, err = bob.login(n, person(1), indextest.Person(1), nil)
	refused(t, "a token by the old key", err, "access.key_not_acting")
	_, err = n.as(t, clock, person(1), next).transaction(id)
	refused(t, "by the new key", err, "")
}

func TestStreamsEndWithTheirToken(t *testing.T) {
	n, clock := startClosed(t)
	n.pay(t, "1500", "")
	alice := n.as(t, clock, person(0), indextest.Person(0))
	clock.move(5*time.Minute - 300*time.Millisecond) // what is left passes by the machine's clock
	s, err := alice.ledger.WatchTransactions(t.Context(), connect.NewRequest(&apiv1.WatchTransactionsRequest{Cursor: "0"}))
	if err != nil || !s.Receive() {
		t.Fatal(err, s.Err())
	}
	if s.Receive() {
		t.Error("shown more", s.Msg())
	}
	refused(t, "the stream", s.Err(), "access.stream_ended")
	_ = s.Close()
}

func TestWatchersSeeTheirOwn(t *testing.T) {
	n, clock := startClosed(t)
	n.act(t, indextest.Transfer(indextest.Person(2), person(3), "7", ""), indextest.Person(2))
	id := n.pay(t, "1500", "")
	alice := n.as(t, clock, person(0), indextest.Person(0))
	s, err := alice.ledger.WatchTransactions(t.Context(), connect.NewRequest(&apiv1.WatchTransactionsRequest{Cursor: "0"}))
	if err != nil || !s.Receive() || s.Msg().GetTransaction().GetId() != hex.EncodeToString(id[:]) {
		t.Error(err, s.Err(), s.Msg())
	}
	_ = s.Close()
	s, err = alice.ledger.WatchTransactions(t.Context(), connect.NewRequest(&apiv1.WatchTransactionsRequest{Cursor: "0", Account: person(2).String()}))
	if err != nil || s.Receive() {
		t.Error(err, s.Msg())
	}
	refused(t, "another's", s.Err(), "access.not_yours")
	_ = s.Close()
}

// What a reader asks for at each procedure, and what it is told.
func TestRulesOfEachProcedure(t *testing.T) {
	n, clock := startClosed(t)
	fleet, err := n.NewFleet()
	if err == nil {
		err = fleet.Report(800)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.act(t, n.Hold(indextest.Person(3), person(1), person(2), "700"), indextest.Person(3))
	n.act(t, indextest.Record(indextest.Person(3), "one", "계약서", "lease.pdf"), indextest.Person(3))
	n.act(t, indextest.Record(indextest.Person(4), "one", "계약서", "lease.pdf"), indextest.Person(4))
	owner, guardian := person(3), person(1)
	n.act(t, &txv1.Action{Actor: owner[:], Call: &txv1.Action_AccountSetRecovery{AccountSetRecovery: &accountv1.SetRecovery{Rules: &accountv1.RecoveryRules{
		Guardians: [][]byte{guardian[:]}, Threshold: 1, WaitMs: time.Hour.Milliseconds(),
	}}}}, indextest.Person(3), indextest.Member(3)) // with the sponsor, so that it holds at once
	n.indexed(t)
	maker, operator, payer, stranger := 0, 1, 3, 4
	car := fleet.Cars[0].Address.String()
	visitors := map[int]*visitor{}
	for _, i := range []int{maker, operator, payer, stranger} {
		visitors[i] = n.as(t, clock, person(i), indextest.Person(i))
	}
	hold := n.onlyHold(t, visitors[payer])
	digest := "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
	self := func(i int) string { return person(i).String() }
	no := "access.not_yours"
	for _, tc := range []struct {
		who             int
		procedure, body string
		code            string
		want, never     string
	}{
		{payer, "AccountService/GetAccount", `{"address":"` + self(payer) + `"}`, "", self(payer), ""},
		{payer, "AccountService/GetAccount", `{"address":"` + self(stranger) + `"}`, no, "", ""},
		{operator, "AccountService/GetAccount", `{"address":"` + self(payer) + `"}`, "", self(payer), ""},
		{stranger, "AccountService/GetAccount", `{"address":"` + self(payer) + `"}`, no, "", ""},
		{payer, "AccountService/GetAccount", `{"address":"0x1111111111111111111111111111111111111111"}`, no, "", ""},
		{payer, "AccountService/ListAccounts", `{}`, no, "", ""},
		{payer, "AssetService/GetAsset", `{"asset":"` + indextest.Asset + `"}`, "", "supply", ""},
		{payer, "AssetService/ListAssets", `{}`, "", indextest.Asset, ""},
		{payer, "AssetService/GetBalance", `{"asset":"` + indextest.Asset + `","account":"` + self(payer) + `"}`, "", "amount", ""},
		{payer, "AssetService/GetBalance", `{"asset":"` + indextest.Asset + `","account":"` + self(maker) + `"}`, no, "", ""},
		{payer, "AssetService/ListBalances", `{"account":"` + self(payer) + `"}`, "", "700", ""},
		{payer, "AssetService/ListBalances", `{"asset":"` + indextest.Asset + `"}`, no, "", ""},
		{stranger, "AssetService/GetHold", `{"hold":"` + hold + `"}`, no, "", ""},
		{operator, "AssetService/GetHold", `{"hold":"` + hold + `"}`, "", "700", ""},
		{operator, "AssetService/ListHolds", `{}`, "", hold, ""},
		{operator, "AssetService/ListHolds", `{"account":"` + self(payer) + `"}`, no, "", ""},
		{payer, "RecordService/GetRecords", `{"digest":"` + digest + `"}`, "", self(payer), self(stranger)},
		{maker, "RecordService/GetRecords", `{"digest":"` + digest + `"}`, no, "", ""},
		{maker, "RecordService/GetRecords", `{"digest":"` + strings.Repeat("0", 64) + `"}`, "", "", ""},
		{payer, "RecordService/ListRecords", `{}`, "", self(payer), self(stranger)},
		{payer, "RecordService/ListRecords", `{"recorder":"` + self(stranger) + `"}`, no, "", ""},
		{maker, "DeviceService/GetDevice", `{"device":"` + car + `"}`, "", car, ""},
		{stranger, "DeviceService/GetDevice", `{"device":"` + car + `"}`, no, "", ""},
		{maker, "DeviceService/ListDevices", `{"maker":"` + self(maker) + `","model":"car"}`, "", car, ""},
		{stranger, "DeviceService/ListDevices", `{"maker":"` + self(maker) + `","model":"car"}`, no, "", ""},
		{stranger, "DeviceService/GetModel", `{"maker":"` + self(maker) + `","model":"car"}`, "", "자동차", car},
		{maker, "DeviceService/Rely", `{"device":"` + car + `"}`, "", "level", ""},
		{stranger, "DeviceService/Rely", `{"device":"` + car + `"}`, no, "", ""},
		{operator, "StreamService/GetFeed", `{"feed":"` + indextest.Feed + `"}`, "", car, ""},
		{stranger, "StreamService/GetFeed", `{"feed":"` + indextest.Feed + `"}`, no, "", ""},
		{stranger, "StreamService/GetFeed", `{"feed":"no.such"}`, no, "", ""},
		{operator, "StreamService/ListFeeds", `{}`, "", indextest.Feed, ""},
		{stranger, "StreamService/ListFeeds", `{}`, "", "", indextest.Feed},
		{stranger, "StreamService/ListFeeds", `{"device":"` + car + `"}`, no, "", ""},
		{maker, "StreamService/ListFeeds", `{"device":"` + car + `"}`, "", indextest.Feed, ""},
		{operator, "StreamService/Value", `{"feed":"` + indextest.Feed + `"}`, "", "km/h", ""},
		{stranger, "StreamService/Value", `{"feed":"` + indextest.Feed + `"}`, no, "", ""},
		{operator, "StreamService/ListReadings", `{"feed":"` + indextest.Feed + `"}`, "", car, ""},
		{maker, "StreamService/ListReadings", `{"feed":"` + indextest.Feed + `"}`, no, "", ""},
		{maker, "StreamService/ListReadings", `{"feed":"` + indextest.Feed + `","device":"` + car + `"}`, "", car, fleet.Cars[1].Address.String()},
		{operator, "StreamService/GetReading", `{"device":"` + car + `","boot":1,"sequence":1}`, "", "80", ""},
		{stranger, "StreamService/GetReading", `{"device":"` + car + `","boot":1,"sequence":1}`, no, "", ""},
		{stranger, "StreamService/GetReading", `{"device":"` + car + `","boot":9,"sequence":9}`, no, "", ""},
		{operator, "StreamService/ListSettlements", `{"feed":"` + indextest.Feed + `"}`, "", "", ""},
		{stranger, "StreamService/ListSettlements", `{"feed":"` + indextest.Feed + `"}`, no, "", ""},
		{maker, "StreamService/Taint", `{"device":"` + car + `"}`, "", "", ""},
		{stranger, "StreamService/Taint", `{"device":"` + car + `"}`, no, "", ""},
		{stranger, "NetworkService/ListProposals", `{}`, "", "", ""},
		{stranger, "LedgerService/GetBlock", `{}`, no, "", ""},
		{stranger, "LedgerService/GetStateProof", `{"key":"QWE="}`, no, "", ""},
	} {
		status, body := visitors[tc.who].post(t, "/dure.api.v1."+tc.procedure, tc.body)
		switch {
		case tc.code == "" && status != http.StatusOK, tc.code != "" && (status != http.StatusForbidden || !strings.Contains(body, tc.code)):
			t.Errorf("person %d, %s %s: %d %s", tc.who, tc.procedure, tc.body, status, body)
		case !strings.Contains(body, tc.want), tc.never != "" && strings.Contains(body, tc.never):
			t.Errorf("person %d, %s %s is shown %s", tc.who, tc.procedure, tc.body, body)
		}
		if status, _ := n.as(t, clock, indextest.Address(indextest.Member(1)), indextest.Member(1)).post(t, "/dure.api.v1."+tc.procedure, tc.body); status == http.StatusForbidden {
			t.Errorf("a member is refused %s %s", tc.procedure, tc.body)
		}
	}
}

// post is a request as curl sends it, with the visitor's two headers.
func (v *visitor) post(t *testing.T, procedure, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.n.url+procedure, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	v.headers(procedure, r.Header)
	return v.n.answer(t, r)
}

func (n *node) onlyHold(t *testing.T, v *visitor) string {
	t.Helper()
	_, body := v.post(t, apiv1connect.AssetServiceListHoldsProcedure, `{}`)
	_, rest, _ := strings.Cut(body, `"hold":"`)
	hold, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatal(body)
	}
	return hold
}

// A device reads that its readings were anchored, and not what others' were in the same transaction.
func TestAnchorsShowADeviceNothingOfOthers(t *testing.T) {
	n, clock := startClosed(t)
	fleet, err := n.NewFleet()
	if err == nil {
		err = fleet.Report(800)
	}
	if err != nil {
		t.Fatal(err)
	}
	n.indexed(t)
	car, other := fleet.Cars[0], fleet.Cars[1].Address.String()
	v := n.as(t, clock, car.Address, car.Signer)
	_, body := v.post(t, apiv1connect.LedgerServiceListTransactionsProcedure, `{"pageSize":1}`)
	if !strings.Contains(body, "stream.reported") || !strings.Contains(body, car.Address.String()) || strings.Contains(body, other) || strings.Contains(body, `"arguments"`) {
		t.Errorf("shown %s", body)
	}
	newest, err := n.Entries(n.Size()-1, 1)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.transaction([32]byte(newest[0].Outcome.GetId()))
	if err != nil || len(got.GetRaw()) != 0 || got.GetTransaction().GetActions()[0].GetArguments() != nil {
		t.Errorf("shown %v, %v", got, err)
	}
	_, err = v.ledger.GetReceipt(t.Context(), connect.NewRequest(&apiv1.GetReceiptRequest{Id: hex.EncodeToString(newest[0].Outcome.GetId())}))
	refused(t, "the receipt", err, "access.not_yours")
}

func TestPagesOfAClosedNode(t *testing.T) {
	n, clock := startClosed(t)
	id := n.pay(t, "150000", "점심값")
	n.indexed(t)
	res, body := n.get(t, "/")
	if res.StatusCode != http.StatusOK || !strings.Contains(body, "한빛은행") || !strings.Contains(body, "공개되지 않습니다") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	for _, secret := range []string{hex.EncodeToString(id[:]), "점심값", person(0).String(), "/tx/", `href="/account`} {
		if strings.Contains(body, secret) {
			t.Errorf("the front page shows %s", secret)
		}
	}
	for _, path := range []string{"/tx/" + hex.EncodeToString(id[:]), "/tx/" + hex.EncodeToString(id[:]) + "/receipt", "/account/" + person(0).String(),
		"/block/1", "/search?q=" + person(0).String(), "/record/" + strings.Repeat("0", 64), "/feed/x", "/elsewhere?lang=en"} {
		res, body := n.get(t, path)
		if res.StatusCode != http.StatusForbidden || !strings.Contains(body, "--as alice") || strings.Contains(body, "점심값") {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	if _, body := n.get(t, "/elsewhere"); !strings.Contains(body, "계정으로 읽는 노드") {
		t.Errorf("not in English: %s", body)
	}
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json", "/static/dure.css", "/wallet/", "/wallet/wallet.js"} {
		if res, _ := n.get(t, path); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	if first := n.firstEvent(t); strings.Contains(first, "점심값") || strings.Contains(first, hex.EncodeToString(id[:])) {
		t.Errorf("the event stream tells %s", first)
	}
	if _, err := n.as(t, clock, person(0), indextest.Person(0)).transaction(id); err != nil {
		t.Error(err)
	}
}

func (n *node) answer(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	res, err := n.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// firstEvent is the first event that the front page gets.
func (n *node) firstEvent(t *testing.T) string {
	t.Helper()
	res, err := n.client.Get(n.url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return data
		}
	}
	t.Fatal("no event")
	return ""
}
