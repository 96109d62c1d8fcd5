package statuslist

import (
	"encoding/binary"
	"fmt"

	"github.com/dureledger/dure/ledger/tx"
)

// Statuses of section 7.1. What others mean is the issuer's to say.
const (
	Valid     = 0
	Invalid   = 1
	Suspended = 2
)

const (
	// ChunkBytes is how many bytes of a list the ledger keeps under one key.
	ChunkBytes = 512
	// MaxBytes bounds a list on the ledger: 1,048,576 entries of one bit.
	MaxBytes = 128 << 10
)

// indexBytes is what an index takes in AppendIndexes.
const indexBytes = 3

// AppendIndexes writes indexes as identity.set_status has them: 3 bytes each, big endian. One that does not fit is written as the largest that does, which is
// behind the end of every list: it is refused, and sets no other credential's status.
func AppendIndexes(b []byte, indexes ...uint32) []byte {
	for _, i := range indexes {
		i = min(i, 1<<(8*indexBytes)-1)
		b = append(b, byte(i>>16), byte(i>>8), byte(i))
	}
	return b
}

// ReadIndexes reads what AppendIndexes writes. There must be 1 to most of them, in ascending order, no two the same.
func ReadIndexes(b []byte, most int) ([]uint32, error) {
	if len(b) == 0 || len(b)%indexBytes != 0 || len(b)/indexBytes > most {
		return nil, fmt.Errorf("%d bytes are not 1 to %d indexes of %d bytes", len(b), most, indexBytes)
	}
	out := make([]uint32, 0, len(b)/indexBytes)
	for ; len(b) > 0; b = b[indexBytes:] {
		i := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
		if n := len(out); n > 0 && out[n-1] >= i {
			return nil, fmt.Errorf("%d comes after %d; indexes ascend", i, out[n-1])
		}
		out = append(out, i)
	}
	return out, nil
}

// What the raw state keys of lists and of their chunks begin with.
const (
	HeadPrefix  = "Il"
	ChunkPrefix = "Ic"
)

// HeadKey is the raw state key of a list, a dure.identity.v1.StatusList that says how many entries it has and of how many bits.
func HeadKey(issuer tx.Address, list uint32) []byte {
	return binary.BigEndian.AppendUint32(append([]byte(HeadPrefix), issuer[:]...), list)
}

// Place is where a chunk of a status list is on the ledger.
type Place struct {
	Issuer tx.Address
	List   uint32
	// Chunk counts from 0.
	Chunk uint32
}

// PlaceOf says which chunk of a list has an entry, and which of the chunk's entries it is.
func PlaceOf(issuer tx.Address, list, bits, index uint32) (Place, uint32) {
	perChunk := ChunkBytes * 8 / bits
	return Place{issuer, list, index / perChunk}, index % perChunk
}

// Append adds a place as it stands in a key: the issuer, 20 bytes, the list and the chunk, 4 bytes each, big endian.
func (p Place) Append(b []byte) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(append(b, p.Issuer[:]...), p.List), p.Chunk)
}

// Key is the raw state key of a chunk.
func (p Place) Key() []byte { return p.Append([]byte(ChunkPrefix)) }

// ReadPlace reads what Append adds.
func ReadPlace(b []byte) (Place, error) {
	if len(b) != 28 {
		return Place{}, fmt.Errorf("want an address, a list and a chunk in 28 bytes, not %d", len(b))
	}
	return Place{tx.Address(b[:20]), binary.BigEndian.Uint32(b[20:]), binary.BigEndian.Uint32(b[24:])}, nil
}

// Bits says whether an entry may have so many bits.
func Bits(n uint32) bool { return n == 1 || n == 2 || n == 4 || n == 8 }

// Bytes is how many bytes so many entries take, which must be a multiple of 8.
func Bytes(bits, entries uint32) uint64 { return uint64(bits) * uint64(entries) / 8 }

// List is the entries of a status list, or of a chunk of one, of so many bits each.
type List struct {
	Bits    uint32
	Entries []byte
}

// Len is the number of entries.
func (l List) Len() uint32 { return uint32(uint64(len(l.Entries)) * 8 / uint64(l.Bits)) }

// Get returns the status of an entry and whether there is one.
func (l List) Get(index uint32) (status uint32, ok bool) {
	if !Bits(l.Bits) || index >= l.Len() {
		return 0, false
	}
	at, shift := l.place(index)
	return uint32(l.Entries[at]>>shift) & (1<<l.Bits - 1), true
}

// Set gives an entry a status. Both must be within the list.
func (l List) Set(index, status uint32) {
	at, shift := l.place(index)
	mask := byte(1<<l.Bits-1) << shift
	l.Entries[at] = l.Entries[at]&^mask | byte(status)<<shift&mask
}

func (l List) place(index uint32) (at uint64, shift uint32) {
	bit := uint64(index) * uint64(l.Bits)
	return bit / 8, uint32(bit % 8)
}
