package passkey_test

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

// authenticator is a passkey in software, with every fault that a test wants of it.
type authenticator struct {
	key    *ecdsa.PrivateKey
	id     []byte
	count  uint32
	rpID   string
	origin string
	flags  byte
}

func newAuthenticator(t testing.TB) *authenticator {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	rand.Read(id)
	return &authenticator{key: key, id: id, rpID: rpID, origin: origin, flags: 1 | 4}
}

func (a *authenticator) public(t testing.TB) passkey.Public {
	t.Helper()
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return passkey.Public(append([]byte{2 | point[64]&1}, point[1:33]...))
}

func (a *authenticator) data(flags byte, more ...byte) []byte {
	a.count++
	hash := sha256.Sum256([]byte(a.rpID))
	return append(binary.BigEndian.AppendUint32(append(hash[:], flags), a.count), more...)
}

func (a *authenticator) client(kind, challenge string) []byte {
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	if err != nil {
		panic(err)
	}
	return raw
}

// assert is the answer of navigator.credentials.get.
func (a *authenticator) assert(t testing.TB, challenge string, userHandle []byte) []byte {
	t.Helper()
	client, data := a.client("webauthn.get", challenge), a.data(a.flags)
	sum := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(map[string]any{
		"clientDataJSON": passkey.Text(client), "authenticatorData": passkey.Text(data), "signature": passkey.Text(signature), "userHandle": passkey.Text(userHandle),
	})
}

// create is the answer of navigator.credentials.create, without attestation.
func (a *authenticator) create(t testing.TB, challenge string) []byte {
	t.Helper()
	point, err := a.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	key, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	if err != nil {
		t.Fatal(err)
	}
	more := append(make([]byte, 16), byte(len(a.id)>>8), byte(len(a.id)))
	more = append(append(more, a.id...), key...)
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": a.data(a.flags|64, more...)})
	if err != nil {
		t.Fatal(err)
	}
	return a.answer(map[string]any{"clientDataJSON": passkey.Text(a.client("webauthn.create", challenge)), "attestationObject": passkey.Text(object)})
}

func (a *authenticator) answer(response map[string]any) []byte {
	raw, err := json.Marshal(map[string]any{"id": passkey.Text(a.id), "rawId": passkey.Text(a.id), "type": "public-key", "response": response})
	if err != nil {
		panic(err)
	}
	return raw
}
