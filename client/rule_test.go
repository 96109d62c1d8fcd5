package client_test

import (
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// What a draft does becomes a proposal of the same account, in order, in bytes that the ledger reads.
func TestAsProposal(t *testing.T) {
	clock := newClock()
	org, bob := txtest.Ed25519(1).Key().Address(), txtest.Ed25519(2).Key().Address()
	expires := clock.Now().Add(time.Hour)
	d := client.NewTransaction(txtest.NetworkID).Transfer(org, bob, "krw", "5").UnlockAccount(org).AsProposal("rent", expires)
	body, err := d.Body(clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	call := body.GetActions()[0].GetAccountPropose()
	if len(body.GetActions()) != 1 || call.GetReason() != "rent" || call.GetExpiresAt() != expires.UnixMilli() || len(call.GetActions()) != 2 {
		t.Fatalf("%v", body)
	}
	first, err := tx.DecodeAction(call.GetActions()[0])
	if err != nil || first.GetAssetTransfer().GetAmount() != "5" || tx.Address(first.GetActor()) != org {
		t.Errorf("%v %v", first, err)
	}
	if second, err := tx.DecodeAction(call.GetActions()[1]); err != nil || second.GetAccountUnlock() == nil {
		t.Errorf("%v %v", second, err)
	}
	if _, err := client.NewTransaction(txtest.NetworkID).AsProposal("nothing", expires).Body(clock.Now()); err == nil {
		t.Error("a proposal of nothing is made")
	}
}
