package tx

import (
	"encoding/binary"
	"reflect"
	"unsafe" //dure:unsafe coordinates are written to a point only when they are those of the key: it is the point that unpacking the key gives

	"filippo.io/edwards25519/field"
	"github.com/oasisprotocol/curve25519-voi/curve"
)

// X is the x-coordinate of a point of edwards25519, little endian. Zero stands for none.
type X [32]byte

// coordinates is how package curve keeps a point: extended coordinates, each five limbs of 51 bits, as package field has
// them too. The package offers no other way to a point than by unpacking, which takes a square root.
type coordinates struct{ X, Y, Z, T field.Element }

func coordinatesOf(p *curve.EdwardsPoint) *coordinates { return (*coordinates)(unsafe.Pointer(p)) }

// setKey sets a point to that of a public key, false if it is none. The candidates are the first that prepared has.
func setKey(p *curve.EdwardsPoint, public *[32]byte, candidates [2]X, prepared Prepared) bool {
	if knownLayout {
		if setEither(p, public, &candidates) {
			return true
		}
		if candidates = prepared.Ed25519(public, 1); setEither(p, public, &candidates) {
			return true
		}
	}
	if _, err := p.SetCompressedY((*curve.CompressedEdwardsY)(public)); err != nil {
		return false
	}
	if knownLayout {
		prepared.KeepEd25519(public, X(coordinatesOf(p).X.Bytes()))
	}
	return true
}

// PrepareEd25519 has prepared keep what makes checking signatures by a public key quick, if it has not. Of bytes that are no key nothing is kept.
func PrepareEd25519(public *[32]byte, prepared Prepared) {
	var p curve.EdwardsPoint
	setKey(&p, public, prepared.Ed25519(public, 0), prepared)
}

// setEither sets a point by the one of two x-coordinates that is the key's.
func setEither(p *curve.EdwardsPoint, public *[32]byte, of *[2]X) bool {
	return setX(p, public, &of[0]) || setX(p, public, &of[1])
}

// setX sets a point by an x-coordinate if that is the key's: if -x² + y² = 1 + dx²y² holds with the key's y, and x has
// the key's sign. Only one x does: the equation has one solution for x², as 1 + dy² is never zero, and of the two roots of one that
// is not zero one is even and one is odd.
func setX(p *curve.EdwardsPoint, public *[32]byte, x *X) bool {
	// Most candidates that are wrong end here. Beyond the field's prime, 2^255 - 19, an odd number may be even; the check is stricter by a few numbers.
	if x[0]&1 != public[31]>>7 || binary.LittleEndian.Uint64(x[24:]) >= 1<<63-1 || *x == (X{}) {
		return false
	}
	var c coordinates
	_, errX := c.X.SetBytes(x[:])
	_, errY := c.Y.SetBytes(public[:]) // without the sign, and beyond the prime taken modulo it, as unpacking does
	if errX != nil || errY != nil {
		return false
	}
	c.Z.One()
	c.T.Multiply(&c.X, &c.Y)
	var difference, part field.Element
	difference.Square(&c.Y)
	difference.Subtract(&difference, part.Square(&c.X))
	difference.Subtract(&difference, &c.Z)
	difference.Subtract(&difference, part.Multiply(part.Square(&c.T), curveD))
	if X(difference.Bytes()) != (X{}) {
		return false
	}
	*coordinatesOf(p) = c
	return true
}

// curveD is the curve's constant d, -121665/121666 (RFC 8032, section 5.1).
var curveD = func() *field.Element {
	var d, by field.Element
	d.Mult32(d.One(), 121665)
	by.Invert(by.Mult32(by.One(), 121666))
	return d.Negate(d.Multiply(&d, &by))
}()

// knownLayout says whether a point of package curve is kept as coordinates says. Where it is not, which is so with 32 bits and may come to be
// with another version of the package, keys are unpacked each time.
var knownLayout = sameLayout() && sameCoordinates()

// sameLayout looks at the types.
func sameLayout() bool {
	point, ours := limbs(reflect.TypeFor[curve.EdwardsPoint](), 0, nil), limbs(reflect.TypeFor[coordinates](), 0, nil)
	if len(point) != 20 || len(ours) != 20 || unsafe.Sizeof(curve.EdwardsPoint{}) != 160 || unsafe.Sizeof(coordinates{}) != 160 {
		return false
	}
	for i := range point {
		if point[i] != uintptr(i)*8 || ours[i] != point[i] {
			return false
		}
	}
	return true
}

// limbs appends the offsets of a type's numbers of 64 bits, and one that cannot be for anything else.
func limbs(t reflect.Type, at uintptr, out []uintptr) []uintptr {
	switch t.Kind() {
	case reflect.Uint64:
		return append(out, at)
	case reflect.Struct:
		for i := range t.NumField() {
			out = limbs(t.Field(i).Type, at+t.Field(i).Offset, out)
		}
		return out
	case reflect.Array:
		for i := range t.Len() {
			out = limbs(t.Elem(), at+uintptr(i)*t.Elem().Size(), out)
		}
		return out
	default:
		return append(out, ^uintptr(0))
	}
}

// sameCoordinates looks at some points: multiples of the base point, of both signs.
func sameCoordinates() bool {
	var sum, unpacked, set curve.EdwardsPoint
	sum.Identity()
	for range 16 {
		sum.Add(&sum, curve.ED25519_BASEPOINT_POINT)
		var public curve.CompressedEdwardsY
		public.SetEdwardsPoint(&sum)
		if _, err := unpacked.SetCompressedY(&public); err != nil {
			return false
		}
		x := X(coordinatesOf(&unpacked).X.Bytes())
		var doubled, again curve.EdwardsPoint
		if !setX(&set, (*[32]byte)(&public), &x) || set.Equal(&sum) != 1 ||
			doubled.Add(&sum, &sum).Equal(again.Add(&set, &set)) != 1 || again.Add(&set, &sum).Equal(&doubled) != 1 {
			return false
		}
	}
	return true
}
