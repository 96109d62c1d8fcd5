package passkey

import (
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"

	"filippo.io/nistec"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

// Public is a P-256 public key as a compressed point (SEC 1, section 2.3.3), as the ledger has it.
type Public [33]byte

// Address is the address of a passkey on the ledger: the last 20 bytes of SHA-256("dure/key/v1\n" || kind || public key).
func (p Public) Address() [20]byte {
	h := sha256.New()
	h.Write([]byte("dure/key/v1\n"))
	h.Write([]byte{byte(accountv1.KeyKind_KEY_KIND_WEBAUTHN)})
	h.Write(p[:])
	return [20]byte(h.Sum(nil)[12:])
}

// uncompressed is 04, x, y; false if it is no point of the curve.
func (p Public) uncompressed() ([]byte, bool) {
	point, err := nistec.NewP256Point().SetBytes(p[:])
	if err != nil {
		return nil, false
	}
	return point.Bytes(), true
}

// order and field are the constants n and p of P-256.
var order, field = elliptic.P256().Params().N, elliptic.P256().Params().P

// candidates are the public keys under which a DER signature over a message verifies (SEC 1, section 4.1.6): Q = r⁻¹(sR − eG) for each
// point R whose x is r modulo n. Mostly two; none if it is no signature.
func candidates(der, message []byte) []Public {
	var sig struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &sig)
	if err != nil || len(rest) != 0 || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || sig.R.Cmp(order) >= 0 || sig.S.Cmp(order) >= 0 {
		return nil
	}
	digest := sha256.Sum256(message)
	inverse := new(big.Int).ModInverse(sig.R, order)
	u1 := new(big.Int).Mul(new(big.Int).SetBytes(digest[:]), inverse)
	u1.Mod(u1.Neg(u1), order)
	u2 := new(big.Int).Mul(sig.S, inverse)
	u2.Mod(u2, order)
	base, err := nistec.NewP256Point().ScalarBaseMult(u1.FillBytes(make([]byte, 32)))
	if err != nil {
		return nil
	}
	var out []Public
	for x := sig.R; x.Cmp(field) < 0; x = new(big.Int).Add(x, order) {
		for _, sign := range []byte{2, 3} {
			r, err := nistec.NewP256Point().SetBytes(append([]byte{sign}, x.FillBytes(make([]byte, 32))...))
			if err != nil {
				continue
			}
			scaled, err := nistec.NewP256Point().ScalarMult(r, u2.FillBytes(make([]byte, 32)))
			if err != nil {
				continue
			}
			if q := nistec.NewP256Point().Add(scaled, base).BytesCompressed(); len(q) == len(Public{}) { // 1 byte: infinity
				out = append(out, Public(q))
			}
		}
	}
	return out
}
