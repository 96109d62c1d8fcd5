package consensus

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/dureledger/dure/ledger/tx"
)

const (
	// lineWords is how much the processor fetches at once, 64 bytes: room for the x-coordinates of two keys.
	lineWords = 8
	// firstLines are in a table that is new, 64 KiB, and mostLines in the largest, 64 MiB. Of a million keys that sign at random 97 of 100 are
	// found, as one whose first line is full has a second.
	firstLines, mostLines = 1 << 10, 1 << 20
	// When one in fullAt places of a table is used another takes its place that is growth times as large, or the largest, and empty: the keys that were
	// in it, 16,384 at most, are unpacked once more.
	fullAt, growth = 8, 64
)

// xTable keeps x-coordinates of Ed25519 keys, the newest two of each line, and not whose they are: the reader finds out
// (tx.Prepared). So it may forget them, mix them up and even tear them apart, and needs no lock. Whoever chooses keys that share both lines has them unpacked
// each time, as they were before there was a table. It is safe for concurrent use.
type xTable struct {
	lines atomic.Pointer[xLines]
}

type xLines struct {
	words []atomic.Uint64
	used  atomic.Int64 // places of four words that have been filled for the first time
}

func newXTable() *xTable {
	t := &xTable{}
	t.lines.Store(newXLines(firstLines))
	return t
}

func newXLines(n int) *xLines { return &xLines{words: make([]atomic.Uint64, n*lineWords)} }

// line is the first (0) or the second (1) in which a key's x-coordinate may be.
func (l *xLines) line(public *[32]byte, which int) []atomic.Uint64 {
	lines := uint64(len(l.words) / lineWords)
	at := binary.LittleEndian.Uint64(public[8+8*which:]) & (lines - 1) * lineWords
	return l.words[at : at+lineWords : at+lineWords]
}

// find returns what is in a line of a key.
func (t *xTable) find(public *[32]byte, which int) (found [2]tx.X) {
	line := t.lines.Load().line(public, which)
	for i := range lineWords {
		binary.LittleEndian.PutUint64(found[i/4][i%4*8:], line[i].Load())
	}
	return found
}

// keep puts an x-coordinate into its key's first line, or the second if only that has room, or in the place of the oldest in the first.
func (t *xTable) keep(public *[32]byte, x tx.X) {
	lines := t.lines.Load()
	line := lines.line(public, 0)
	if second := lines.line(public, 1); !hasRoom(line) && hasRoom(second) {
		line = second
	}
	n := len(lines.words) / lineWords
	if hasRoom(line) && lines.used.Add(1) == int64(2*n/fullAt) && n < mostLines {
		lines = newXLines(min(growth*n, mostLines))
		line = lines.line(public, 0)
		t.lines.Store(lines)
	}
	for i := range 4 {
		line[4+i].Store(line[i].Load())
		line[i].Store(binary.LittleEndian.Uint64(x[i*8:]))
	}
}

// hasRoom says whether the second place of a line is empty.
func hasRoom(line []atomic.Uint64) bool { return line[4].Load() == 0 }
