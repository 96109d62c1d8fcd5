package simnet_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// bad is one thing a client may get wrong and the code that says so.
type bad struct {
	name, code string
	raw        []byte
}

// Every kind of bad transaction is refused by a running network with a code of its own and a sentence for a person, and
// leaves the state as it was.
func TestBadInput(t *testing.T) {
	net := simnet.Start(t, 1)
	c := net.Client()
	network, err := c.Network(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	freeze(t, c, 3)
	first, err := draft(t, c).Transfer(simnet.Address(simnet.Person(0)), simnet.Address(simnet.Person(1)), "krw", "1").
		Once([32]byte{7}).Sign(time.Now(), simnet.Person(0))
	if err != nil {
		t.Fatal(err)
	}
	if o, err := c.Submit(simnet.Within(t), first); err != nil || client.Check(o) != nil {
		t.Fatal(o, err)
	}

	ledger := apiv1connect.NewLedgerServiceClient(http.DefaultClient, net.URL(0))
	before := state(t, c)
	for _, b := range badTransactions(t, network) {
		res, err := ledger.Submit(simnet.Within(t), connect.NewRequest(&apiv1.SubmitRequest{Transaction: b.raw}))
		if err != nil {
			t.Errorf("%s: %v", b.name, err)
			continue
		}
		code, message := res.Msg.GetResult().GetError().GetCode(), res.Msg.GetResult().GetError().GetMessage()
		if o := res.Msg.GetResult().GetOutcome(); o != nil {
			code, message = o.GetCode(), o.GetMessage()
			if o.GetStatus() != "failed" {
				t.Errorf("%s: outcome %s", b.name, o.GetStatus())
			}
		}
		if code != b.code || len(strings.Fields(message)) < 4 {
			t.Errorf("%s: code %q with %q, want %q", b.name, code, message, b.code)
		}
	}
	if after := state(t, c); after != before {
		t.Errorf("the state changed from %s to %s", before, after)
	}
}

func state(t *testing.T, c *client.Client) string {
	t.Helper()
	s, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.GetStateRoot()
}

func freeze(t *testing.T, c *client.Client, person int) {
	t.Helper()
	sponsor := simnet.Signer(0)
	o, err := c.Do(simnet.Within(t), draft(t, c).Freeze(simnet.Address(sponsor), simnet.Address(simnet.Person(person)), client.Freezing{
		Basis: accountv1.Basis_BASIS_OWNER_REQUEST, Until: time.Now().Add(time.Hour)}), sponsor)
	if err != nil || client.Check(o) != nil {
		t.Fatal(o, err)
	}
}

func badTransactions(t *testing.T, network string) []bad {
	short, err := genesis.Short(network)
	if err != nil {
		t.Fatal(err)
	}
	transfer := func(edit func(*txv1.Body), signers ...tx.Signer) []byte {
		from, to := simnet.Address(simnet.Person(0)), simnet.Address(simnet.Person(1))
		body := &txv1.Body{
			Network: short, NotAfter: time.Now().Add(time.Minute).UnixMilli(), Salt: 1,
			Actions: []*txv1.Action{{Actor: from[:], Call: &txv1.Action_AssetTransfer{
				AssetTransfer: &assetv1.Transfer{Asset: "krw", To: to[:], Amount: "1"},
			}}},
		}
		if edit != nil {
			edit(body)
		}
		if signers == nil {
			signers = []tx.Signer{simnet.Person(0)}
		}
		return assemble(t, network, body, signers...)
	}
	amount := func(s string) func(*txv1.Body) {
		return func(b *txv1.Body) { b.Actions[0].GetAssetTransfer().Amount = s }
	}
	actor := func(s tx.Signer) func(*txv1.Body) {
		a := simnet.Address(s)
		return func(b *txv1.Body) { b.Actions[0].Actor = a[:] }
	}
	stranger := txtest.Ed25519(77)
	issuer := simnet.Address(simnet.Signer(0))
	receiver := simnet.Address(simnet.Person(1))
	flipped := transfer(func(b *txv1.Body) { b.Salt = 2 })
	flipped[len(flipped)-1] ^= 1
	return []bad{
		{"empty", "tx.malformed", nil},
		{"noise", "tx.malformed", bytes.Repeat([]byte{0xff}, 40)},
		{"cut short", "tx.malformed", transfer(nil)[:50]},
		{"unknown field", "tx.unknown_field", append(transfer(nil), 0x7a, 1, 'x')},
		{"too large", "tx.too_large", bytes.Repeat([]byte{1}, tx.MaxBytes+1)},
		{"wrongly signed", "tx.bad_signature", flipped},
		{"another network", "tx.wrong_network", transfer(func(b *txv1.Body) { b.Network = make([]byte, 16) })},
		{"expired", "tx.expired", transfer(func(b *txv1.Body) { b.NotAfter = time.Now().Add(-time.Second).UnixMilli() })},
		{"too far ahead", "tx.too_far_ahead", transfer(func(b *txv1.Body) { b.NotAfter = time.Now().Add(time.Hour).UnixMilli() })},
		{"once for too long", "tx.too_far_ahead", transfer(func(b *txv1.Body) {
			b.Once, b.NotAfter = make([]byte, 32), time.Now().Add(31*24*time.Hour).UnixMilli()
		})},
		{"once used", "tx.once_used", transfer(func(b *txv1.Body) { b.Once = append([]byte{7}, make([]byte, 31)...) })},
		{"unknown actor", "account.unknown", transfer(actor(stranger), stranger)},
		{"another's account", "account.not_authorised", transfer(actor(simnet.Person(2)))},
		{"frozen account", "account.frozen", transfer(actor(simnet.Person(3)), simnet.Person(3))},
		{"the same witness twice", "tx.duplicate_witness", transfer(nil, simnet.Person(0), simnet.Person(0))},
		{"no action", "tx.no_action", transfer(func(b *txv1.Body) { b.Actions = nil })},
		{"ethereum", "tx.unsupported", ethereum(t)},
		{"overdraw", "asset.insufficient_balance", transfer(amount("1000001"))},
		{"more than there can be", "amount.too_large", transfer(amount("340282366920938463463374607431768211456"))},
		{"not a number", "amount.malformed", transfer(amount("1e3"))},
		{"overflow of the supply", "asset.overflow", transfer(func(b *txv1.Body) {
			b.Actions[0] = &txv1.Action{Actor: issuer[:], Call: &txv1.Action_AssetIssue{AssetIssue: &assetv1.Issue{
				Asset: "krw", To: receiver[:], Amount: "340282366920938463463374607431768211455"}}}
		}, simnet.Signer(0))},
		{"unknown asset", "asset.unknown", transfer(func(b *txv1.Body) { b.Actions[0].GetAssetTransfer().Asset = "usd" })},
		{"unknown receiver", "asset.unknown_receiver", transfer(func(b *txv1.Body) { b.Actions[0].GetAssetTransfer().To = make([]byte, 20) })},
	}
}

func ethereum(t *testing.T) []byte {
	t.Helper()
	raw, err := proto.Marshal(&txv1.Transaction{Kind: &txv1.Transaction_Ethereum{Ethereum: []byte{0xc0}}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// assemble signs a body as it is, however wrong.
func assemble(t *testing.T, network string, body *txv1.Body, signers ...tx.Signer) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	native := &txv1.Native{Body: b}
	for _, s := range signers {
		w, err := s.Sign(tx.Digest(network, b))
		if err != nil {
			t.Fatal(err)
		}
		native.Witnesses = append(native.Witnesses, w)
	}
	raw, err := proto.Marshal(&txv1.Transaction{Kind: &txv1.Transaction_Native{Native: native}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
