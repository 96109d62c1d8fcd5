package tx

import (
	"unsafe" //dure:unsafe where the stack is decides how fast a sum is, not what it is

	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/oasisprotocol/curve25519-voi/curve/scalar"
)

// terms are the points of a sum, each times a scalar.
type terms struct {
	points  []curve.EdwardsPoint
	scalars []scalar.Scalar
}

func newTerms(most int) *terms {
	return &terms{points: make([]curve.EdwardsPoint, 0, most), scalars: make([]scalar.Scalar, 0, most)}
}

// add returns the next term, to be set; its scalar is zero. There is room for as many as newTerms was told.
func (t *terms) add() (*curve.EdwardsPoint, *scalar.Scalar) {
	n := len(t.points)
	t.points, t.scalars = t.points[:n+1], t.scalars[:n+1]
	return &t.points[n], &t.scalars[n]
}

// sum is in variable time.
func (t *terms) sum() *curve.EdwardsPoint {
	if pageEndsBelow() {
		return t.sum() // a frame further down
	}
	points, scalars := make([]*curve.EdwardsPoint, len(t.points)), make([]*scalar.Scalar, len(t.points))
	for i := range points {
		points[i], scalars[i] = &t.points[i], &t.scalars[i]
	}
	return new(curve.EdwardsPoint).MultiscalarMulVartime(scalars, points)
}

// pageEndsBelow says whether a page of memory ends where the functions that add points up keep what they work on: about 2.5 KiB down the stack.
// Vectors of 32 bytes that lie across the end make a sum take up to 40 % longer.
// Measured with Go 1.26 on amd64; where it is otherwise this costs nothing.
func pageEndsBelow() bool {
	var here byte
	at := uintptr(unsafe.Pointer(&here)) % 4096
	return at >= 2304 && at < 2816
}
