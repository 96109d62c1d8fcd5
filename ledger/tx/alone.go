package tx

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// VerifyAlone checks a witness of a digest that is no transaction's: its form, its signature and, of a passkey, what the network
// asks of passkeys. It returns the key that signed; whether that may act for an account is in the state. Whoever takes
// such digests gives them a domain of their own. Codes tx.malformed, key.malformed,
// tx.bad_signature, account.not_authorised.
func VerifyAlone(w *txv1.Witness, digest [32]byte, r Rules) (Key, error) {
	if err := checkWitness(0, w); err != nil {
		return Key{}, err
	}
	if err := CheckKey(witnessKey(w)); err != nil {
		return Key{}, err
	}
	if why := verifyWitness(w, digest, noKeys{}); why != "" {
		return Key{}, fault.New("tx.bad_signature", "The signature ("+KindName(w.Kind)+") "+why+".", "kind", KindName(w.Kind))
	}
	if w.Kind == accountv1.KeyKind_KEY_KIND_WEBAUTHN {
		if err := r.check(0, w); err != nil {
			return Key{}, err
		}
	}
	return witnessKey(w), nil
}
