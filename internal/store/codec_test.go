package store

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/dureledger/dure/ledger/state"
)

var testMarker = [markerLen]byte{1, 2, 3, 4, 5, 6, 7, 8}

// FuzzBlockRecord reads its input as a record and as the body of one. What decodes must encode to the same bytes.
func FuzzBlockRecord(f *testing.F) {
	c := &chain{}
	for _, b := range c.blocks(6) {
		record := appendRecord(nil, testMarker, &b)
		f.Add(record)
		f.Add(record[recordHeaderLen:])
	}
	erased := erasedBelow(mixed(8), 9)[7]
	f.Add(appendRecord(nil, testMarker, &erased))
	f.Add(append(make([]byte, 96), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))
	f.Add(append(make([]byte, 96), 0x80, 0x00, 0x00))
	f.Fuzz(func(t *testing.T, in []byte) {
		if b, err := decodeRecord(testMarker, in); err == nil {
			if !bytes.Equal(appendRecord(nil, testMarker, b), in) {
				t.Fatal("a record has two encodings")
			}
		}
		var b Block
		if decodeBody(in, &b) != nil {
			return
		}
		if !bytes.Equal(appendBody(nil, &b), in) {
			t.Fatal("a body has two encodings")
		}
		if size := bodySize(&b); size < len(in) {
			t.Fatalf("room for %d bytes is made for a body of %d", size, len(in))
		}
	})
}

func FuzzBase(f *testing.F) {
	f.Add(Base{}.encode())
	f.Add(Base{Height: 5, HistorySize: 3, Frontier: [][32]byte{{1}, {2}}}.encode())
	f.Fuzz(func(t *testing.T, in []byte) {
		if b, err := decodeBase(in); err == nil && !bytes.Equal(b.encode(), in) {
			t.Fatal("a base has two encodings")
		}
	})
}

// FuzzStateKey checks that keys come back and sort as they did, with all versions of one before those of the next.
func FuzzStateKey(f *testing.F) {
	f.Add([]byte(""), []byte("\x00"), int64(1), int64(2))
	f.Add([]byte("a\x00"), []byte("a\x00\x01"), int64(0), int64(1<<62))
	f.Add([]byte("a\xff"), []byte("a"), int64(3), int64(3))
	f.Fuzz(func(t *testing.T, a, b []byte, heightA, heightB int64) {
		heightA, heightB = heightA&(1<<63-1), heightB&(1<<63-1)
		rawA := appendVersion(appendKey(nil, a), heightA)
		rawB := appendVersion(appendKey(nil, b), heightB)
		prefix, height, ok := splitVersion(rawA)
		key, good := unescape(prefix)
		if !ok || !good || height != heightA || !bytes.Equal(key, a) {
			t.Fatalf("%x at %d came back as %x at %d", a, heightA, key, height)
		}
		want := bytes.Compare(a, b)
		if want == 0 && heightA != heightB {
			want = 1
			if heightA > heightB {
				want = -1
			}
		}
		if got := bytes.Compare(rawA, rawB); got != want {
			t.Fatalf("%x at %d against %x at %d sorts %d, want %d", a, heightA, b, heightB, got, want)
		}
		if bytes.HasPrefix(b, a) && bytes.Compare(appendEscaped(nil, a), rawB) > 0 {
			t.Fatalf("%x does not come after its start %x", b, a)
		}
		splitVersion(a)
		if p, _, ok := splitVersion(b); ok {
			unescape(p)
		}
	})
}

func FuzzFileHeader(f *testing.F) {
	f.Add(fileHeader{testMarker, 7, 8}.encode())
	f.Fuzz(func(t *testing.T, in []byte) {
		if h, ok := decodeFileHeader(in); ok && !bytes.Equal(h.encode(), in[:fileHeaderLen]) {
			t.Fatal("a header has two encodings")
		}
	})
}

func TestChecksumIsCastagnoli(t *testing.T) {
	// RFC 3720 appendix B.4: CRC-32C of 32 bytes of zeros.
	if got := crc32.Checksum(make([]byte, 32), castagnoli); got != 0x8a9136aa {
		t.Fatalf("got %08x", got)
	}
}

func thousand(height int64) Block {
	r := rand.NewChaCha8([32]byte{byte(height)})
	b := Block{Height: height, FirstSeq: uint64(height-1) * 1000, HistorySize: uint64(height) * 1000}
	for range 1000 {
		e := Entry{Outcome: make([]byte, 100), Raw: make([]byte, 210)}
		_, _ = r.Read(e.Outcome)
		_, _ = r.Read(e.Raw)
		b.Entries = append(b.Entries, e)
	}
	return b
}

// BenchmarkAppend writes blocks of 1,000 entries, each 210 bytes and an outcome of 100, and waits for the disk.
func BenchmarkAppend(b *testing.B) {
	s := open(b, b.TempDir(), Options{Logger: quiet()})
	block := thousand(1)
	b.SetBytes(310_000)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Append(block); err != nil {
			b.Fatal(err)
		}
		block.Height++
		block.FirstSeq += 1000
		block.HistorySize += 1000
	}
	closeStore(b, s)
}

// BenchmarkPut writes the changes of blocks that change 2,000 keys of 40 bytes, and waits for the disk every 50.
func BenchmarkPut(b *testing.B) {
	s := open(b, b.TempDir(), Options{Logger: quiet()})
	s.state.synced = func() int64 { return 1 << 40 }
	block := changes(2000)
	b.ReportAllocs()
	height := int64(0)
	for b.Loop() {
		if err := s.State().Put(height, block); err != nil {
			b.Fatal(err)
		}
		height++
		if height%50 == 0 { // else the queue hides what the disk costs
			if err := s.State().Flush(); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := s.state.close(); err != nil {
		b.Fatal(err)
	}
	closeStore(b, s)
}

// BenchmarkEntry reads outcomes all over a history.
func BenchmarkEntry(b *testing.B) {
	s := open(b, b.TempDir(), Options{Logger: quiet()})
	for h := range int64(50) {
		if err := s.Append(thousand(h + 1)); err != nil {
			b.Fatal(err)
		}
	}
	seq := uint64(0)
	for b.Loop() {
		seq = (seq + 7919) % 50_000
		if _, err := s.Entry(seq); err != nil {
			b.Fatal(err)
		}
		if _, err := s.History().Inclusion(seq, 50_000); err != nil {
			b.Fatal(err)
		}
	}
	closeStore(b, s)
}

func changes(n int) []state.Change {
	out := make([]state.Change, n)
	for i := range out {
		out[i] = state.Change{Key: fmt.Appendf(nil, "A%039d", i*7919), Value: bytes.Repeat([]byte{byte(i)}, 60)}
	}
	return out
}
