package tx

import (
	"bytes"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/binary"

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
	"github.com/oasisprotocol/curve25519-voi/primitives/ed25519"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

// zip215 is the rule for every Ed25519 signature, alone or in a batch: ZIP-215, whose cofactored equation and
// acceptance of every decodable point make the two agree on all inputs.
var zip215 = &ed25519.Options{Verify: ed25519.VerifyOptionsZIP_215}

// minBatch is where a batch starts to pay.
const minBatch = 4

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
	if len(b) >= minBatch && b.holds(prepared) {
		return nil
	}
	var bad []ed25519Entry
	for _, e := range b {
		if !verifyEd25519(e.public, e.message, e.signature) {
			bad = append(bad, e)
		}
	}
	return bad
}

// holds says whether all signatures are good, by one equation for all of them,
//
//	[8](-[sum(zs)]B + sum([z]R) + sum([zk]A)) = 0,
//
// where R and s are the halves of a signature, A is its key, k the hash of the three (RFC 8032, section 5.1.7) and z a coefficient of its own. That of
// a single signature is [8](-[s]B + R + [k]A) = 0: see zip215.
func (b ed25519Batch) holds(prepared Prepared) bool {
	for _, e := range b {
		if len(e.public) != 32 || len(e.signature) != 64 {
			return false
		}
	}
	// All is asked for before anything is used, so that the processor waits for memory once.
	candidates := make([][2]X, len(b))
	for i, e := range b {
		candidates[i] = prepared.Ed25519((*[32]byte)(e.public), 0)
	}
	all, coefficients := newTerms(1+2*len(b)), b.coefficients()
	base, timesBase := all.add()
	base.Set(curve.ED25519_BASEPOINT_POINT)
	var timesKey *scalar.Scalar
	for i, e := range b {
		z, k, s, ok := e.scalars(coefficients)
		if !ok {
			return false
		}
		r, timesR := all.add()
		if _, err := r.SetCompressedY((*curve.CompressedEdwardsY)(e.signature)); err != nil {
			return false
		}
		if i == 0 || !bytes.Equal(e.public, b[i-1].public) { // a device's readings in a row are one term
			var key *curve.EdwardsPoint
			key, timesKey = all.add()
			if !setKey(key, (*[32]byte)(e.public), candidates[i], prepared) {
				return false
			}
		}
		timesR.Set(&z)
		timesKey.Add(timesKey, k.Mul(&k, &z))
		timesBase.Add(timesBase, s.Mul(&s, &z))
	}
	timesBase.Neg(timesBase)
	return all.sum().IsSmallOrder()
}

// scalars returns the coefficient, the hash and s of an entry, or that s is not below the group's order.
func (e *ed25519Entry) scalars(coefficients *sha3.SHAKE) (z, k, s scalar.Scalar, ok bool) {
	var coefficient [32]byte
	_, failed := coefficients.Read(coefficient[:16])
	hash := sha512.New()
	hash.Write(e.signature[:32])
	hash.Write(e.public)
	hash.Write(e.message)
	var digest [64]byte
	_, errZ := z.SetBits(coefficient[:])
	_, errK := k.SetBytesModOrderWide(hash.Sum(digest[:0]))
	_, errS := s.SetBits(e.signature[32:])
	return z, k, s, failed == nil && errZ == nil && errK == nil && errS == nil && scalar.ScMinimalVartime(e.signature[32:])
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
