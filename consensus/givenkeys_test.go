package consensus

import (
	"bytes"
	"errors"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// opening is a transaction that gives keys to accounts.
func opening(keys ...tx.Key) *tx.Tx {
	body := &txv1.Body{}
	for i, k := range keys {
		action := &txv1.Action{Call: &txv1.Action_AccountOpen{AccountOpen: &accountv1.Open{Kind: k.Kind, PublicKey: k.Public}}}
		if i%2 == 1 {
			action.Call = &txv1.Action_AccountRotateKey{AccountRotateKey: &accountv1.RotateKey{Kind: k.Kind, PublicKey: k.Public}}
		}
		body.Actions = append(body.Actions, action)
	}
	return &tx.Tx{Body: body}
}

// The keys of good transactions, and those alone, are prepared before they sign.
func TestKeysThatABlockGivesArePrepared(t *testing.T) {
	key := func(n uint64) tx.Key { return txtest.Ed25519(n).Key() }
	transfer := &tx.Tx{Body: &txv1.Body{Actions: []*txv1.Action{{Call: &txv1.Action_AssetTransfer{}}}}}
	block := &exec.Block{Batches: []exec.Batch{
		{Txs: []*tx.Tx{opening(key(1)), opening(key(2)), transfer}}, // the first is void
		{Txs: []*tx.Tx{opening(key(3))}, Bad: errors.New("bad")},
		{Txs: []*tx.Tx{opening(key(4)), opening(key(5), key(6), txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, 7).Key())}}, // of these the first failed
	}}
	result := &exec.Result{}
	for i, status := range []ledgerv1.Status{ledgerv1.Status_STATUS_OK, ledgerv1.Status_STATUS_OK, ledgerv1.Status_STATUS_FAILED, ledgerv1.Status_STATUS_OK} {
		result.Applied = append(result.Applied, exec.Applied{Outcome: &ledgerv1.Outcome{Position: uint32(i + 1), Status: status}})
	}
	given := givenKeys(block, result)
	want := []tx.Key{key(2), key(5), key(6)}
	if len(given) != len(want) {
		t.Fatalf("%d keys are given, want %d", len(given), len(want))
	}
	v := NewVerifier(testNetwork)
	v.expect(given)
	for i, k := range want {
		if !bytes.Equal(given[i][:], k.Public) {
			t.Errorf("key %d is %x", i, given[i])
		}
		if v.keys.Ed25519(&given[i], 0) == [2]tx.X{} {
			t.Errorf("nothing is kept for key %d", i)
		}
	}
}
