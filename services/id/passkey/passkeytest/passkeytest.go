// Package passkeytest has a passkey in software, with every fault that a test wants of it.
package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/dureledger/dure/services/id/passkey"
)

// Authenticator is a passkey. Its fields are what it says of itself; tests change them.
type Authenticator struct {
	Key    *ecdsa.PrivateKey
	ID     []byte
	Count  uint32
	RPID   string
	Origin string
	// Flags of authenticator data: 1 the user touched it, 4 it checked who they are.
	Flags byte
}

// New makes a passkey for a relying party, used at a page of the origin.
func New(t testing.TB, rpID, origin string) *Authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	rand.Read(id)
	return &Authenticator{Key: key, ID: id, RPID: rpID, Origin: origin, Flags: 1 | 4}
}

// Public is its key as the ledger has it.
func (a *Authenticator) Public(t testing.TB) passkey.Public {
	t.Helper()
	point, err := a.Key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return passkey.Public(append([]byte{2 | point[64]&1}, point[1:33]...))
}

func (a *Authenticator) data(flags byte, more ...byte) []byte {
	a.Count++
	hash := sha256.Sum256([]byte(a.RPID))
	return append(binary.BigEndian.AppendUint32(append(hash[:], flags), a.Count), more...)
}

func (a *Authenticator) client(kind, challenge string) []byte {
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.Origin, "crossOrigin": false})
	if err != nil {
		panic(err)
	}
	return raw
}

// Assert is the answer of navigator.credentials.get.
func (a *Authenticator) Assert(t testing.TB, challenge string, userHandle []byte) []byte {
	t.Helper()
	client, data := a.client("webauthn.get", challenge), a.data(a.Flags)
	sum := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.Key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(map[string]any{
		"clientDataJSON": passkey.Text(client), "authenticatorData": passkey.Text(data), "signature": passkey.Text(signature), "userHandle": passkey.Text(userHandle),
	})
}

// Create is the answer of navigator.credentials.create, without attestation.
func (a *Authenticator) Create(t testing.TB, challenge string) []byte {
	t.Helper()
	point, err := a.Key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	key, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	if err != nil {
		t.Fatal(err)
	}
	more := append(make([]byte, 16), byte(len(a.ID)>>8), byte(len(a.ID)))
	more = append(append(more, a.ID...), key...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": a.data(a.Flags|64, more...)})
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(map[string]any{"clientDataJSON": passkey.Text(a.client("webauthn.create", challenge)), "attestationObject": passkey.Text(object)})
}

func (a *Authenticator) answer(response map[string]any) []byte {
	raw, err := json.Marshal(map[string]any{"id": passkey.Text(a.ID), "rawId": passkey.Text(a.ID), "type": "public-key", "response": response})
	if err != nil {
		panic(err)
	}
	return raw
}
