package tx_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

const maxBytes = 64 << 10

// transferBody is a body with one transfer, from the first signer's account or from nobody in particular.
func transferBody(signers ...tx.Signer) *txv1.Body {
	var from tx.Address
	if len(signers) > 0 {
		from = signers[0].Key().Address()
	}
	return &txv1.Body{NotAfter: 1_760_000_000_000, Salt: 7, Actions: []*txv1.Action{{
		Actor: from[:],
		Call: &txv1.Action_AssetTransfer{AssetTransfer: &assetv1.Transfer{
			Asset: "krw", To: bytes.Repeat([]byte{0xab}, 20), Amount: "12500", Memo: "lunch",
		}},
	}}}
}

func mustSign(t testing.TB, body *txv1.Body, signers ...tx.Signer) []byte {
	t.Helper()
	raw, err := tx.Sign(txtest.NetworkID, body, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func mustDecode(t testing.TB, raw []byte) *tx.Tx {
	t.Helper()
	d, err := tx.Decode(txtest.NetworkID, raw, tx.MaxBytes)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestRoundTripOfEveryKind(t *testing.T) {
	for _, kind := range txtest.Kinds {
		t.Run(tx.KindName(kind), func(t *testing.T) {
			s := txtest.Signer(kind, 1)
			if err := tx.CheckKey(s.Key()); err != nil {
				t.Fatal(err)
			}
			body := transferBody(s)
			d := mustDecode(t, mustSign(t, body, s))
			if err := d.Verify(); err != nil {
				t.Fatal(err)
			}
			if err := d.CheckPolicy(tx.Rules{RPID: txtest.RPID, Origins: []string{txtest.Origin}}); err != nil {
				t.Fatal(err)
			}
			if keys := d.Keys(); len(keys) != 1 || !keys[0].Equal(s.Key()) {
				t.Fatalf("keys %v", keys)
			}
			if len(body.Network) != 0 {
				t.Fatal("Sign changed its argument")
			}
			if body.Network = d.Body.Network; !proto.Equal(body, d.Body) {
				t.Fatal("the body came back different")
			}
		})
	}
}

func TestEveryKindOnOneTransaction(t *testing.T) {
	body := transferBody()
	var raw []byte
	for i, kind := range txtest.Kinds {
		if i == 0 {
			raw = mustSign(t, body)
		}
		more, err := tx.AddWitness(txtest.NetworkID, raw, txtest.Signer(kind, 2))
		if err != nil {
			t.Fatal(err)
		}
		raw = more
	}
	d := mustDecode(t, raw)
	if err := d.Verify(); err != nil {
		t.Fatal(err)
	}
	if got := d.SignatureWork(); got != 1+5+6+3+6 {
		t.Fatalf("work %d", got)
	}
	if first := mustDecode(t, mustSign(t, body, txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 9))); first.ID != d.ID || first.Hash == d.Hash {
		t.Fatal("id must depend on the body alone, hash on the witnesses too")
	}
}

func unmarshal(t testing.TB, b []byte, m proto.Message) {
	t.Helper()
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
}
