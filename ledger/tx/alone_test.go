package tx_test

import (
	"crypto/sha256"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

func TestVerifyAlone(t *testing.T) {
	digest := sha256.Sum256([]byte("something else than a transaction"))
	rules := tx.Rules{RPID: txtest.RPID, Origins: []string{txtest.Origin}}
	for _, kind := range txtest.Kinds {
		signer := txtest.Signer(kind, 1)
		w, err := signer.Sign(digest)
		if err != nil {
			t.Fatal(err)
		}
		if key, err := tx.VerifyAlone(w, digest, rules); err != nil || !key.Equal(signer.Key()) {
			t.Errorf("%s: %v, %v", tx.KindName(kind), key, err)
		}
		if _, err := tx.VerifyAlone(w, sha256.Sum256([]byte("other")), rules); fault.Code(err) != "tx.bad_signature" {
			t.Errorf("%s, of another digest: %v", tx.KindName(kind), err)
		}
		want := ""
		if kind == accountv1.KeyKind_KEY_KIND_WEBAUTHN {
			want = "account.not_authorised"
		}
		if _, err := tx.VerifyAlone(w, digest, tx.Rules{}); fault.Code(err) != want {
			t.Errorf("%s, where passkeys do not count: %v", tx.KindName(kind), err)
		}
		w.Signature = w.Signature[1:]
		if _, err := tx.VerifyAlone(w, digest, rules); fault.Code(err) != "tx.malformed" {
			t.Errorf("%s, cut: %v", tx.KindName(kind), err)
		}
	}
	// Under a key of small order anyone signs anything.
	weak := &txv1.Witness{Kind: accountv1.KeyKind_KEY_KIND_ED25519, PublicKey: unhex(t, smallOrder[0]), Signature: append(unhex(t, smallOrder[0]), make([]byte, 32)...)}
	if _, err := tx.VerifyAlone(weak, digest, rules); fault.Code(err) != "key.malformed" {
		t.Errorf("a weak key: %v", err)
	}
	if _, err := tx.VerifyAlone(&txv1.Witness{}, digest, rules); fault.Code(err) != "tx.malformed" {
		t.Errorf("nothing: %v", err)
	}
}
