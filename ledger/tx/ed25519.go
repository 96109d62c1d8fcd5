package tx

import (
	"crypto/sha3"
	"encoding/binary"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

// zip215 is the rule for every Ed25519 signature, alone or in a batch: ZIP-215, whose cofactored equation and
// acceptance of every decodable point make the two agree on all inputs.
var zip215 = &ed25519.Options{Verify: ed25519.VerifyOptionsZIP_215}

// minBatch is where a batch starts to pay; expandBelow is where precomputing tables of keys stops to.
const (
	minBatch    = 4
	expandBelow = 95
)

func verifyEd25519(public, message, signature []byte) bool {
	return len(public) == 32 && ed25519.VerifyWithOptions(public, message, signature, zip215)
}

// usableEd25519 says whether the bytes are a point that is not of small order.
func usableEd25519(public []byte) bool {
	var compressed curve.CompressedEdwardsY
	var p curve.EdwardsPoint
	if _, err := compressed.SetBytes(public); err != nil {
		return false
	}
	if _, err := p.SetCompressedY(&compressed); err != nil {
		return false
	}
	return !p.IsSmallOrder()
}

// PreparedEd25519 is an Ed25519 public key unpacked for checking many signatures, which then take a fifth less. It takes
// about 1.5 KiB, and twice as long to make as unpacking the key once.
type PreparedEd25519 = ed25519.ExpandedPublicKey

// PrepareEd25519 unpacks a public key, nil if it is none.
func PrepareEd25519(public []byte) *PreparedEd25519 {
	key, err := ed25519.NewExpandedPublicKey(public)
	if err != nil {
		return nil
	}
	return key
}

// ed25519Entry is one signature of a transaction: of a witness or, with a source, of a reading.
type ed25519Entry struct {
	tx, source, index          int
	public, message, signature []byte
}

type ed25519Batch []ed25519Entry

func newEd25519Batch(txs []*Tx) ed25519Batch {
	n := 0
	for _, t := range txs {
		n += len(t.Witnesses)
		for i := range t.Sources {
			n += len(t.Sources[i].Readings)
		}
	}
	return make(ed25519Batch, 0, n)
}

// add adds every Ed25519 signature of a transaction.
func (b *ed25519Batch) add(tx int, t *Tx) {
	for i, w := range t.Witnesses {
		if w.Kind == accountv1.KeyKind_KEY_KIND_ED25519 {
			*b = append(*b, ed25519Entry{tx: tx, source: -1, index: i, public: w.PublicKey, message: t.ID[:], signature: w.Signature})
		}
	}
	for i := range t.Sources {
		s := &t.Sources[i]
		if s.Key.Kind != accountv1.KeyKind_KEY_KIND_ED25519 {
			continue
		}
		for j, r := range s.Readings {
			*b = append(*b, ed25519Entry{
				tx: tx, source: i, index: j, public: s.Key.Public, message: r.SignedBytes(t.network, s.Device), signature: r.Signature[:],
			})
		}
	}
}

// bad returns the entries whose signatures are wrong.
func (b ed25519Batch) bad(prepared Prepared) []ed25519Entry {
	var bad []ed25519Entry
	if len(b) < minBatch {
		for _, e := range b {
			if !verifyEd25519(e.public, e.message, e.signature) {
				bad = append(bad, e)
			}
		}
		return bad
	}
	v := ed25519.NewBatchVerifierWithCapacity(len(b))
	if len(b) >= expandBelow {
		v.ForceNoPublicKeyExpansion()
	}
	for _, e := range b {
		if key := prepared.Ed25519(e.public); key != nil {
			v.AddExpandedWithOptions(key, e.message, e.signature, zip215)
			continue
		}
		v.AddWithOptions(e.public, e.message, e.signature, zip215)
	}
	// Verify checks each entry alone when the batch fails, so its answers are exact.
	all, good := v.Verify(b.coefficients())
	if all {
		return nil
	}
	for i, e := range b {
		if !good[i] {
			bad = append(bad, e)
		}
	}
	return bad
}

// coefficients is the stream the batch equation takes its 128-bit coefficients from. It must be unpredictable to whoever
// made the signatures; a hash of everything in the batch is, as changing any signature changes all coefficients
// (the Fiat-Shamir argument: a wrong batch passes for one content in 2^128). So the package needs no randomness and
// the same batch always gets the same answer.
func (b ed25519Batch) coefficients() *sha3.SHAKE {
	h := sha3.NewSHAKE256()
	h.Write([]byte("dure/batch/v1\n"))
	var length [4]byte
	for _, e := range b {
		// Keys and signatures have a fixed length, checked by Decode: 32 and 64 bytes. A message has not.
		binary.BigEndian.PutUint32(length[:], uint32(len(e.message)))
		h.Write(length[:])
		h.Write(e.public)
		h.Write(e.message)
		h.Write(e.signature)
	}
	return h
}
