package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/holiman/uint256"
	"google.golang.org/protobuf/proto"
)

// Codec turns values of one type into bytes and back. Encodings used as keys must sort as the values do and
// none may be a prefix of another. Values never encode to nothing, which the state cannot hold.
type Codec[T any] struct {
	// Append adds the encoding to b.
	Append func(b []byte, value T) []byte
	// Decode keeps nothing of the bytes.
	Decode func([]byte) (T, error)
}

// Getter is what typed reads need: a View or a Reader.
type Getter interface {
	Get(key []byte) ([]byte, bool)
}

// peeker is a Getter that can show a value without copying it, to be decoded at once.
type peeker interface {
	Getter
	peek(key []byte) ([]byte, bool)
	hold()
}

// Map is a typed part of the key space: keys are the prefix and the encoded K.
type Map[K, V any] struct {
	prefix []byte
	key    Codec[K]
	value  Codec[V]
}

// NewMap makes a Map. The prefix starts with the module's letter; no Map's prefix on the ledger starts with
// another's, or one would walk into the other's entries.
func NewMap[K, V any](prefix string, key Codec[K], value Codec[V]) Map[K, V] {
	return Map[K, V]{[]byte(prefix), key, value}
}

// usualKey is what most keys fit in, bytes.
const usualKey = 48

// Key is the raw state key of k.
func (m Map[K, V]) Key(k K) []byte {
	return m.key.Append(append(make([]byte, 0, usualKey), m.prefix...), k)
}

// Get returns the value of k and whether it is there. Bytes that do not decode are a broken ledger and panic.
func (m Map[K, V]) Get(g Getter, k K) (value V, ok bool) {
	p, near := g.(peeker)
	if !near {
		raw, ok := g.Get(m.Key(k))
		if !ok {
			return value, false
		}
		return m.decode(raw), true
	}
	raw, ok := p.peek(m.Key(k))
	if ok {
		value = m.decode(raw)
	}
	p.hold()
	return value, ok
}

// Has says whether k is there.
func (m Map[K, V]) Has(g Getter, k K) bool {
	if p, near := g.(peeker); near {
		_, ok := p.peek(m.Key(k))
		p.hold()
		return ok
	}
	_, ok := g.Get(m.Key(k))
	return ok
}

// Set gives k a value.
func (m Map[K, V]) Set(v *View, k K, value V) { v.Set(m.Key(k), m.value.Append(nil, value)) }

// Delete removes k.
func (m Map[K, V]) Delete(v *View, k K) { v.Delete(m.Key(k)) }

// Ascend calls fn for every entry whose encoded key starts with part, in order, until fn returns false.
func (m Map[K, V]) Ascend(r Reader, part []byte, fn func(K, V) bool) {
	m.ascend(r, append(append([]byte{}, m.prefix...), part...), part, fn)
}

// AscendAfter is Ascend for the entries after a key, which need not be there.
func (m Map[K, V]) AscendAfter(r Reader, part []byte, after K, fn func(K, V) bool) {
	m.ascend(r, append(m.Key(after), 0), part, fn)
}

func (m Map[K, V]) ascend(r Reader, from, part []byte, fn func(K, V) bool) {
	end := PrefixEnd(append(append([]byte{}, m.prefix...), part...))
	r.Ascend(from, end, func(key, value []byte) bool {
		k, err := m.key.Decode(key[len(m.prefix):])
		if err != nil {
			panic(fmt.Sprintf("state: key %x: %v", key, err))
		}
		return fn(k, m.decode(value))
	})
}

func (m Map[K, V]) decode(raw []byte) V {
	value, err := m.value.Decode(raw)
	if err != nil {
		panic(fmt.Sprintf("state: value under %q: %v", m.prefix, err))
	}
	return value
}

// PrefixEnd is the first key after all that start with prefix, nil if there is none.
func PrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			end := append([]byte{}, prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}

var deterministic = proto.MarshalOptions{Deterministic: true}

// emptyMessage stands for a message without fields, whose own encoding is empty. No protobuf starts with it.
var emptyMessage = []byte{0}

// Message is a pointer to a protobuf message with a generated decoder.
type Message[T any] interface {
	*T
	proto.Message
	UnmarshalVT(b []byte) error
}

// Proto stores messages of type T in deterministic protobuf, and one without fields as a zero byte. What is read was
// written by Append, which refuses text that is not UTF-8.
func Proto[T any, M Message[T]]() Codec[M] {
	return Codec[M]{
		Append: func(b []byte, m M) []byte {
			before := len(b)
			b, err := deterministic.MarshalAppend(b, m)
			if err != nil {
				panic(fmt.Sprintf("state: %v", err))
			}
			if len(b) == before {
				return append(b, emptyMessage...)
			}
			return b
		},
		Decode: func(b []byte) (M, error) {
			m := M(new(T))
			if bytes.Equal(b, emptyMessage) {
				return m, nil
			}
			return m, m.UnmarshalVT(b)
		},
	}
}

// Uint64 encodes as 8 bytes, big-endian.
var Uint64 = Codec[uint64]{
	Append: binary.BigEndian.AppendUint64,
	Decode: func(b []byte) (uint64, error) {
		if len(b) != 8 {
			return 0, errors.New("want 8 bytes")
		}
		return binary.BigEndian.Uint64(b), nil
	},
}

// Amount encodes a number below 2^128 as 16 bytes, big-endian. A larger one would lose its upper half and panics.
var Amount = Codec[uint256.Int]{
	Append: func(b []byte, n uint256.Int) []byte {
		if n.BitLen() > 128 {
			panic("state: amount of 2^128 or more")
		}
		b = slices.Grow(b, 16)
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, n[1]), n[0])
	},
	Decode: func(b []byte) (n uint256.Int, err error) {
		if len(b) != 16 {
			return n, errors.New("want 16 bytes")
		}
		n.SetBytes(b)
		return n, nil
	},
}

// Bytes stores raw bytes as they are; as values they must not be empty.
var Bytes = Codec[[]byte]{
	Append: func(b, value []byte) []byte { return append(b, value...) },
	Decode: func(b []byte) ([]byte, error) { return bytes.Clone(b), nil },
}
