package consensus

import (
	"fmt"

	abci "github.com/cometbft/cometbft/abci/types"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/tx"
)

// misbehaviours are a block's evidence of validators that signed twice, for the ledger. CometBFT has checked it against
// the votes and the validators of its height; the same evidence is never in two blocks.
func (a *app) misbehaviours(tip *Tip, all []abci.Misbehavior) []exec.Misbehaviour {
	var out []exec.Misbehaviour
	for i := range all {
		m := &all[i]
		address, err := tx.ToAddress(m.Validator.Address)
		if err != nil {
			a.log.Error("evidence against a validator without an address is left out", "height", m.Height, "kind", m.Type)
			continue
		}
		a.metrics.signedTwice(tip, address[:])
		a.log.Error("a validator signed twice; the evidence is on the ledger, and the members may vote to remove it",
			"member", tip.validatorName(address[:]), "validator", fmt.Sprintf("%X", address[:]), "height", m.Height, "kind", m.Type)
		out = append(out, exec.Misbehaviour{
			Validator: address, Kind: misbehaviourKind(m.Type), Height: m.Height, Time: m.Time.UnixMilli(),
		})
	}
	return out
}

func misbehaviourKind(t abci.MisbehaviorType) networkv1.MisbehaviourKind {
	switch t {
	case abci.MisbehaviorType_DUPLICATE_VOTE:
		return networkv1.MisbehaviourKind_MISBEHAVIOUR_KIND_DUPLICATE_VOTE
	case abci.MisbehaviorType_LIGHT_CLIENT_ATTACK:
		return networkv1.MisbehaviourKind_MISBEHAVIOUR_KIND_LIGHT_CLIENT_ATTACK
	}
	return networkv1.MisbehaviourKind_MISBEHAVIOUR_KIND_UNSPECIFIED
}
