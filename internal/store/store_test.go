package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func testRoot(size uint64, root [32]byte) [32]byte {
	return sha256.Sum256(append(binary.BigEndian.AppendUint64([]byte("test"), size), root[:]...))
}

func small() Options {
	return Options{Logger: quiet(), SegmentBytes: 4 << 10, SyncOutcomes: 7, HistoryRoot: testRoot}
}

func open(t testing.TB, dir string, opts Options) *Store {
	t.Helper()
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStore(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// chain makes blocks that follow each other, with right history roots.
type chain struct {
	height int64
	seq    uint64
	leaves [][32]byte
}

func (c *chain) next(entries int) Block {
	c.height++
	b := Block{Height: c.height, Time: 1000 * c.height, FirstSeq: c.seq, StateRoot: [32]byte{byte(c.height)}}
	for i := range entries {
		b.Entries = append(b.Entries, Entry{
			Outcome: fmt.Appendf(nil, "outcome %d.%d", c.height, i),
			Raw:     bytes.Repeat([]byte{byte(i)}, 1+int(c.height)%50),
		})
		c.leaves = append(c.leaves, [32]byte(rfc6962.DefaultHasher.HashLeaf(b.Entries[i].Outcome)))
		c.seq++
	}
	for i := range c.height % 3 {
		b.Batches = append(b.Batches, BatchRef{Hash: [32]byte{byte(c.height), byte(i)}, ExpiresAt: b.Time + i})
	}
	b.HistorySize = c.seq
	b.HistoryRoot = testRoot(c.seq, referenceRoot(c.leaves))
	b.AppHash = sha256.Sum256(append(b.StateRoot[:], b.HistoryRoot[:]...))
	return b
}

func (c *chain) blocks(n int) []Block {
	out := make([]Block, n)
	for i := range out {
		out[i] = c.next(i * 7 % 5)
	}
	return out
}

func changesOf(height int64) []state.Change {
	return []state.Change{
		{Key: []byte("latest"), Value: fmt.Appendf(nil, "%d", height)},
		{Key: fmt.Appendf(nil, "key\x00%d", height%10), Value: fmt.Appendf(nil, "value %d", height)},
	}
}

func appendAll(t testing.TB, s *Store, blocks []Block) {
	t.Helper()
	for _, b := range blocks {
		if err := s.Append(b); err != nil {
			t.Fatalf("block %d: %v", b.Height, err)
		}
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if fault.Code(err) != code {
		t.Fatalf("got error %v, want code %s", err, code)
	}
}

// checkHolds compares everything that can be read with the blocks.
func checkHolds(t testing.TB, s *Store, blocks []Block) {
	t.Helper()
	last := blocks[len(blocks)-1]
	if s.LastHeight() != last.Height || s.SyncedHeight() != last.Height {
		t.Fatalf("last height %d, want %d", s.LastHeight(), last.Height)
	}
	if tip, ok := s.Tip(); !ok || tip.AppHash != last.AppHash || tip.HistorySize != last.HistorySize {
		t.Fatalf("tip %+v, want %+v", tip, last)
	}
	i := 0
	err := s.Replay(0, func(b *Block) error {
		if fmt.Sprintf("%x", *b) != fmt.Sprintf("%x", blocks[i]) {
			t.Fatalf("block %d differs:\n%x\n%x", b.Height, *b, blocks[i])
		}
		i++
		return nil
	})
	if err != nil || i != len(blocks) {
		t.Fatalf("replayed %d of %d blocks: %v", i, len(blocks), err)
	}
	for _, b := range blocks {
		entries, err := s.EntriesOfHeight(b.Height)
		if err != nil || len(entries) != len(b.Entries) {
			t.Fatalf("block %d: %d entries, %v", b.Height, len(entries), err)
		}
		for i, want := range b.Entries {
			got, err := s.Entry(b.FirstSeq + uint64(i))
			if err != nil || !bytes.Equal(got.Outcome, want.Outcome) || !bytes.Equal(got.Raw, want.Raw) || !bytes.Equal(got.Rest, want.Rest) ||
				got.Height != b.Height || got.Position != i || got.Time != b.Time || got.Seq != entries[i].Seq {
				t.Fatalf("entry %d of block %d: %+v, %v", i, b.Height, got, err)
			}
		}
	}
	root, err := s.History().Root(last.HistorySize)
	if err != nil || s.History().Size() != last.HistorySize || testRoot(last.HistorySize, root) != last.HistoryRoot {
		t.Fatalf("history of %d has another root (%v)", s.History().Size(), err)
	}
}

func TestAppendAndRead(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, small())
	if _, ok := s.Tip(); ok || s.LastHeight() != 0 || s.FirstHeight() != 1 {
		t.Fatal("a new store is not empty")
	}
	blocks := new(chain).blocks(200)
	appendAll(t, s, blocks)
	checkHolds(t, s, blocks)
	if names, _ := os.ReadDir(filepath.Join(dir, "blocks")); len(names) < 5 {
		t.Fatalf("only %d segments", len(names))
	}
	closeStore(t, s)
	s = open(t, dir, small())
	defer closeStore(t, s)
	checkHolds(t, s, blocks)

	_, err := s.BlockAt(201)
	wantCode(t, err, CodeUnknownBlock)
	_, err = s.BlockAt(0)
	wantCode(t, err, CodeUnknownBlock)
	_, err = s.Entry(blocks[199].HistorySize)
	wantCode(t, err, CodeUnknownOutcome)
}

func TestEntriesPages(t *testing.T) {
	s := open(t, t.TempDir(), small())
	defer closeStore(t, s)
	blocks := new(chain).blocks(60)
	appendAll(t, s, blocks)
	end := blocks[59].HistorySize
	for _, limit := range []int{1, 3, 1000} {
		var seq uint64
		for {
			page, err := s.Entries(seq, limit)
			if err != nil || len(page) > limit {
				t.Fatalf("%d entries, %v", len(page), err)
			}
			if len(page) == 0 {
				break
			}
			for _, e := range page {
				if e.Seq != seq {
					t.Fatalf("got position %d, want %d", e.Seq, seq)
				}
				seq++
			}
		}
		if seq != end {
			t.Fatalf("pages of %d end at %d, want %d", limit, seq, end)
		}
	}
}

// Who reads a block in parts has it read from the disk once, however large it is.
func TestTheBlockReadLastIsAtHand(t *testing.T) {
	opts, c := small(), chain{}
	opts.CacheBytes = 1 << 10
	s := open(t, t.TempDir(), opts)
	defer closeStore(t, s)
	appendAll(t, s, []Block{c.next(300), c.next(400), c.next(2), c.next(3)})
	read := func(height int64) *Block {
		b, err := s.BlockAt(height)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for height := int64(1); height <= 2; height++ {
		if first := read(height); read(height) != first {
			t.Errorf("block %d is read twice", height)
		}
	}
	if first := read(1); len(s.blocks.cache.blocks) != 1 || read(2) == first {
		t.Errorf("%d blocks are kept beside a large one", len(s.blocks.cache.blocks))
	}
	if third := read(3); read(4).Height != 4 || read(3) != third {
		t.Error("small blocks are not kept beside each other")
	}
}

func TestHeightSince(t *testing.T) {
	s := open(t, t.TempDir(), small())
	defer closeStore(t, s)
	appendAll(t, s, new(chain).blocks(20))
	for at, want := range map[int64]int64{0: 1, 1000: 1, 1001: 2, 20_000: 20, 20_001: 21} {
		if got, err := s.HeightSince(at); err != nil || got != want {
			t.Errorf("height since %d is %d, want %d (%v)", at, got, want, err)
		}
	}
}

func TestAppendAgain(t *testing.T) {
	s := open(t, t.TempDir(), small())
	defer closeStore(t, s)
	blocks := new(chain).blocks(50)
	appendAll(t, s, blocks)
	appendAll(t, s, blocks) // as a replay does
	checkHolds(t, s, blocks)

	for name, change := range map[string]func(*Block){
		"time":     func(b *Block) { b.Time++ },
		"app hash": func(b *Block) { b.AppHash[0]++ },
		"outcome": func(b *Block) {
			b.Entries = append([]Entry{{Outcome: []byte("x"), Raw: []byte("y")}}, b.Entries[1:]...)
		},
		"batches": func(b *Block) { b.Batches = nil },
		"raw moved": func(b *Block) {
			b.Entries = append([]Entry{{Outcome: b.Entries[0].Outcome, Raw: []byte("y")}}, b.Entries[1:]...)
		},
	} {
		b := blocks[28]
		change(&b)
		if err := s.Append(b); fault.Code(err) != CodeFork {
			t.Errorf("other %s: got %v, want a fork alarm", name, err)
		}
	}
	checkHolds(t, s, blocks)
}

func TestAppendOutOfOrder(t *testing.T) {
	s := open(t, t.TempDir(), small())
	defer closeStore(t, s)
	c := &chain{}
	appendAll(t, s, c.blocks(3))
	skipped := c.next(1)
	wantCode(t, s.Append(c.next(1)), CodeOrder)
	gap := skipped
	gap.FirstSeq++
	gap.HistorySize++
	wantCode(t, s.Append(gap), CodeOrder)
	gap.HistorySize++
	if s.Append(gap) == nil {
		t.Fatal("a block whose history size is wrong was taken")
	}
	if err := s.Append(skipped); err != nil {
		t.Fatal(err)
	}
}
