package proof

import (
	"encoding/binary"
	"math"

	"github.com/dureledger/dure/ledger/fault"
)

// writer appends fixed-layout fields; integers are big-endian. wide: evidence is in its second layout.
type writer struct {
	b    []byte
	wide bool
}

func (w *writer) u8(v uint8)      { w.b = append(w.b, v) }
func (w *writer) u16(v uint16)    { w.b = binary.BigEndian.AppendUint16(w.b, v) }
func (w *writer) u32(v uint32)    { w.b = binary.BigEndian.AppendUint32(w.b, v) }
func (w *writer) u64(v uint64)    { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *writer) raw(v []byte)    { w.b = append(w.b, v...) }
func (w *writer) hash(v [32]byte) { w.b = append(w.b, v[:]...) }

// reader takes the same fields off the front. The first failure sticks; later reads return zeros, so that decoders
// read straight down and ask for the error once.
type reader struct {
	b    []byte
	wide bool // evidence is in its second layout
	err  *fault.Error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fault.New("proof.malformed", "the file is damaged or not complete: "+what)
	}
	r.b = nil
}

func (r *reader) take(n int, what string) []byte {
	if r.err != nil || n > len(r.b) {
		r.fail(what + " is cut short")
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) u8(what string) uint8 {
	if v := r.take(1, what); v != nil {
		return v[0]
	}
	return 0
}

func (r *reader) u16(what string) uint16 {
	if v := r.take(2, what); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

func (r *reader) u32(what string) uint32 {
	if v := r.take(4, what); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

func (r *reader) u64(what string) uint64 {
	if v := r.take(8, what); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// i63 reads a u64 that must fit a signed 64-bit integer, because heights, times and powers are signed where they
// are hashed.
func (r *reader) i63(what string) int64 {
	v := r.u64(what)
	if v > math.MaxInt64 {
		r.fail(what + " is out of range")
		return 0
	}
	return int64(v)
}

func (r *reader) hash(what string) (h [32]byte) {
	copy(h[:], r.take(32, what))
	return h
}

// bytes reads a u32 length and that many bytes; nil for none.
func (r *reader) bytes(what string) []byte {
	n := r.u32(what)
	if uint64(n) > uint64(len(r.b)) {
		r.fail(what + " is cut short")
	}
	if n == 0 || r.err != nil {
		return nil
	}
	return r.take(int(n), what)
}
