package hardware

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"sync"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// AskPIN is asked for a PIN when one is needed and the URI does not say where it is. of says what the PIN opens, for people.
type AskPIN func(of string) (string, error)

// Key is a key that is open to sign with, from any goroutine; signatures are made one at a time. It implements crypto.Signer.
type Key struct {
	reference Reference
	public    crypto.PublicKey
	chip      chip
}

// chip is what holds a key. Its methods may be called at once.
type chip interface {
	// sign signs a digest of 32 bytes with P-256, or a message with Ed25519, and returns 64 bytes: r and s, or RFC 8032's.
	sign(message []byte) ([]byte, error)
	close() error
}

// Open opens the key that a URI names. ask may be nil: then there is no PIN but the URI's.
func Open(uri string, ask AskPIN) (*Key, error) {
	r, err := Parse(uri)
	if err != nil {
		return nil, err
	}
	switch r.scheme {
	case inToken:
		return openToken(r, r.pinFrom(ask))
	case inTPM:
		return openTPM(r, r.pinFrom(ask))
	}
	return openFile(r)
}

// Make makes a key in the chip that a URI names, at the place that it names, and opens it. It never takes the place of another (code key.exists).
// kind is P-256, or Ed25519 with PKCS#11.
func Make(uri string, kind accountv1.KeyKind, ask AskPIN) (*Key, error) {
	r, err := Parse(uri)
	if err != nil {
		return nil, err
	}
	if kind != accountv1.KeyKind_KEY_KIND_P256 && kind != accountv1.KeyKind_KEY_KIND_ED25519 {
		return nil, fault.New("key.unsupported", "Keys in hardware are P-256 or Ed25519, not "+tx.KindName(kind)+".", "kind", tx.KindName(kind))
	}
	switch r.scheme {
	case inToken:
		return makeInToken(r, kind, r.pinFrom(ask))
	case inTPM:
		return makeInTPM(r, kind, r.pinFrom(ask))
	}
	return nil, badURI("it names a file; a key is made in a token (pkcs11:) or a TPM (tpm:)")
}

// Reference says where the key is.
func (k *Key) Reference() Reference { return k.reference }

// Public is an ed25519.PublicKey or an *ecdsa.PublicKey on P-256.
func (k *Key) Public() crypto.PublicKey { return k.public }

// Sign signs a message with Ed25519 (opts names no hash), or the digest of one with P-256, of which the first 32 bytes count (FIPS 186-5, section 6.4), and
// returns RFC 8032's signature or ECDSA's in DER. The chip brings its own randomness.
func (k *Key) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	switch public := k.public.(type) {
	case ed25519.PublicKey:
		if options, ok := opts.(*ed25519.Options); opts.HashFunc() != 0 || ok && options.Context != "" {
			return nil, fault.New("key.unsupported", "The key signs messages with plain Ed25519, not digests and not with a context.")
		}
		signature, err := k.chip.sign(message)
		if err != nil {
			return nil, err
		}
		if len(signature) != ed25519.SignatureSize || !ed25519.Verify(public, message, signature) {
			return nil, badSignature(k.reference)
		}
		return signature, nil
	case *ecdsa.PublicKey:
		if len(message) < 32 || len(message) != opts.HashFunc().Size() {
			return nil, fault.New("key.unsupported", "The key signs digests of SHA-256 and longer ones.")
		}
		raw, err := k.chip.sign(message[:32])
		if err != nil {
			return nil, err
		}
		if len(raw) != 64 {
			return nil, badSignature(k.reference)
		}
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
		if err != nil || !ecdsa.VerifyASN1(public, message[:32], der) {
			return nil, badSignature(k.reference)
		}
		return der, nil
	}
	return nil, fmt.Errorf("hardware: a key of type %T", k.public)
}

// Signer makes witnesses of transactions with the key.
func (k *Key) Signer() (tx.Signer, error) { return tx.SignerOf(k) }

// Close gives the chip back. The key signs no more.
func (k *Key) Close() error { return k.chip.close() }

// String says where the key is.
func (k *Key) String() string { return k.reference.String() }

func badSignature(r Reference) error {
	return fault.New("key.hardware_failed", "What the chip signed does not verify by the public key it showed: the key was replaced, or the chip is broken. "+
		"Nothing was sent. Open the key again, and look at "+r.name()+".")
}

// newKey looks whether the public key is one that can be used.
func newKey(r Reference, public crypto.PublicKey, c chip) (*Key, error) {
	if _, err := tx.KeyOf(public); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return &Key{r, public, c}, nil
}

// name is how people are told of a token or TPM.
func (r Reference) name() string {
	switch {
	case r.scheme == inTPM:
		return fmt.Sprintf("handle 0x%08x of the TPM at %s", r.handle, r.path)
	case r.scheme == inFile:
		return r.path
	case r.token != "":
		return "the token " + r.token
	case r.serial != "":
		return "the token with serial number " + r.serial
	}
	return fmt.Sprintf("the token in slot %d", *r.slot)
}

const maxPIN = 256 // bytes

// pinFrom finds the PIN when it is needed: in the URI, in the file that it names, or by asking.
func (r Reference) pinFrom(ask AskPIN) func() (string, error) {
	return func() (string, error) {
		switch {
		case r.pinValue != "":
			return r.pinValue, nil
		case r.pinSource != "":
			return readPIN(r.pinSource)
		case ask == nil:
			return "", fault.New("key.no_pin", "A PIN is needed for "+r.name()+". Say where it is: add pin-source=file:/path to the URI.")
		}
		pin, err := ask(r.name())
		if err == nil && pin == "" {
			err = fault.New("key.no_pin", "No PIN was given for "+r.name()+".")
		}
		return pin, err
	}
}

// readPIN reads the first line of a file.
func readPIN(file string) (string, error) {
	content, err := readSmall(file)
	if err != nil {
		return "", fault.New("key.no_pin", "The PIN cannot be read: "+err.Error()+". Check pin-source in the URI of the key.")
	}
	line, _, _ := strings.Cut(string(content), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" || len(line) > maxPIN {
		return "", fault.New("key.no_pin", fmt.Sprintf("The first line of %s is no PIN: it has to have 1 to %d bytes.", file, maxPIN))
	}
	return line, nil
}

// remembered asks once: the PIN is needed again after the chip was away.
func remembered(pin func() (string, error)) func() (string, error) { return sync.OnceValues(pin) }

func wrongPIN(r Reference, more string) error {
	return fault.New("key.wrong_pin", "The PIN of "+r.name()+" is wrong."+more+" It is not tried again, because tokens lock after some wrong ones: correct it first.")
}

const maxKeyFile = 16 << 10

func readSmall(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxKeyFile))
}

// inMemory is a key of a file.
type inMemory struct{ crypto.Signer }

func openFile(r Reference) (*Key, error) {
	content, err := readSmall(r.path)
	if err != nil {
		return nil, fault.New("key.unreachable", "The key cannot be read: "+err.Error()+".")
	}
	defer clear(content)
	block, _ := pem.Decode(content)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fault.New("key.not_found", r.path+" has no key: want PKCS #8 in PEM, unencrypted (BEGIN PRIVATE KEY).")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	signer, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return nil, fault.New("key.not_found", r.path+" has no key that this program knows: want PKCS #8 with Ed25519 or P-256.")
	}
	return newKey(r, signer.Public(), inMemory{signer})
}

func (m inMemory) sign(message []byte) ([]byte, error) {
	if _, ok := m.Public().(ed25519.PublicKey); ok {
		return m.Sign(nil, message, crypto.Hash(0))
	}
	der, err := m.Sign(nil, message, crypto.SHA256) // without chance the standard library signs by RFC 6979
	if err != nil {
		return nil, err
	}
	return tx.CompactP256(der)
}

func (inMemory) close() error { return nil }
