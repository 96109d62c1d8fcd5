package moduletest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// Attester is the attestation key of the TPM that a name stands for.
func Attester(name string) tx.Signer {
	sum := sha256.Sum256([]byte("tpm " + name))
	return txtest.Signer(accountv1.KeyKind_KEY_KIND_P256, binary.BigEndian.Uint64(sum[:]))
}

// Quote is what a TPM says that has been started some times: that registers (bit n is PCR n) have a digest.
func Quote(nonce [32]byte, resets, pcrs uint32, digest [32]byte) []byte {
	b := []byte{0xff, 'T', 'C', 'G', 0x80, 0x18, 0, 0, 0, 32}
	b = append(append(b, nonce[:]...), make([]byte, 8)...)          // clock
	b = binary.BigEndian.AppendUint32(b, resets)                    // and 0 restarts
	b = append(append(b, 0, 0, 0, 0, 1), make([]byte, 8)...)        // safe; firmware version
	b = append(b, 0, 0, 0, 1, 0, 0x0b, 3)                           // one bank, SHA-256
	b = append(b, byte(pcrs), byte(pcrs>>8), byte(pcrs>>16), 0, 32) // registers, size of the digest
	return append(b, digest[:]...)
}

// QuoteSignature is that of the TPM that a name stands for.
func QuoteSignature(tpm string, quote []byte) []byte {
	w, err := Attester(tpm).Sign(sha256.Sum256(quote))
	if err != nil {
		panic("moduletest: " + err.Error())
	}
	return slices.Concat([]byte{0, 0x18, 0, 0x0b, 0, 32}, w.GetSignature()[:32], []byte{0, 32}, w.GetSignature()[32:])
}

// token reads DEVICE/NONCE/BOOT/IMAGE or, signed by the key of another, DEVICE/NONCE/BOOT/IMAGE/SIGNER.
func (p *player) token(word string) ([]byte, error) {
	parts := strings.Split(word, "/")
	if len(parts) != 4 && len(parts) != 5 {
		return nil, fmt.Errorf("want DEVICE/NONCE/BOOT/IMAGE or DEVICE/NONCE/BOOT/IMAGE/SIGNER, not %q", word)
	}
	nonce, boot, err := p.nonceAndBoot(parts[1], parts[2])
	if err != nil {
		return nil, err
	}
	signer := parts[0]
	if len(parts) == 5 {
		signer = parts[4]
	}
	sum := sha256.Sum256([]byte(signer)) // as Key has it
	key := ed25519.NewKeyFromSeed(txtest.Secret(binary.BigEndian.Uint64(sum[:])))
	t := &evidence.Token{Device: p.names.add(parts[0]), Nonce: nonce, Boot: boot, Firmware: sha256.Sum256([]byte(parts[3]))}
	p.names.remember(t.Firmware[:], parts[3])
	return evidence.Sign(txtest.NetworkID, t, key)
}

func (p *player) nonceAndBoot(nonce, boot string) ([32]byte, uint64, error) {
	made, err := p.names.made("nonce", nonce, 32)
	if err != nil {
		return [32]byte{}, 0, err
	}
	n, err := strconv.ParseUint(boot, 10, 64)
	return [32]byte(made), n, err
}

// quote reads NONCE/RESETS/PCRS/DIGEST, where DIGEST is a word and PCRS a number whose bits are registers.
func (p *player) quote(word string) ([]byte, error) {
	parts := strings.Split(word, "/")
	if len(parts) != 4 {
		return nil, fmt.Errorf("want NONCE/RESETS/PCRS/DIGEST, not %q", word)
	}
	nonce, resets, err := p.nonceAndBoot(parts[0], parts[1])
	if err != nil {
		return nil, err
	}
	pcrs, err := strconv.ParseUint(parts[2], 10, 24)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(parts[3]))
	p.names.remember(digest[:], parts[3])
	p.quoted = Quote(nonce, uint32(resets), uint32(pcrs), digest)
	return p.quoted, nil
}
