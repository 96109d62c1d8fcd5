package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// MaxBlockBytes bounds the encoding of one block.
const MaxBlockBytes = 256 << 20

// Block is what a height decided. Its void transactions are not in it.
type Block struct {
	Height      int64    // at least 1; each block follows the one before it
	Time        int64    // block time, unix milliseconds
	AppHash     [32]byte // SHA-256(StateRoot || HistoryRoot), after the block
	StateRoot   [32]byte // after the block
	HistoryRoot [32]byte // after the block, as signed
	HistorySize uint64   // outcomes in the history after the block: FirstSeq + len(Entries)
	FirstSeq    uint64   // position in the history of the first entry
	Entries     []Entry  // the committed outcomes, in order of position
	Batches     []BatchRef
}

// Entry is one committed transaction.
type Entry struct {
	Outcome []byte // serialised dure.ledger.v1.Outcome: the data of the history's leaf
	Raw     []byte // the transaction as it was executed; nothing when it was erased, for no transaction is empty
	Rest    []byte // what was left of a transaction that was erased
}

// Erased says that Erase has left Rest of the transaction alone. The outcome is as it was.
func (e Entry) Erased() bool { return len(e.Raw) == 0 }

// asErasedIn is b with what is left of the transactions that are erased in held.
func (b *Block) asErasedIn(held *Block) *Block {
	if len(held.Entries) != len(b.Entries) || !slices.ContainsFunc(held.Entries, Entry.Erased) {
		return b
	}
	out := *b
	out.Entries = slices.Clone(b.Entries)
	for i := range out.Entries {
		if held.Entries[i].Erased() {
			out.Entries[i].Raw, out.Entries[i].Rest = nil, held.Entries[i].Rest
		}
	}
	return &out
}

// BatchRef is a batch that the block committed, kept so that a restarted node refuses it a second time.
type BatchRef struct {
	Hash      [32]byte
	ExpiresAt int64 // unix milliseconds
}

// The body of a block record, all integers big-endian: app hash, state root, history root (32 bytes each), number of
// batches, per batch hash and expiry (8 bytes), number of entries, per entry length and bytes of outcome and raw
// transaction; if that has length 0, it was erased, and length and bytes of what is left of it follow. Numbers and lengths are unsigned varints (encoding/binary). Height, time, first position and the number
// of entries again are in the record's header (frame.go), where scanning finds them.

const batchBytes = 40

func checkBlock(b *Block) error {
	if b.Height < 1 || uint64(len(b.Entries)) > math.MaxUint32 || b.HistorySize != b.FirstSeq+uint64(len(b.Entries)) {
		return fmt.Errorf("store: block %d: %d entries from position %d do not make a history of %d",
			b.Height, len(b.Entries), b.FirstSeq, b.HistorySize)
	}
	size := 0
	for i, e := range b.Entries {
		if e.Erased() || len(e.Rest) > 0 {
			return fmt.Errorf("store: block %d: entry %d has no transaction", b.Height, i)
		}
		size += len(e.Outcome) + len(e.Raw) + 2*binary.MaxVarintLen32
		if size > MaxBlockBytes/2 {
			return fmt.Errorf("store: block %d is larger than %d bytes", b.Height, MaxBlockBytes/2)
		}
	}
	if len(b.Batches) > MaxBlockBytes/4/batchBytes {
		return fmt.Errorf("store: block %d has too many batches", b.Height)
	}
	return nil
}

// bodySize is the bytes of a body, or a little more.
func bodySize(b *Block) int {
	size := 3*32 + 2*binary.MaxVarintLen32 + batchBytes*len(b.Batches)
	for _, e := range b.Entries {
		size += len(e.Outcome) + len(e.Raw) + len(e.Rest) + 3*binary.MaxVarintLen32
	}
	return size
}

func appendBody(buf []byte, b *Block) []byte {
	buf = append(buf, b.AppHash[:]...)
	buf = append(buf, b.StateRoot[:]...)
	buf = append(buf, b.HistoryRoot[:]...)
	buf = binary.AppendUvarint(buf, uint64(len(b.Batches)))
	for _, ref := range b.Batches {
		buf = append(buf, ref.Hash[:]...)
		buf = binary.BigEndian.AppendUint64(buf, uint64(ref.ExpiresAt))
	}
	buf = binary.AppendUvarint(buf, uint64(len(b.Entries)))
	for _, e := range b.Entries {
		buf = append(binary.AppendUvarint(buf, uint64(len(e.Outcome))), e.Outcome...)
		buf = append(binary.AppendUvarint(buf, uint64(len(e.Raw))), e.Raw...)
		if e.Erased() {
			buf = append(binary.AppendUvarint(buf, uint64(len(e.Rest))), e.Rest...)
		}
	}
	return buf
}

var errBody = errors.New("the block's body is malformed")

// decodeBody reads a body into b. The entries share memory with body. It allocates no more than a constant times
// len(body), whatever the body says.
func decodeBody(body []byte, b *Block) error {
	r := reader{rest: body}
	copy(b.AppHash[:], r.take(32))
	copy(b.StateRoot[:], r.take(32))
	copy(b.HistoryRoot[:], r.take(32))
	if n := r.count(batchBytes); n > 0 {
		b.Batches = make([]BatchRef, n)
		for i := range b.Batches {
			copy(b.Batches[i].Hash[:], r.take(32))
			if expires := r.take(8); expires != nil {
				b.Batches[i].ExpiresAt = int64(binary.BigEndian.Uint64(expires))
			}
		}
	}
	if n := r.count(2); n > 0 {
		b.Entries = make([]Entry, n)
		for i := range b.Entries {
			b.Entries[i].Outcome = r.take(r.count(1))
			if b.Entries[i].Raw = r.take(r.count(1)); b.Entries[i].Erased() {
				b.Entries[i].Rest = r.take(r.count(1))
			}
		}
	}
	if r.bad || len(r.rest) != 0 {
		return errBody
	}
	return nil
}

// reader takes pieces off a slice; once something is missing it is bad and gives nothing.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return nil
	}
	piece := r.rest[:n:n]
	r.rest = r.rest[n:]
	return piece
}

// count reads the number of items of at least size bytes that follow. Only the shortest encoding is taken.
func (r *reader) count(size int) int {
	n, used := binary.Uvarint(r.rest)
	if r.bad || used <= 0 || (used > 1 && r.rest[used-1] == 0) || n > uint64((len(r.rest)-used)/size) {
		r.bad = true
		return 0
	}
	r.rest = r.rest[used:]
	return int(n)
}
