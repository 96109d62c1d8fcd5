package passkey

import (
	"crypto/sha256"
	"math/big"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"github.com/dureledger/dure/services/id/refusal"
)

// Creation is a new passkey.
type Creation struct {
	Public       Public
	CredentialID []byte
	Count        uint32
}

// Create reads a new passkey, the JSON of a RegistrationResponseJSON (Web Authentication Level 3, section 5.1.8), and checks it as section
// 7.1 says. Who made the authenticator is not asked.
func (c *Ceremonies) Create(raw []byte, browser string) (*Creation, error) {
	if len(raw) > MaxAnswer {
		return nil, malformed()
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(raw)
	if err != nil {
		return nil, malformed()
	}
	client := parsed.Response.CollectedClientData
	if err := c.check(client, protocol.CreateCeremony, parsed.Response.AttestationObject.AuthData, browser); err != nil {
		return nil, err
	}
	only := []protocol.CredentialParameter{{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256}}
	if _, err := parsed.Verify(client.Challenge, c.rpID, []string{c.origin}, nil, protocol.TopOriginDefaultVerificationMode, false, true, true, nil, only); err != nil {
		return nil, refusal.New("signin.malformed", "The new passkey does not check. Try again, or use another device.")
	}
	data := parsed.Response.AttestationObject.AuthData
	public, ok := compress(data.AttData.CredentialPublicKey)
	if !ok {
		return nil, refusal.New("signin.wrong_algorithm", "The new passkey has no P-256 key, which the ledger needs. Use another device.")
	}
	return &Creation{Public: public, CredentialID: data.AttData.CredentialID, Count: data.Counter}, nil
}

// compress reads a COSE key of P-256.
func compress(raw []byte) (p Public, ok bool) {
	parsed, err := webauthncose.ParsePublicKey(raw)
	if err != nil {
		return p, false
	}
	key, ok := parsed.(webauthncose.EC2PublicKeyData)
	if !ok || webauthncose.COSEEllipticCurve(key.Curve) != webauthncose.P256 || len(key.XCoord) > 32 || len(key.YCoord) > 32 || len(key.YCoord) == 0 {
		return p, false
	}
	p[0] = 2 | key.YCoord[len(key.YCoord)-1]&1
	new(big.Int).SetBytes(key.XCoord).FillBytes(p[1:])
	point, ok := p.uncompressed()
	if !ok || new(big.Int).SetBytes(point[33:]).Cmp(new(big.Int).SetBytes(key.YCoord)) != 0 {
		return p, false
	}
	return p, true
}

// Name is a short mark of a passkey under which its counter is kept: SHA-256 of its id.
func Name(credentialID []byte) string {
	sum := sha256.Sum256(credentialID)
	return Text(sum[:])
}
