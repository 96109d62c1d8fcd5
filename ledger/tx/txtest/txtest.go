// Package txtest makes keys for tests: deterministic signers of every kind, and a passkey in software.
package txtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// NetworkID is a well-formed network id for tests.
const NetworkID = "test-000102030405060708090a0b0c0d0e0f"

// RPID and Origin are what Signer's passkeys are made for.
const (
	RPID   = "bank.example"
	Origin = "https://bank.example"
)

// Kinds lists every kind of key.
var Kinds = []accountv1.KeyKind{
	accountv1.KeyKind_KEY_KIND_ED25519, accountv1.KeyKind_KEY_KIND_P256, accountv1.KeyKind_KEY_KIND_WEBAUTHN,
	accountv1.KeyKind_KEY_KIND_SECP256K1, accountv1.KeyKind_KEY_KIND_ML_DSA_65,
}

// Secret is the n-th test secret: SHA-256("dure/test/key\n" || n as 8 bytes, big-endian). It is a good secret of every kind
// (the chance of a bad scalar is 2^-32).
func Secret(n uint64) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("dure/test/key\n"), n))
	return sum[:]
}

// Signer is the n-th test signer of a kind; a passkey for WebAuthn. It panics on an unknown kind.
func Signer(kind accountv1.KeyKind, n uint64) tx.Signer {
	if kind == accountv1.KeyKind_KEY_KIND_WEBAUTHN {
		return NewPasskey(Secret(n), RPID, Origin)
	}
	s, err := tx.NewSigner(kind, Secret(n))
	if err != nil {
		panic(err)
	}
	return s
}

// Ed25519 is the n-th test signer of the commonest kind.
func Ed25519(n uint64) tx.Signer { return Signer(accountv1.KeyKind_KEY_KIND_ED25519, n) }

// Passkey is a WebAuthn authenticator and browser in software. Change its fields to make assertions that must be refused.
type Passkey struct {
	RPID, Origin string
	// Flags of the authenticator data; user present and verified (0x05) unless changed.
	Flags byte
	// Extra follows the 37 bytes of authenticator data.
	Extra []byte
	// Type and CrossOrigin go into the client data.
	Type        string
	CrossOrigin bool

	key tx.Signer
}

// NewPasskey takes a P-256 scalar of 32 bytes. It panics if that is none.
func NewPasskey(scalar []byte, rpID, origin string) *Passkey {
	key, err := tx.NewP256Signer(scalar)
	if err != nil {
		panic(err)
	}
	return &Passkey{RPID: rpID, Origin: origin, Flags: 0x05, Type: "webauthn.get", key: key}
}

// Key is the passkey's public key.
func (p *Passkey) Key() tx.Key {
	return tx.Key{Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, Public: p.key.Key().Public}
}

// AuthenticatorData is hash of the relying party id, flags, a counter of 0, and Extra.
func (p *Passkey) AuthenticatorData() []byte {
	rp := sha256.Sum256([]byte(p.RPID))
	return append(append(rp[:], p.Flags, 0, 0, 0, 0), p.Extra...)
}

// ClientDataJSON is the client data as browsers write it.
func (p *Passkey) ClientDataJSON(digest [32]byte) []byte {
	quote := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	return fmt.Appendf(nil, `{"type":%s,"challenge":"%s","origin":%s,"crossOrigin":%t}`, quote(p.Type),
		base64.RawURLEncoding.EncodeToString(digest[:]), quote(p.Origin), p.CrossOrigin)
}

// Sign makes an assertion over the digest.
func (p *Passkey) Sign(digest [32]byte) (*txv1.Witness, error) {
	return p.SignClientData(p.ClientDataJSON(digest))
}

// SignClientData makes an assertion over any client data.
func (p *Passkey) SignClientData(clientData []byte) (*txv1.Witness, error) {
	auth := p.AuthenticatorData()
	client := sha256.Sum256(clientData)
	w, err := p.key.Sign(sha256.Sum256(append(append([]byte(nil), auth...), client[:]...)))
	if err != nil {
		return nil, err
	}
	return &txv1.Witness{
		Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, PublicKey: w.PublicKey, Signature: w.Signature,
		AuthenticatorData: auth, ClientDataJson: clientData,
	}, nil
}
