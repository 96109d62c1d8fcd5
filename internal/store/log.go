package store

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/dureledger/dure/ledger/fault"
)

const (
	defaultSegmentBytes = 64 << 20
	maxSegmentBytes     = 1 << 30 // offsets are 32 bits
	defaultCacheBytes   = 8 << 20
	keptBytes           = 32 << 20 // of the appender's buffer: a full block of four sealers fits
)

// blockLog is the segments of one folder. One goroutine at a time appends (Store sees to it); any number read.
type blockLog struct {
	dir   string
	limit int64 // bytes of a segment after which the next one starts
	log   *slog.Logger
	files openFiles
	cache blockCache
	buf   []byte // of the appender, used for block after block: new memory for each would be handed to and fro with the system

	mu       sync.RWMutex // guards what follows
	segments []*segment
	base     Base
	tip      Block // without entries and batches
	hasTip   bool
}

// openLog reads what is on disk and cuts a torn tail.
func openLog(fs FS, dir string, base Base, limit int64, cacheBytes int, log *slog.Logger) (*blockLog, error) {
	l := &blockLog{dir: dir, limit: limit, log: log, base: base}
	l.files.fs = fs
	l.cache.limit = cacheBytes
	names, err := fs.List(dir)
	if err != nil {
		return nil, explain("listing "+dir, err)
	}
	if err := l.dropUnfinished(names); err != nil {
		return nil, err
	}
	names = parseSegmentNames(names)
	for i, name := range names {
		if err := l.openSegment(name, i == len(names)-1); err != nil {
			_ = l.files.close()
			return nil, err
		}
	}
	if height := l.last(); height > base.Height {
		b, err := l.block(height)
		if err != nil {
			_ = l.files.close()
			return nil, err
		}
		l.setTip(*b)
	}
	return l, nil
}

func (l *blockLog) openSegment(name string, last bool) error {
	s := &segment{path: filepath.Join(l.dir, name)}
	if err := l.files.ensureOpen(s); err != nil {
		return err
	}
	size, err := s.file.Size()
	if err != nil {
		return explain("asking for the size of "+s.path, err)
	}
	head := make([]byte, min(size, fileHeaderLen))
	if err := l.files.readAt(s, head, 0); err != nil {
		return err
	}
	header, ok := decodeFileHeader(head)
	if !ok && last && size <= fileHeaderLen {
		return l.dropUnborn(s)
	}
	if !ok || name != segmentName(header.firstSeq, header.firstHeight) {
		return corrupt(s.path, 0, "its header is wrong")
	}
	if header.firstHeight != l.last()+1 || header.firstSeq != l.endSeq() {
		return corrupt(s.path, 0, fmt.Sprintf("it starts with block %d at position %d, but what is before it ends with block %d at position %d; a file is missing",
			header.firstHeight, header.firstSeq, l.last(), l.endSeq()))
	}
	s.fileHeader, s.size, s.endSeq = header, fileHeaderLen, header.firstSeq
	found, err := s.scan(s.file, size, last)
	if err != nil {
		return explain("reading "+s.path, err)
	}
	if found != nil && !found.torn {
		return corrupt(s.path, found.offset, found.what)
	}
	if found != nil {
		if err := l.cutTail(s, size, found); err != nil {
			return err
		}
	}
	l.segments = append(l.segments, s)
	return nil
}

// dropUnfinished removes what a crash left of segments that were being written anew.
func (l *blockLog) dropUnfinished(names []string) error {
	if !slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, newSuffix) }) {
		return nil
	}
	for _, name := range names {
		if path := filepath.Join(l.dir, name); strings.HasSuffix(name, newSuffix) {
			if err := l.files.fs.Remove(path); err != nil {
				return explain("removing "+path, err)
			}
		}
	}
	return explain("syncing "+l.dir, l.files.fs.SyncDir(l.dir))
}

// dropUnborn removes a last segment that a crash left before its header was synced; no block was in it.
func (l *blockLog) dropUnborn(s *segment) error {
	l.log.Warn("removing a segment that a crash left unfinished", "file", s.path)
	if err := l.files.fs.Remove(s.path); err != nil {
		return explain("removing "+s.path, err)
	}
	return explain("syncing "+l.dir, l.files.fs.SyncDir(l.dir))
}

func (l *blockLog) cutTail(s *segment, size int64, found *damage) error {
	l.log.Warn("cutting off a block that a crash left unfinished", "file", s.path, "offset", found.offset,
		"bytes", size-found.offset, "why", found.what, "last_height", s.nextHeight()-1)
	if err := s.file.Truncate(found.offset); err != nil {
		return explain("truncating "+s.path, err)
	}
	return explain("syncing "+s.path, s.file.Sync())
}

// last is the height of the last block, the base's if there is none. Callers of last and endSeq hold mu or are alone.
func (l *blockLog) last() int64 {
	if n := len(l.segments); n > 0 {
		return l.segments[n-1].nextHeight() - 1
	}
	return l.base.Height
}

func (l *blockLog) endSeq() uint64 {
	if n := len(l.segments); n > 0 {
		return l.segments[n-1].endSeq
	}
	return l.base.HistorySize
}

func (l *blockLog) setTip(b Block) {
	b.Entries, b.Batches = nil, nil
	l.tip, l.hasTip = b, true
}

// append writes the next block and returns once it is on the disk. After an error the file may hold part of it.
func (l *blockLog) append(b *Block) error {
	s, err := l.active()
	if err != nil {
		return err
	}
	l.buf = appendRecord(l.buf[:0], s.marker, b)
	err = l.files.with(s, func(f File) error {
		if _, err := f.WriteAt(l.buf, s.size); err != nil {
			return explain(fmt.Sprintf("writing block %d to %s", b.Height, s.path), err)
		}
		return explain(fmt.Sprintf("syncing block %d to %s", b.Height, s.path), f.Sync())
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.add(recordHeader{firstSeq: b.FirstSeq, entries: uint32(len(b.Entries))}, int64(len(l.buf)))
	l.setTip(*b)
	if cap(l.buf) > keptBytes { // one huge block must not hold its memory for ever
		l.buf = nil
	}
	return nil
}

// active is the segment to append to, a new one if the last is full.
func (l *blockLog) active() (*segment, error) {
	if n := len(l.segments); n > 0 {
		if s := l.segments[n-1]; s.size < l.limit || len(s.offsets) == 0 {
			return s, nil
		}
	}
	return l.begin()
}

// begin makes the next segment. The header of a new file and its name in the folder are on the disk before any block, so a
// file with a bad header and something after it was damaged later.
func (l *blockLog) begin() (*segment, error) {
	header := fileHeader{firstSeq: l.endSeq(), firstHeight: l.last() + 1}
	if _, err := rand.Read(header.marker[:]); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := newSegment(l.dir, header)
	f, err := l.files.fs.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, explain("making "+s.path, err)
	}
	if _, err = f.WriteAt(header.encode(), 0); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = l.files.fs.SyncDir(l.dir)
	}
	if err != nil {
		return nil, explain("making "+s.path, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segments = append(l.segments, s)
	return s, nil
}

// same returns nil if b is what the log holds at its height, and sounds the fork alarm if it is not.
func (l *blockLog) same(b *Block) error {
	p, err := l.find(b.Height)
	if err != nil {
		return err
	}
	same := false
	err = l.record(p, math.MaxInt64, func(buf []byte) error {
		held, err := decodeAt(p, buf)
		if err == nil {
			same = bytes.Equal(buf, appendRecord(nil, p.seg.marker, b.asErasedIn(held)))
		}
		return err
	})
	if err != nil {
		return err
	}
	if !same {
		return fault.New(CodeFork, fmt.Sprintf("Block %d is already recorded with another content. This node has decided one height twice; "+
			"stop it and compare its block with the other members'.", b.Height), "height", b.Height)
	}
	return nil
}

// find locates a height.
func (l *blockLog) find(height int64) (place, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if height <= l.base.Height || height > l.last() || len(l.segments) == 0 {
		return place{}, fault.New(CodeUnknownBlock, fmt.Sprintf("Block %d is not held here; blocks %d to %d are.",
			height, l.base.Height+1, l.last()), "height", height)
	}
	i := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].firstHeight > height }) - 1
	s := l.segments[i]
	return s.place(int(height - s.firstHeight)), nil
}

// findSeq locates the block that holds a position of the history.
func (l *blockLog) findSeq(seq uint64) (place, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if seq < l.base.HistorySize || seq >= l.endSeq() {
		return place{}, fault.New(CodeUnknownOutcome, fmt.Sprintf("Outcome %d is not held here; outcomes %d up to, but not including, %d are.",
			seq, l.base.HistorySize, l.endSeq()), "seq", seq)
	}
	i := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].firstSeq > seq }) - 1
	s := l.segments[i]
	return s.place(s.holding(seq)), nil
}
