package exec

import networkv1 "github.com/dureledger/dure/gen/dure/network/v1"

// Misbehaviour is a proof, checked by consensus, that a validator signed what it must not.
type Misbehaviour struct {
	// Validator names the key that signed: the first 20 bytes of its SHA-256.
	Validator [20]byte
	Kind      networkv1.MisbehaviourKind
	// Height is the block for which it signed twice; Time that block's, unix milliseconds.
	Height int64
	Time   int64
}

// misbehaviours puts the evidence of the block on the ledger before anything else, so that a member that the block
// removes is still known.
func (r *run) misbehaviours() {
	for _, m := range r.block.Misbehaviours {
		r.ledger.rules.Network.Misbehaved(r.view, m, r.block.Height)
	}
}
