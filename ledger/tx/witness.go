package tx

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// checkWitnesses checks count, kinds, lengths and that no key comes twice.
func checkWitnesses(ws []*txv1.Witness) error {
	if len(ws) > MaxWitnesses {
		return fault.New("tx.too_large", fmt.Sprintf("The transaction has %d witnesses; at most %d may sign. "+
			"Split it into several.", len(ws), MaxWitnesses), "witnesses", len(ws), "limit", MaxWitnesses)
	}
	for i, w := range ws {
		if err := checkWitness(i, w); err != nil {
			return err
		}
		for j := range i {
			if witnessKey(ws[j]).Equal(witnessKey(w)) {
				return fault.New("tx.duplicate_witness", fmt.Sprintf("Witnesses %d and %d have the same key. "+
					"Each key signs once: leave one out.", j, i), "witness", i, "kind", KindName(w.Kind))
			}
		}
	}
	return nil
}

// checkWitness checks the form of one witness: kind, and the length of every field.
func checkWitness(i int, w *txv1.Witness) error {
	if err := checkKeyForm(witnessKey(w)); err != nil {
		return fault.New("tx.malformed", fmt.Sprintf("Witness %d: %s", i, fault.As(err).Message),
			"witness", i, "kind", KindName(w.Kind))
	}
	if want := signatureSize(w.Kind); len(w.Signature) != want {
		return fault.New("tx.malformed", fmt.Sprintf("Witness %d: a %s signature is %d bytes, this one has %d. ECDSA signatures are "+
			"r and s of 32 bytes each, not DER.", i, KindName(w.Kind), want, len(w.Signature)),
			"witness", i, "kind", KindName(w.Kind), "bytes", len(w.Signature))
	}
	if w.Kind != accountv1.KeyKind_KEY_KIND_WEBAUTHN {
		if len(w.AuthenticatorData) != 0 || len(w.ClientDataJson) != 0 {
			return fault.New("tx.malformed", fmt.Sprintf("Witness %d: only a WebAuthn witness carries authenticator data and client "+
				"data; this one is %s. Leave them out.", i, KindName(w.Kind)), "witness", i, "kind", KindName(w.Kind))
		}
		return nil
	}
	if n := len(w.AuthenticatorData); n < MinAuthenticatorData || n > MaxAuthenticatorData {
		return fault.New("tx.malformed", fmt.Sprintf("Witness %d: authenticator data is %d to %d bytes, this has %d. Send it as the "+
			"passkey gave it.", i, MinAuthenticatorData, MaxAuthenticatorData, n), "witness", i, "bytes", n)
	}
	if n := len(w.ClientDataJson); n == 0 || n > MaxClientDataJSON {
		return fault.New("tx.malformed", fmt.Sprintf("Witness %d: client data is 1 to %d bytes, this has %d. Send it as the browser "+
			"gave it.", i, MaxClientDataJSON, n), "witness", i, "bytes", n)
	}
	return nil
}
