package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/vfs"

	"github.com/dureledger/dure/ledger/fault"
)

func inMemory(fs *memFS, segmentBytes int64) Options {
	opts := small()
	opts.FS, opts.StateFS, opts.SegmentBytes = fs, vfs.NewMem(), segmentBytes
	return opts
}

// written is a memFS with blocks in it, all in one segment or in many.
func written(t *testing.T, dir string, blocks []Block, segmentBytes int64) *memFS {
	t.Helper()
	fs := newMemFS()
	s := open(t, dir, inMemory(fs, segmentBytes))
	appendAll(t, s, blocks)
	closeStore(t, s)
	return fs
}

func TestTornTailAtEveryByte(t *testing.T) {
	dir := t.TempDir()
	c := &chain{}
	blocks := c.blocks(12)
	before := written(t, dir, blocks[:11], 1<<20)
	name, f := before.lastSegment()
	start := len(f.data)
	whole := written(t, dir, blocks, 1<<20)
	_, f = whole.lastSegment()
	end := len(f.data)
	if end-start < recordHeaderLen {
		t.Fatalf("the tail record is %d bytes", end-start)
	}
	for cut := start; cut < end; cut++ {
		fs := whole.copy()
		fs.names[name].data = fs.names[name].data[:cut]
		s := open(t, dir, inMemory(fs, 1<<20))
		checkHolds(t, s, blocks[:11])
		appendAll(t, s, blocks[11:])
		checkHolds(t, s, blocks)
		closeStore(t, s)
	}
}

// A crash may also write the tail's pages in any order: here each piece of it is missing in turn.
func TestTornTailWithHoles(t *testing.T) {
	dir := t.TempDir()
	blocks := new(chain).blocks(12)
	before := written(t, dir, blocks[:11], 1<<20)
	name, f := before.lastSegment()
	start := len(f.data)
	whole := written(t, dir, blocks, 1<<20)
	for hole := start; hole < len(whole.names[name].data); hole += 16 {
		fs := whole.copy()
		data := fs.names[name].data
		copy(data[hole:], make([]byte, min(16, len(data)-hole)))
		s := open(t, dir, inMemory(fs, 1<<20))
		if s.LastHeight() == 12 { // the piece held zeros anyway
			checkHolds(t, s, blocks)
		} else {
			checkHolds(t, s, blocks[:11])
		}
		closeStore(t, s)
	}
}

func TestTornNewSegment(t *testing.T) {
	dir := t.TempDir()
	blocks := new(chain).blocks(40)
	whole := written(t, dir, blocks, 1<<10)
	name, f := whole.lastSegment()
	header, _ := decodeFileHeader(f.data)
	for cut := range fileHeaderLen + 1 {
		fs := whole.copy()
		fs.names[name].data = fs.names[name].data[:cut]
		s := open(t, dir, inMemory(fs, 1<<10))
		checkHolds(t, s, blocks[:header.firstHeight-1])
		appendAll(t, s, blocks[header.firstHeight-1:])
		checkHolds(t, s, blocks)
		closeStore(t, s)
	}
}

// Every byte before the tail record is flipped in turn: opening or replaying says so, with file and offset.
func TestFlippedByteIsFound(t *testing.T) {
	for what, segmentBytes := range map[string]int64{"one segment": 1 << 20, "many segments": 600} {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			blocks := new(chain).blocks(12)
			last, f := written(t, dir, blocks[:11], segmentBytes).lastSegment()
			tail := len(f.data)
			whole := written(t, dir, blocks, segmentBytes)
			for name, f := range whole.names {
				if !strings.HasSuffix(name, segmentSuffix) || name > last {
					continue
				}
				for i := range f.data {
					if name == last && i >= tail {
						break
					}
					f.data[i] ^= 0x10
					checkFound(t, whole, name, i)
					f.data[i] ^= 0x10
				}
			}
		})
	}
}

func checkFound(t *testing.T, fs *memFS, name string, i int) {
	t.Helper()
	l, err := openLog(fs, filepath.Dir(name), Base{}, 1<<20, defaultCacheBytes, quiet())
	if err == nil {
		s := &Store{blocks: l}
		err = s.Replay(1, func(*Block) error { return nil })
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != CodeCorrupt || !strings.Contains(f.Message, filepath.Base(name)) {
		t.Fatalf("byte %d of %s flipped: got %v", i, name, err)
	}
}

func TestMissingSegment(t *testing.T) {
	dir := t.TempDir()
	fs := written(t, dir, new(chain).blocks(40), 1<<10)
	names, _ := fs.List(filepath.Join(dir, "blocks"))
	if err := fs.Remove(filepath.Join(dir, "blocks", names[len(names)/2])); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, inMemory(fs, 1<<10))
	wantCode(t, err, CodeCorrupt)
}

// Every change to the file system fails in turn, in three ways. No acknowledged block is lost, the store refuses to carry
// on, and opening it again after a power cut repairs it.
func TestFaults(t *testing.T) {
	blocks := new(chain).blocks(24)
	for _, injected := range []error{errors.New("input/output error"), errShort{}} {
		for n := 1; ; n++ {
			if !runFault(t, blocks, injected, n) {
				if n < 60 {
					t.Fatalf("only %d operations", n)
				}
				break
			}
		}
	}
}

// runFault fails the n-th operation and says whether there was one.
func runFault(t *testing.T, blocks []Block, injected error, n int) bool {
	dir := t.TempDir()
	fs := newMemFS()
	s := open(t, dir, inMemory(fs, 600))
	count, struck := 0, ""
	fs.setFault(func(op, name string) error {
		if count++; count == n {
			struck = op + " " + filepath.Base(name)
			return injected
		}
		return nil
	})
	acknowledged := 0
	var failed error
	for _, b := range blocks {
		if failed = s.Append(b); failed != nil {
			break
		}
		acknowledged++
	}
	if failed != nil {
		if err := s.Append(blocks[acknowledged]); fault.Code(err) != CodeFailed {
			t.Fatalf("%s: after %v the store said %v", struck, failed, err)
		}
	}
	err := s.Close()
	if struck == "" {
		return false
	}
	if !errors.Is(err, injected) {
		t.Fatalf("%s: closing said %v", struck, err)
	}
	for name, left := range map[string]*memFS{
		"power cut":      fs.powerCut(onlySynced),
		"process killed": fs.copy(),
		"half written":   fs.powerCut(func(_ string, f *memFile) []byte { return f.data[:max(len(f.synced), (len(f.synced)+len(f.data))/2)] }),
	} {
		t.Run(fmt.Sprintf("%d %s %s", n, struck, name), func(t *testing.T) {
			s := open(t, dir, inMemory(left, 600))
			if s.LastHeight() < int64(acknowledged) {
				t.Fatalf("%d blocks were acknowledged, %d are left", acknowledged, s.LastHeight())
			}
			appendAll(t, s, blocks)
			checkHolds(t, s, blocks)
			closeStore(t, s)
		})
	}
	return true
}

// The history's nodes are behind, ahead of what is known to be synced, missing or damaged.
func TestHistoryIsMadeAgain(t *testing.T) {
	dir := t.TempDir()
	blocks := new(chain).blocks(40)
	whole := written(t, dir, blocks, 1<<10)
	nodes := filepath.Join(dir, "history", "nodes")
	synced := filepath.Join(dir, "meta", syncedMeta)
	for name, damage := range map[string]func(fs *memFS){
		"nodes missing":        func(fs *memFS) { delete(fs.names, nodes) },
		"nodes short":          func(fs *memFS) { fs.names[nodes].data = fs.names[nodes].data[:700] },
		"nodes odd":            func(fs *memFS) { fs.names[nodes].data = append(fs.names[nodes].data, 1, 2, 3) },
		"never synced":         func(fs *memFS) { delete(fs.names, synced); fs.names[nodes].data = make([]byte, 500) },
		"frontier damaged":     func(fs *memFS) { fs.names[nodes].data[len(fs.names[nodes].data)-5] ^= 1 },
		"both files missing":   func(fs *memFS) { delete(fs.names, synced); delete(fs.names, nodes) },
		"last segment missing": func(fs *memFS) { name, _ := fs.lastSegment(); delete(fs.names, name) },
	} {
		t.Run(name, func(t *testing.T) {
			fs := whole.copy()
			damage(fs)
			s := open(t, dir, inMemory(fs, 1<<10))
			appendAll(t, s, blocks)
			checkHolds(t, s, blocks)
			closeStore(t, s)
			s = open(t, dir, inMemory(fs, 1<<10))
			checkHolds(t, s, blocks)
			closeStore(t, s)
		})
	}
}

func TestCheckFolderFaults(t *testing.T) {
	for op, want := range map[string]string{"mkdir": CodeReadOnly, "create": CodeReadOnly, "write": CodeFull, "sync": CodeFull} {
		fs := newMemFS()
		fs.setFault(func(got, _ string) error {
			switch {
			case got != op:
				return nil
			case want == CodeFull:
				return fmt.Errorf("fault: %w", errNoSpace)
			}
			return fmt.Errorf("fault: %w", errReadOnlyDisk)
		})
		wantCode(t, checkFolder(fs, t.TempDir()), want)
	}
}
