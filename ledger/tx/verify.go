package tx

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// Verify checks every signature. A transaction without a witness is refused too. Code tx.bad_signature.
// It needs no state: whether the keys may act is decided at execution.
func (t *Tx) Verify() error { return VerifyAll([]*Tx{t})[0] }

// VerifyAll verifies transactions together and returns an error, or nil, for each. Ed25519 signatures are checked in
// one batch, which takes less than half the time when there are some hundred; results equal those of Verify.
// It runs on the caller's goroutine: callers with several processors split their transactions into chunks.
func VerifyAll(txs []*Tx) []error {
	return VerifyPrepared(txs, noKeys{})
}

// Prepared keeps what unpacking keys gave before. Nothing that it returns for Ed25519 changes a result.
type Prepared interface {
	// Ed25519 returns candidates for the x-coordinate of a public key, which need not be right: the first two (0) or, when it is none of them, two
	// more (1).
	Ed25519(public *[32]byte, which int) [2]X
	// KeepEd25519 is told the x-coordinate of a public key that was not among the candidates.
	KeepEd25519(public *[32]byte, x X)
	// MLDSA65 returns the unpacked key of a public key, or nil where it is not at hand.
	MLDSA65(public []byte) *PreparedMLDSA65
}

// noKeys is of those who keep none.
type noKeys struct{}

func (noKeys) Ed25519(*[32]byte, int) (none [2]X) { return none }
func (noKeys) KeepEd25519(*[32]byte, X)           {}
func (noKeys) MLDSA65([]byte) *PreparedMLDSA65    { return nil }

// VerifyPrepared is VerifyAll for callers who keep unpacked keys.
func VerifyPrepared(txs []*Tx, prepared Prepared) []error {
	errs := make([]error, len(txs))
	batch := newEd25519Batch(txs)
	for i, t := range txs {
		if len(t.Witnesses) == 0 {
			errs[i] = fault.New("tx.bad_signature", "The transaction carries no signature. Every account that acts must sign it.")
			continue
		}
		errs[i] = t.verifyP256Readings()
	}
	for _, kind := range oneByOne {
		verifyKind(txs, errs, kind, prepared)
	}
	for i, t := range txs {
		if errs[i] == nil {
			batch.add(i, t)
		}
	}
	for _, bad := range batch.bad(prepared) {
		if errs[bad.tx] == nil {
			errs[bad.tx] = txs[bad.tx].badEd25519(bad)
		}
	}
	return errs
}

// oneByOne are the kinds for which there is no batch.
var oneByOne = []accountv1.KeyKind{
	accountv1.KeyKind_KEY_KIND_P256, accountv1.KeyKind_KEY_KIND_WEBAUTHN, accountv1.KeyKind_KEY_KIND_SECP256K1, accountv1.KeyKind_KEY_KIND_ML_DSA_65,
}

// verifyKind checks the signatures of one kind in all transactions that are good so far. Each kind has large tables, so that checking all of one
// after the other leaves them in the processor's caches.
func verifyKind(txs []*Tx, errs []error, kind accountv1.KeyKind, prepared Prepared) {
	for n, t := range txs {
		for i, w := range t.Witnesses {
			if w.Kind != kind || errs[n] != nil {
				continue
			}
			if why := verifyWitness(w, t.ID, prepared); why != "" {
				errs[n] = badSignature(i, w, why)
			}
		}
	}
}

// badEd25519 says which signature of the transaction is bad.
func (t *Tx) badEd25519(e ed25519Entry) error {
	if e.source >= 0 {
		return badReading(&t.Sources[e.source], e.index)
	}
	return badSignature(e.index, t.Witnesses[e.index], "is not by this key over this transaction")
}

// verifyWitness checks one signature; it says what is wrong, or nothing.
func verifyWitness(w *txv1.Witness, digest [32]byte, prepared Prepared) (why string) {
	good := false
	switch w.Kind {
	case accountv1.KeyKind_KEY_KIND_ED25519:
		good = verifyEd25519(w.PublicKey, digest[:], w.Signature)
	case accountv1.KeyKind_KEY_KIND_P256:
		good = verifyP256(w.PublicKey, digest, w.Signature)
	case accountv1.KeyKind_KEY_KIND_SECP256K1:
		good = verifySecp256k1(w.PublicKey, digest, w.Signature)
	case accountv1.KeyKind_KEY_KIND_ML_DSA_65:
		good = verifyMLDSA65(prepared.MLDSA65(w.PublicKey), w.PublicKey, digest, w.Signature)
	case accountv1.KeyKind_KEY_KIND_WEBAUTHN:
		return verifyWebAuthn(w, digest)
	}
	if !good {
		return "is not by this key over this transaction"
	}
	return ""
}

func badSignature(i int, w *txv1.Witness, why string) error {
	return fault.New("tx.bad_signature", fmt.Sprintf("Signature %d (%s) %s. Sign the transaction again, for this network and "+
		"with nothing changed after.", i, KindName(w.Kind), why), "witness", i, "kind", KindName(w.Kind))
}
