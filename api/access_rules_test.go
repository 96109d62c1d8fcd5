package api

import (
	"fmt"
	"testing"
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

func TestEveryProcedureHasARule(t *testing.T) {
	services := apiv1.File_dure_api_v1_api_proto.Services()
	n := 0
	for i := range services.Len() {
		for j := range services.Get(i).Methods().Len() {
			m := services.Get(i).Methods().Get(j)
			procedure := "/" + string(services.Get(i).FullName()) + "/" + string(m.Name())
			n++
			if _, ok := rules[procedure]; !ok {
				t.Errorf("%s has no rule: say in api/access_rules.go who may use it at a node that answers by account", procedure)
			}
		}
	}
	if n != len(rules) {
		t.Errorf("%d rules for %d procedures", len(rules), n)
	}
	if r := ruleFor("/dure.api.v1.NewService/New"); r.who != members {
		t.Error("a procedure without a rule is for others than members")
	}
}

func TestReplaysAreBounded(t *testing.T) {
	var r replays
	now := time.Unix(1_700_000_000, 0)
	one, other := tx.Address{1}, tx.Address{2}
	for i := range maxAccountProofs {
		if err := r.first(one, fmt.Sprint(i), now); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := r.first(one, "more", now); fault.Code(err) != "node.busy" {
		t.Errorf("beyond an account's share: %v", err)
	}
	if err := r.first(other, "1", now); err != nil {
		t.Errorf("another account with a jti that somebody used: %v", err)
	}
	if err := r.first(one, "1", now.Add(proofWindow)); fault.Code(err) != "access.proof_replayed" {
		t.Errorf("in the next window: %v", err)
	}
	if err := r.first(one, "1", now.Add(2*proofWindow)); err != nil {
		t.Errorf("when no proof of then is good any more: %v", err)
	}
	for a := range byte(maxProofs/maxAccountProofs + 1) {
		for i := range maxAccountProofs {
			if err := r.first(tx.Address{9, a}, fmt.Sprint(i), now.Add(4*proofWindow)); err != nil {
				if fault.Code(err) != "node.busy" || int(a) != maxProofs/maxAccountProofs {
					t.Fatal(a, i, err)
				}
				return
			}
		}
	}
	t.Error("any number of proofs is remembered")
}
