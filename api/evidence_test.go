package api

import (
	"testing"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Evidence stays in sight when its member has left, in an order that does not change.
func TestFormerValidators(t *testing.T) {
	left := tx.Address{7}
	deed := &networkv1.Misbehaviour{
		Kind: networkv1.MisbehaviourKind_MISBEHAVIOUR_KIND_DUPLICATE_VOTE, Height: 5, Time: 1_700_000_000_000, RecordedAt: 8,
	}
	for range 10 {
		shown := formerValidators(map[[20]byte]*networkv1.Evidence{
			{2}: {Count: 1, Latest: []*networkv1.Misbehaviour{deed}},
			{1}: {Member: left[:], Count: 20, Latest: []*networkv1.Misbehaviour{deed}},
		})
		if len(shown) != 2 || shown[0].GetValidator()[:2] != "01" || shown[0].GetMember() != left.String() || shown[0].GetMisbehaviourCount() != 20 ||
			shown[1].GetMember() != "" {
			t.Fatalf("shown %v", shown)
		}
		m := shown[0].GetMisbehaviours()[0]
		if m.GetKind() != "duplicate_vote" || m.GetHeight() != 5 || m.GetTime() != "2023-11-14T22:13:20.000Z" || m.GetRecordedAt() != 8 {
			t.Errorf("shown %v", m)
		}
	}
}
