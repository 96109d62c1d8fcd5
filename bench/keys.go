package bench

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// What a benchmark's passkeys are made for. A network in which they sign has them as its rp_id and among its origins.
const (
	RPID   = "localhost"
	Origin = "http://localhost"
)

// mix are the kinds of the accounts' keys.
type mix []*keyKind

// keyKind is one of them, and what has been paid with keys of the kind.
type keyKind struct {
	kind             accountv1.KeyKind
	accounts         int
	committed, bytes atomic.Int64
}

// newMix deals accounts out over kinds, each named once.
func newMix(kinds []accountv1.KeyKind, accounts int) (mix, error) {
	if len(kinds) == 0 {
		kinds = []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_ED25519}
	}
	var m mix
	for i, kind := range kinds {
		if tx.KindName(kind) == "unknown" || slices.Contains(kinds[:i], kind) {
			return nil, fmt.Errorf("bench: want kinds of keys, each once, not %s", tx.KindName(kind))
		}
		m = append(m, &keyKind{kind: kind, accounts: (accounts + len(kinds) - 1 - i) / len(kinds)})
	}
	if accounts < len(m) {
		return nil, errors.New("bench: want an account at least for each kind of keys")
	}
	return m, nil
}

// plain says that all keys are Ed25519's, which is what is measured unless something else is asked for.
func (m mix) plain() bool { return len(m) == 1 && m[0].kind == accountv1.KeyKind_KEY_KIND_ED25519 }

// large says whether there are keys of 2 KB.
func (m mix) large() bool {
	return slices.ContainsFunc(m, func(k *keyKind) bool { return k.kind == accountv1.KeyKind_KEY_KIND_ML_DSA_65 })
}

// work is about how many times as long as an Ed25519 signature one takes to check, on average.
func (m mix) work() float64 {
	work := uint64(0)
	for _, k := range m {
		work += tx.KindWork(k.kind)
	}
	return float64(work) / float64(len(m))
}

// signer makes a fresh key of the kind; a passkey in software for WebAuthn.
func (k *keyKind) signer() (tx.Signer, error) {
	kind := k.kind
	if kind == accountv1.KeyKind_KEY_KIND_WEBAUTHN {
		kind = accountv1.KeyKind_KEY_KIND_P256
	}
	secret, err := tx.NewSecret(kind, rand.Reader)
	if err != nil {
		return nil, err
	}
	if k.kind == accountv1.KeyKind_KEY_KIND_WEBAUTHN {
		return txtest.NewPasskey(secret, RPID, Origin), nil
	}
	return tx.NewSigner(kind, secret)
}

// count books a payment that is committed.
func (k *keyKind) count(s *client.Signed) {
	k.committed.Add(1)
	k.bytes.Add(int64(len(s.Raw)))
}

// KeysReport is what a benchmark found of payments by keys of one kind.
type KeysReport struct {
	Kind     string `json:"kind"`
	Accounts int    `json:"accounts"`
	// Committed counts payments by such accounts, TransactionBytes is the mean size of one.
	Committed        int `json:"committed"`
	TransactionBytes int `json:"transaction_bytes"`
	// VerifyPerCoreS is how many signatures of this kind alone one core verifies a second, measured in turns with all kinds together.
	VerifyPerCoreS float64 `json:"verify_per_core_s"`
}

// MixReport compares checking signatures of several kinds together with checking those of each kind by themselves.
type MixReport struct {
	// ExpectedPerCoreS follows from the kinds' own rates and how many of each there were; MeasuredPerCoreS is of all together, in the same seconds.
	ExpectedPerCoreS float64 `json:"expected_per_core_s"`
	MeasuredPerCoreS float64 `json:"measured_per_core_s"`
	// OfExpected is their ratio: 1 and more says that mixing costs nothing.
	OfExpected float64 `json:"of_expected"`
}

// tellKeys reports by kind of keys, if there is more to say than that all are Ed25519's.
func (r *run) tellKeys() {
	if r.mix.plain() {
		return
	}
	for i, k := range r.mix {
		n := int(k.committed.Load())
		one := KeysReport{Kind: tx.KindName(k.kind), Accounts: k.accounts, Committed: n, TransactionBytes: int(k.bytes.Load()) / max(1, n), VerifyPerCoreS: r.measured.VerifyPerCoreS}
		if len(r.samples.parts) > 0 {
			one.VerifyPerCoreS = r.samples.parts[i].rate()
		}
		r.report.Keys = append(r.report.Keys, one)
	}
	r.report.Mix = r.samples.compare()
}
