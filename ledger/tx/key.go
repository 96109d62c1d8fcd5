package tx

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"
	"golang.org/x/crypto/sha3"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// Key is a public key that signed a transaction, or may.
type Key struct {
	Kind   accountv1.KeyKind
	Public []byte
}

// Address is the key's address: for secp256k1 Ethereum's, the last 20 bytes of Keccak-256 of the
// uncompressed point; for every other kind the last 20 bytes of SHA-256("dure/key/v1\n" || kind byte || public key).
// The key must have passed CheckKey, or have witnessed a transaction that passed Verify.
func (k Key) Address() Address {
	if k.Kind == accountv1.KeyKind_KEY_KIND_SECP256K1 {
		if a, ok := ethereumAddress(k.Public); ok {
			return a
		}
	}
	h := sha256.New()
	h.Write([]byte("dure/key/v1\n"))
	h.Write([]byte{byte(k.Kind)})
	h.Write(k.Public)
	return Address(h.Sum(nil)[12:])
}

// Equal says whether two keys are the same. Equal keys have equal addresses and, as every kind has one encoding
// of a key, different keys have different ones.
func (k Key) Equal(other Key) bool {
	return k.Kind == other.Kind && bytes.Equal(k.Public, other.Public)
}

// CheckKey says whether k may be made the key of an account: of a known kind, of the right length, a point of its
// curve, and for Ed25519 not one of the eight points of small order, under which anyone can sign. Code key.malformed.
func CheckKey(k Key) error {
	if err := checkKeyForm(k); err != nil {
		return err
	}
	good := true
	switch k.Kind {
	case accountv1.KeyKind_KEY_KIND_ED25519:
		good = usableEd25519(k.Public)
	case accountv1.KeyKind_KEY_KIND_P256, accountv1.KeyKind_KEY_KIND_WEBAUTHN:
		_, good = parseP256(k.Public)
	case accountv1.KeyKind_KEY_KIND_SECP256K1:
		_, good = ethereumAddress(k.Public)
	}
	if !good {
		return fault.New("key.malformed", "The public key is not a usable "+KindName(k.Kind)+" key: its bytes are no "+
			"safe point of the curve. Check that it was copied whole.", "kind", KindName(k.Kind))
	}
	return nil
}

// publicSize is the length of a public key in bytes; 0 for an unknown kind.
func publicSize(kind accountv1.KeyKind) int {
	switch kind {
	case accountv1.KeyKind_KEY_KIND_ED25519:
		return 32
	case accountv1.KeyKind_KEY_KIND_P256, accountv1.KeyKind_KEY_KIND_WEBAUTHN, accountv1.KeyKind_KEY_KIND_SECP256K1:
		return 33
	case accountv1.KeyKind_KEY_KIND_ML_DSA_65:
		return 1952
	}
	return 0
}

// signatureSize is the length of a signature in bytes; 0 for an unknown kind.
func signatureSize(kind accountv1.KeyKind) int {
	switch kind {
	case accountv1.KeyKind_KEY_KIND_UNSPECIFIED:
		return 0
	case accountv1.KeyKind_KEY_KIND_ML_DSA_65:
		return 3309
	}
	return 64
}

// checkKeyForm checks kind and length, and the first byte of a compressed point.
func checkKeyForm(k Key) error {
	want := publicSize(k.Kind)
	if want == 0 {
		return fault.New("key.malformed", "The key has no kind this version knows. Use one of "+
			strings.Join(KindNames(), ", ")+".", "kind", int32(k.Kind))
	}
	if len(k.Public) != want {
		return fault.New("key.malformed", fmt.Sprintf("A %s public key is %d bytes, this one has %d. "+
			"Check that it was copied whole and that its kind is right.", KindName(k.Kind), want, len(k.Public)),
			"kind", KindName(k.Kind), "bytes", len(k.Public))
	}
	if want == 33 && k.Public[0] != 2 && k.Public[0] != 3 {
		return fault.New("key.malformed", "A "+KindName(k.Kind)+" public key is a compressed point (SEC 1) and starts "+
			"with byte 02 or 03. Compress the key.", "kind", KindName(k.Kind))
	}
	return nil
}

var kindNames = []string{"", "ed25519", "p256", "webauthn", "secp256k1", "ml-dsa-65"}

// KindName is the short name of a kind, such as ed25519 or ml-dsa-65; "unknown" for any other.
func KindName(kind accountv1.KeyKind) string {
	if kind < 1 || int(kind) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[kind]
}

// KindNames lists the names ParseKind takes.
func KindNames() []string { return append([]string(nil), kindNames[1:]...) }

// ParseKind is the kind of a short name; mldsa65 is ml-dsa-65 too. Code key.malformed.
func ParseKind(name string) (accountv1.KeyKind, error) {
	for i, n := range kindNames {
		if i > 0 && (n == name || strings.ReplaceAll(n, "-", "") == name) {
			return accountv1.KeyKind(i), nil
		}
	}
	return 0, fault.New("key.malformed", fmt.Sprintf("There is no key kind %q. Use one of %s.", name,
		strings.Join(KindNames(), ", ")), "kind", name)
}

// ethereumAddress is Ethereum's address of a compressed secp256k1 key; false if it is no point of the curve.
func ethereumAddress(public []byte) (Address, bool) {
	if len(public) != 33 {
		return Address{}, false
	}
	p, err := crypto.DecompressPubkey(public)
	if err != nil {
		return Address{}, false
	}
	return Address(keccak256(crypto.FromECDSAPub(p)[1:])[12:]), true
}

func keccak256(b []byte) []byte {
	h := sha3.NewLegacyKeccak256()
	h.Write(b)
	return h.Sum(nil)
}
