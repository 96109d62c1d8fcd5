package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/dureledger/dure/api"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
)

// h2c is a client that speaks HTTP/2 without TLS, as gRPC does.
func h2c() *http.Client {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: &p}}
}

func TestEveryProtocol(t *testing.T) {
	n := start(t)
	id := n.pay(t, "1500", "점심값")
	two := h2c()
	defer two.CloseIdleConnections()
	for name, c := range map[string]apiv1connect.LedgerServiceClient{
		"connect, HTTP/1.1": n.ledger(),
		"connect, HTTP/2":   apiv1connect.NewLedgerServiceClient(two, n.url),
		"connect JSON":      n.ledger(connect.WithProtoJSON()),
		"gRPC":              apiv1connect.NewLedgerServiceClient(two, n.url, connect.WithGRPC()),
		"gRPC-Web":          n.ledger(connect.WithGRPCWeb()),
	} {
		res, err := c.GetTransaction(t.Context(), connect.NewRequest(&apiv1.GetTransactionRequest{Id: hex.EncodeToString(id[:])}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a := res.Msg.GetTransaction().GetActions()[0]
		if a.GetCall() != "asset.transfer" || a.GetArguments().GetFields()["memo"].GetStringValue() != "점심값" {
			t.Errorf("%s: %v", name, a)
		}
		_, err = c.GetTransaction(t.Context(), connect.NewRequest(&apiv1.GetTransactionRequest{Id: strings.Repeat("0", 64)}))
		if connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
		if e := detail(t, err); e.GetCode() != "tx.unknown" || e.GetFields()["id"] == "" || e.GetMessage() == "" {
			t.Errorf("%s: detail %v", name, e)
		}
		stream, err := c.WatchTransactions(t.Context(), connect.NewRequest(&apiv1.WatchTransactionsRequest{Cursor: "0"}))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !stream.Receive() || stream.Msg().GetTransaction().GetId() != hex.EncodeToString(id[:]) || stream.Msg().GetCursor() != "1" {
			t.Errorf("%s: streamed %v, %v", name, stream.Msg(), stream.Err())
		}
		_ = stream.Close()
	}
}

// detail is the dure.api.v1.Error in an error.
func detail(t *testing.T, err error) *apiv1.Error {
	t.Helper()
	var e *connect.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an answer: %v", err)
	}
	for _, d := range e.Details() {
		if v, err := d.Value(); err == nil {
			if out, ok := v.(*apiv1.Error); ok {
				return out
			}
		}
	}
	return nil
}

// post sends JSON as curl does.
func (n *node) post(t *testing.T, method, body string) (int, map[string]any) {
	t.Helper()
	res, err := n.client.Post(n.url+"/dure.api.v1."+method, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return res.StatusCode, out
}

func TestPlainJSON(t *testing.T) {
	n := start(t)
	n.pay(t, "1500", "")
	status, out := n.post(t, "AssetService/GetBalance", `{"asset":"`+indextest.Asset+`","account":"`+person(1).String()+`"}`)
	want := map[string]any{"account": person(1).String(), "amount": "100001500", "asset": indextest.Asset, "decimals": 2.0, "held": "0"}
	if got := out["balance"]; status != 200 || !equalJSON(got, want) {
		t.Errorf("%d %v", status, out)
	}
	status, out = n.post(t, "AccountService/GetAccount", `{"address":"0x00"}`)
	if status != 400 || out["code"] != "invalid_argument" {
		t.Errorf("%d %v", status, out)
	}
	debug := out["details"].([]any)[0].(map[string]any)["debug"].(map[string]any)
	if debug["code"] != "request.malformed" || debug["fields"].(map[string]any)["field"] != "address" {
		t.Errorf("JSON callers are told %v", debug)
	}
	if status, out = n.post(t, "AccountService/GetAccount", `{"address":`); status != 400 {
		t.Errorf("broken JSON: %d %v", status, out)
	}
}

func equalJSON(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

func TestSubmit(t *testing.T) {
	n := start(t)
	c := n.ledger()
	sign := func(amount string) []byte {
		raw, err := n.Sign([]*txv1.Action{indextest.Transfer(indextest.Person(0), person(1), amount, "")}, indextest.Person(0))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	good, poor, bad := sign("10"), sign("999999999999"), sign("1")
	bad[len(bad)-1] ^= 1
	res, err := c.SubmitMany(t.Context(), connect.NewRequest(&apiv1.SubmitManyRequest{Transactions: [][]byte{good, poor, bad, {0xff}}}))
	if err != nil {
		t.Fatal(err)
	}
	r := res.Msg.GetResults()
	if len(r) != 4 || r[0].GetOutcome().GetStatus() != "ok" || r[0].GetOutcome().GetEvents()[0].GetName() != "asset.moved" {
		t.Errorf("good: %v", r[0])
	}
	if o := r[1].GetOutcome(); o.GetStatus() != "failed" || o.GetCode() != "asset.insufficient_balance" || len(o.GetFields()) == 0 {
		t.Errorf("poor: %v", o)
	}
	if r[2].GetError().GetCode() != "tx.bad_signature" || r[3].GetError().GetCode() != "tx.malformed" || r[3].GetId() != "" {
		t.Errorf("bad: %v, %v", r[2], r[3])
	}
	one, err := c.Submit(t.Context(), connect.NewRequest(&apiv1.SubmitRequest{Transaction: sign("11"), Wait: apiv1.Wait_WAIT_NONE}))
	if err != nil || one.Msg.GetResult().GetOutcome() != nil || one.Msg.GetResult().GetError() != nil || len(one.Msg.GetResult().GetId()) != 64 || n.waited {
		t.Errorf("without waiting: %v, %v", one, err)
	}
	n.full = true
	one, err = c.Submit(t.Context(), connect.NewRequest(&apiv1.SubmitRequest{Transaction: sign("12")}))
	if e := one.Msg.GetResult().GetError(); err != nil || e.GetCode() != "pool.full" || !e.GetRetryable() || e.GetRetryAfterMs() != 250 {
		t.Errorf("full: %v, %v", e, err)
	}
}

func TestLimits(t *testing.T) {
	n := start(t)
	c := n.ledger()
	for name, tc := range map[string]struct {
		txs  [][]byte
		code connect.Code
	}{
		"none":          {nil, connect.CodeInvalidArgument},
		"too many":      {make([][]byte, api.MaxSubmit+1), connect.CodeInvalidArgument},
		"too large":     {[][]byte{make([]byte, api.MaxBody+1)}, connect.CodeResourceExhausted},
		"far too large": {[][]byte{make([]byte, 3*api.MaxBody)}, connect.CodeUnknown},
	} {
		_, err := c.SubmitMany(t.Context(), connect.NewRequest(&apiv1.SubmitManyRequest{Transactions: tc.txs}))
		if connect.CodeOf(err) != tc.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.SubmitMany(t.Context(), connect.NewRequest(&apiv1.SubmitManyRequest{Transactions: make([][]byte, api.MaxSubmit)})); err != nil {
		t.Errorf("as many as allowed: %v", err)
	}
}

func TestInternalErrorsAreNotTold(t *testing.T) {
	n := start(t)
	n.broken = errors.New("read /var/secret/segment-7: input/output error")
	_, err := n.ledger().GetTransaction(t.Context(), connect.NewRequest(&apiv1.GetTransactionRequest{Id: strings.Repeat("0", 64)}))
	if connect.CodeOf(err) != connect.CodeInternal || strings.Contains(err.Error(), "secret") || detail(t, err).GetCode() != "internal" {
		t.Errorf("told: %v", err)
	}
}

func TestReads(t *testing.T) {
	n := start(t)
	ctx := t.Context()
	id := n.pay(t, "1500", "월세 6월")
	n.pay(t, "2500", "")
	for _, a := range []*txv1.Action{
		indextest.Record(indextest.Person(3), "one", "계약서", "lease.pdf"),
		n.Hold(indextest.Person(3), person(1), person(2), "700"),
	} {
		if o, err := n.Do([]*txv1.Action{a}, indextest.Person(3)); err != nil || len(o.GetEvents()) == 0 {
			t.Fatal(o, err)
		}
	}
	n.indexed(t)
	list, err := n.ledger().ListTransactions(ctx, connect.NewRequest(&apiv1.ListTransactionsRequest{Text: "월세", Account: person(1).String()}))
	if err != nil || len(list.Msg.GetTransactions()) != 1 || list.Msg.GetTransactions()[0].GetId() != hex.EncodeToString(id[:]) || list.Msg.GetIndexLag() != 0 {
		t.Errorf("list: %v, %v", list, err)
	}
	block, err := n.ledger().GetBlock(ctx, connect.NewRequest(&apiv1.GetBlockRequest{Height: 1}))
	if err != nil || len(block.Msg.GetTransactions()) != 1 || block.Msg.GetTime() != "2026-01-01T00:00:01.000Z" {
		t.Errorf("block: %v, %v", block, err)
	}
	if _, err = n.ledger().GetBlock(ctx, connect.NewRequest(&apiv1.GetBlockRequest{Height: 999})); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("no block: %v", err)
	}
	status, err := n.ledger().GetStatus(ctx, connect.NewRequest(&apiv1.GetStatusRequest{}))
	if err != nil || status.Msg.GetIndexHeight() != 4 || status.Msg.GetHeight() != 4 || status.Msg.GetFinalityMs() != 412 {
		t.Errorf("status: %v, %v", status, err)
	}
	receipt, err := n.ledger().GetReceipt(ctx, connect.NewRequest(&apiv1.GetReceiptRequest{Id: hex.EncodeToString(id[:])}))
	if err != nil || !bytes.HasSuffix(receipt.Msg.GetReceipt(), id[:]) {
		t.Errorf("receipt: %v, %v", receipt, err)
	}
	proof, err := n.ledger().GetStateProof(ctx, connect.NewRequest(&apiv1.GetStateProofRequest{Key: []byte("nothing here")}))
	if err != nil || proof.Msg.GetExists() || len(proof.Msg.GetProof()) == 0 {
		t.Errorf("proof: %v, %v", proof, err)
	}

	assets := apiv1connect.NewAssetServiceClient(n.client, n.url)
	holders, err := assets.ListBalances(ctx, connect.NewRequest(&apiv1.ListBalancesRequest{Asset: indextest.Asset}))
	if err != nil || len(holders.Msg.GetBalances()) != indextest.Accounts {
		t.Errorf("holders: %v, %v", holders, err)
	}
	mine, err := assets.ListBalances(ctx, connect.NewRequest(&apiv1.ListBalancesRequest{Account: person(3).String()}))
	if err != nil || len(mine.Msg.GetBalances()) != 1 || mine.Msg.GetBalances()[0].GetHeld() != "700" {
		t.Errorf("balances: %v, %v", mine, err)
	}
	holds, err := assets.ListHolds(ctx, connect.NewRequest(&apiv1.ListHoldsRequest{Account: person(2).String()}))
	if err != nil || len(holds.Msg.GetHolds()) != 1 || holds.Msg.GetHolds()[0].GetArbiter() != person(2).String() {
		t.Fatalf("holds: %v, %v", holds, err)
	}
	hold, err := assets.GetHold(ctx, connect.NewRequest(&apiv1.GetHoldRequest{Hold: holds.Msg.GetHolds()[0].GetHold()}))
	if err != nil || hold.Msg.GetHold().GetAmount() != "700" {
		t.Errorf("hold: %v, %v", hold, err)
	}
	asset, err := assets.GetAsset(ctx, connect.NewRequest(&apiv1.GetAssetRequest{Asset: indextest.Asset}))
	if err != nil || asset.Msg.GetAsset().GetSupply() != "500000000" {
		t.Errorf("asset: %v, %v", asset, err)
	}
	_, err = assets.GetBalance(ctx, connect.NewRequest(&apiv1.GetBalanceRequest{Asset: indextest.Asset, Account: person(0).String(), Height: 77}))
	if connect.CodeOf(err) != connect.CodeOutOfRange || detail(t, err).GetCode() != "state.pruned" {
		t.Errorf("old height: %v", err)
	}

	digest := sha256.Sum256([]byte("one"))
	records := apiv1connect.NewRecordServiceClient(n.client, n.url)
	found, err := records.GetRecords(ctx, connect.NewRequest(&apiv1.GetRecordsRequest{Digest: hex.EncodeToString(digest[:])}))
	if err != nil || len(found.Msg.GetRecords()) != 1 || found.Msg.GetRecords()[0].GetState() != "active" || found.Msg.GetRecords()[0].GetTitle() != "계약서" {
		t.Errorf("records: %v, %v", found, err)
	}
	named, err := records.ListRecords(ctx, connect.NewRequest(&apiv1.ListRecordsRequest{Name: "lease.pdf"}))
	if err != nil || len(named.Msg.GetRecords()) != 1 {
		t.Errorf("records by name: %v, %v", named, err)
	}
	accounts := apiv1connect.NewAccountServiceClient(n.client, n.url)
	sponsored, err := accounts.ListAccounts(ctx, connect.NewRequest(&apiv1.ListAccountsRequest{Sponsor: indextest.Address(indextest.Member(0)).String(), PageSize: 1}))
	if err != nil || len(sponsored.Msg.GetAccounts()) != 1 || sponsored.Msg.GetNextPageToken() == "" || sponsored.Msg.GetAccounts()[0].GetKeyKind() != "ed25519" {
		t.Errorf("accounts: %v, %v", sponsored, err)
	}
	network, err := apiv1connect.NewNetworkServiceClient(n.client, n.url).GetNetwork(ctx, connect.NewRequest(&apiv1.GetNetworkRequest{}))
	if err != nil || len(network.Msg.GetMembers()) != 4 || !bytes.Equal(network.Msg.GetGenesis(), n.Genesis().File) {
		t.Errorf("network: %v, %v", network, err)
	}
	if network.Msg.GetParameters().GetFields()["window_ms"].GetNumberValue() != 120_000 {
		t.Errorf("parameters: %v", network.Msg.GetParameters())
	}
}

func FuzzRequest(f *testing.F) {
	n := start(f)
	n.pay(f, "1500", "memo")
	n.indexed(f)
	f.Add("", "", "", "", "", "")
	f.Add(person(0).String(), "krw.test", "2026-01-01T00:00:00Z", strings.Repeat("a", 64), "memo", "1")
	f.Add("0xzz", "\x00", "yesterday", "0x", "\" OR *", "18446744073709551615")
	c := n.ledger()
	f.Fuzz(func(t *testing.T, account, asset, when, id, text, cursor string) {
		for _, s := range []*string{&account, &asset, &when, &id, &text, &cursor} {
			*s = strings.ToValidUTF8(*s, "?")
		}
		_, err := c.ListTransactions(t.Context(), connect.NewRequest(&apiv1.ListTransactionsRequest{
			Account: account, Asset: asset, Since: when, Until: when, Digest: id, Text: text, PageToken: cursor,
		}))
		mustBeClean(t, err)
		_, err = c.GetTransaction(t.Context(), connect.NewRequest(&apiv1.GetTransactionRequest{Id: id}))
		mustBeClean(t, err)
		_, err = apiv1connect.NewAssetServiceClient(n.client, n.url).GetBalance(t.Context(), connect.NewRequest(&apiv1.GetBalanceRequest{Account: account, Asset: asset}))
		mustBeClean(t, err)
	})
}

// mustBeClean fails on what is neither an answer nor a refusal with a code.
func mustBeClean(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	switch connect.CodeOf(err) {
	case connect.CodeInvalidArgument, connect.CodeNotFound:
	default:
		t.Errorf("answered %v", err)
	}
}
