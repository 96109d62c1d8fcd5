package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"testing"

	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/services/id/passkey"
)

// Sign adds the passkey's signature to a transaction that others have signed, as a wallet does (docs/transaction.md).
func (a *Authenticator) Sign(t testing.TB, raw []byte, network string) []byte {
	t.Helper()
	transaction := &txv1.Transaction{}
	if err := proto.Unmarshal(raw, transaction); err != nil {
		t.Fatal(err)
	}
	native, public := transaction.GetNative(), a.Public(t)
	digest := sha256.Sum256(append([]byte("dure/tx/v1\n"+network+"\n"), native.GetBody()...))
	client, data := a.client("webauthn.get", passkey.Text(digest[:])), a.data(a.Flags)
	sum := sha256.Sum256(client)
	signed := sha256.Sum256(append(append([]byte{}, data...), sum[:]...))
	r, s, err := ecdsa.Sign(rand.Reader, a.Key, signed[:])
	if err != nil {
		t.Fatal(err)
	}
	order := elliptic.P256().Params().N
	if s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	native.Witnesses = append(native.Witnesses, &txv1.Witness{
		Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, PublicKey: public[:], Signature: signature, AuthenticatorData: data, ClientDataJson: client,
	})
	out, err := proto.MarshalOptions{Deterministic: true}.Marshal(transaction)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
