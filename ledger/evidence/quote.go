package evidence

import (
	"crypto/elliptic"
	"fmt"
	"math/big"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits of a quote, in bytes and count.
const (
	MaxQuote          = 256
	MaxQuoteSignature = 72
	// PCRs is how many registers a TPM has.
	PCRs = 24
)

// Constants of the TPM 2.0 Library, part 2, sections 6.2, 6.3 and 6.9.
const (
	tpmGenerated = 0xff544347
	tpmQuote     = 0x8018
	tpmSHA256    = 0x000b
	tpmECDSA     = 0x0018
	maxName      = 2 + 64
)

// Quote is what a TPM says of its registers: a TPMS_ATTEST structure of type TPMS_QUOTE_INFO.
type Quote struct {
	// Nonce is the qualifying data.
	Nonce [32]byte
	// Resets counts the starts of the TPM, Restarts how often it has resumed since.
	Resets, Restarts uint32
	// Firmware is the version of the TPM's own firmware.
	Firmware uint64
	// PCRs are the registers of the SHA-256 bank that are quoted: bit n is PCR n.
	PCRs uint32
	// Digest is SHA-256 of their values, in the order of their numbers.
	Digest [32]byte
}

// Boot is a count of starts that never goes down, while the TPM is not cleared: Resets times 2^32, and Restarts.
func (q *Quote) Boot() uint64 { return uint64(q.Resets)<<32 | uint64(q.Restarts) }

// ParseQuote reads a TPMS_ATTEST structure (part 2, section 10.12.12) of a quote over registers of the SHA-256 bank, with 32 bytes of
// qualifying data, as TPM2_Quote returns it and tpm2_quote -m writes it. Codes evidence.malformed, evidence.too_large, evidence.unsupported.
func ParseQuote(raw []byte) (*Quote, error) {
	if len(raw) > MaxQuote {
		return nil, tooLarge("quote", len(raw), MaxQuote)
	}
	q := &Quote{}
	c := read(raw, "quote")
	if c.uint32() != tpmGenerated {
		c.Fail("it does not begin as what a TPM attests")
	}
	if kind := c.uint16(); kind != tpmQuote {
		c.Fail("it attests %#04x, not a quote (0x8018)", kind)
	}
	c.sized("qualified signer", 0, maxName)
	nonce := c.sized("qualifying data", 32, 32)
	c.uint64() // clock
	q.Resets, q.Restarts = c.uint32(), c.uint32()
	if safe := c.uint8(); safe > 1 {
		c.Fail("the safe flag is %d", safe)
	}
	q.Firmware = c.uint64()
	if err := q.parseSelection(c); err != nil {
		return nil, err
	}
	digest := c.sized("digest", 32, 32)
	c.End()
	if err := c.Err(); err != nil {
		return nil, err
	}
	q.Nonce, q.Digest = [32]byte(nonce), [32]byte(digest)
	return q, nil
}

// parseSelection reads a TPML_PCR_SELECTION.
func (q *Quote) parseSelection(c *cursor) error {
	count, bank, size := c.uint32(), c.uint16(), c.uint8()
	if c.Err() == nil && (count != 1 || bank != tpmSHA256 || size != PCRs/8) {
		return unsupported("The quote is not over %d registers of the one bank SHA-256. Quote as in tpm2_quote -l sha256:0,7 -g sha256.", PCRs)
	}
	b := c.Take(PCRs / 8)
	q.PCRs = uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
	return nil
}

func unsupported(format string, args ...any) error {
	return fault.New("evidence.unsupported", fmt.Sprintf(format, args...))
}

// VerifyQuote checks the signature of a quote: a TPMT_SIGNATURE (part 2, section 11.3.4) of ECDSA with SHA-256, by a P-256 key in SEC 1
// compressed form. TPMs do not care for a low s, and as a nonce is taken once nobody gains by a second signature. Codes evidence.malformed,
// evidence.too_large, evidence.unsupported, evidence.bad_signature.
func VerifyQuote(public, quote, signature []byte) error {
	if len(signature) > MaxQuoteSignature {
		return tooLarge("quote's signature", len(signature), MaxQuoteSignature)
	}
	c := read(signature, "quote's signature")
	alg, hash := c.uint16(), c.uint16()
	if c.Err() == nil && (alg != tpmECDSA || hash != tpmSHA256) {
		return unsupported("The quote is signed by scheme %#04x with hash %#04x. Make the attestation key with ECC and SHA-256: tpm2_createak -G ecc -g sha256 -s ecdsa.", alg, hash)
	}
	r, s := c.sized("r", 1, 32), c.sized("s", 1, 32)
	c.End()
	if err := c.Err(); err != nil {
		return err
	}
	if !tx.VerifyMessage(tx.Key{Kind: accountv1.KeyKind_KEY_KIND_P256, Public: public}, quote, lowS(r, s)) {
		return fault.New("evidence.bad_signature", "The quote is not signed by the attestation key that the device's maker registered.")
	}
	return nil
}

// lowS writes r and s in 32 bytes each, s at most half the order.
func lowS(r, s []byte) []byte {
	n := elliptic.P256().Params().N
	out := make([]byte, 64)
	low := new(big.Int).SetBytes(s)
	if other := new(big.Int).Sub(n, low); other.Sign() > 0 && other.Cmp(low) < 0 {
		low = other
	}
	copy(out[32-len(r):], r)
	low.FillBytes(out[32:])
	return out
}
