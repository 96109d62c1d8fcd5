package tx

import "github.com/oasisprotocol/curve25519-voi/curve"

// KnownLayout says whether coordinates are used at all.
var KnownLayout = knownLayout

// Takes says whether a candidate is taken for the x-coordinate of a key, and whether that gives the point that unpacking the key
// does, in all of its coordinates.
func Takes(public [32]byte, x X) (taken, same bool) {
	var set, unpacked, sumSet, sumUnpacked curve.EdwardsPoint
	if !knownLayout || !setX(&set, &public, &x) {
		return false, false
	}
	if _, err := unpacked.SetCompressedY((*curve.CompressedEdwardsY)(&public)); err != nil {
		return true, false
	}
	sumSet.Add(&set, curve.ED25519_BASEPOINT_POINT)
	sumUnpacked.Add(&unpacked, curve.ED25519_BASEPOINT_POINT)
	return true, set.Equal(&unpacked) == 1 && sumSet.Equal(&sumUnpacked) == 1
}

// Together says whether the signatures of transactions pass the equation for all of them.
func Together(txs []*Tx, prepared Prepared) bool {
	batch := newEd25519Batch(txs)
	for i, t := range txs {
		batch.add(i, t)
	}
	return batch.holds(prepared)
}
