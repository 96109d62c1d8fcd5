package consensus

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/tx"
)

// givenKeys are the Ed25519 keys that a block gave to accounts: they will likely sign soon.
func givenKeys(b *exec.Block, r *exec.Result) (keys [][32]byte) {
	position, applied := uint32(0), r.Applied
	for _, batch := range b.Batches {
		if batch.Bad != nil {
			continue
		}
		for _, t := range batch.Txs {
			// Void transactions are not among the applied ones, which are in order.
			if len(applied) > 0 && applied[0].Outcome.GetPosition() == position {
				if applied[0].Outcome.GetStatus() == ledgerv1.Status_STATUS_OK {
					keys = appendKeys(keys, t)
				}
				applied = applied[1:]
			}
			position++
		}
	}
	return keys
}

func appendKeys(keys [][32]byte, t *tx.Tx) [][32]byte {
	for _, action := range t.Body.GetActions() {
		var given interface {
			GetKind() accountv1.KeyKind
			GetPublicKey() []byte
		}
		switch {
		case action.GetAccountOpen() != nil:
			given = action.GetAccountOpen()
		case action.GetAccountRotateKey() != nil:
			given = action.GetAccountRotateKey()
		default:
			continue
		}
		if given.GetKind() == accountv1.KeyKind_KEY_KIND_ED25519 && len(given.GetPublicKey()) == 32 {
			keys = append(keys, [32]byte(given.GetPublicKey()))
		}
	}
	return keys
}

// expect prepares for signatures by keys.
func (v *Verifier) expect(keys [][32]byte) {
	for i := range keys {
		tx.PrepareEd25519(&keys[i], v.keys)
	}
}
