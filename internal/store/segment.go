package store

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

const segmentSuffix = ".seg"

// segment is one file of blocks. Of each block it keeps 8 bytes in memory: where its record starts and its first
// position. blockLog guards all fields but the file. Erasing replaces the file, holding fileMu, and with it size and offsets.
type segment struct {
	fileHeader
	path    string
	size    int64 // end of the last good record
	endSeq  uint64
	offsets []uint32 // by height - firstHeight
	seqs    []uint32 // first position of each block - firstSeq

	fileMu sync.RWMutex
	file   File // nil while not open
}

// segmentName sorts by first position and then, for segments of empty blocks, by height.
func segmentName(firstSeq uint64, firstHeight int64) string {
	return fmt.Sprintf("%020d-%019d%s", firstSeq, firstHeight, segmentSuffix)
}

func newSegment(dir string, h fileHeader) *segment {
	return &segment{
		fileHeader: h, path: filepath.Join(dir, segmentName(h.firstSeq, h.firstHeight)),
		size: fileHeaderLen, endSeq: h.firstSeq,
	}
}

func (s *segment) nextHeight() int64 { return s.firstHeight + int64(len(s.offsets)) }

// add puts the next record, of size bytes with its header, into the index.
func (s *segment) add(h recordHeader, size int64) {
	s.offsets = append(s.offsets, uint32(s.size))
	s.seqs = append(s.seqs, uint32(h.firstSeq-s.firstSeq))
	s.size += size
	s.endSeq = h.endSeq()
}

// place says which record of a segment is meant. It stays true when the segment's file is replaced.
type place struct {
	seg    *segment
	i      int
	height int64
}

func (s *segment) place(i int) place { return place{s, i, s.firstHeight + int64(i)} }

// span is where record i starts and ends in the file there is now.
func (s *segment) span(i int) (from, to int64) {
	to = s.size
	if i+1 < len(s.offsets) {
		to = int64(s.offsets[i+1])
	}
	return int64(s.offsets[i]), to
}

// holding is the index of the block that holds position seq, which is below endSeq: the last one that starts at or
// before it, for empty blocks come before the block that starts where they do.
func (s *segment) holding(seq uint64) int {
	delta := seq - s.firstSeq
	return sort.Search(len(s.seqs), func(i int) bool { return uint64(s.seqs[i]) > delta }) - 1
}

// parseSegmentNames keeps the names of segments, in order.
func parseSegmentNames(names []string) []string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		if strings.HasSuffix(name, segmentSuffix) {
			out = append(out, name)
		}
	}
	sort.Strings(out)
	return out
}

// maxOpenSegments bounds the files kept open for reading.
const maxOpenSegments = 64

// openFiles opens segment files when they are read and closes the longest open.
type openFiles struct {
	fs     FS
	mu     sync.Mutex
	open   []*segment
	closed bool
}

// readAt fills buf from offset of s.
func (o *openFiles) readAt(s *segment, buf []byte, offset int64) error {
	return o.with(s, func(f File) error {
		_, err := f.ReadAt(buf, offset)
		return explain("reading "+s.path, err)
	})
}

// with calls fn with the file of s, which stays open meanwhile.
func (o *openFiles) with(s *segment, fn func(File) error) error {
	for {
		s.fileMu.RLock()
		if s.file != nil {
			defer s.fileMu.RUnlock()
			return fn(s.file)
		}
		s.fileMu.RUnlock()
		if err := o.ensureOpen(s); err != nil {
			return err
		}
	}
}

func (o *openFiles) ensureOpen(s *segment) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return errClosed()
	}
	s.fileMu.Lock()
	defer s.fileMu.Unlock()
	if s.file != nil {
		return nil
	}
	f, err := o.fs.OpenFile(s.path, os.O_RDWR)
	if err != nil {
		return explain("opening "+s.path, err)
	}
	s.file = f
	return o.keep(s)
}

// keep counts s among the open and closes the oldest if there are too many. The last segment, which is written, is
// reopened when needed like any other.
func (o *openFiles) keep(s *segment) error {
	o.open = append(o.open, s)
	if len(o.open) <= maxOpenSegments {
		return nil
	}
	oldest := o.open[0]
	o.open = append(o.open[:0:0], o.open[1:]...)
	oldest.fileMu.Lock()
	defer oldest.fileMu.Unlock()
	return explain("closing "+oldest.path, oldest.closeFile())
}

func (s *segment) closeFile() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// close closes every file; later reads fail.
func (o *openFiles) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	var first error
	for _, s := range o.open {
		s.fileMu.Lock()
		if err := s.closeFile(); err != nil && first == nil {
			first = explain("closing "+s.path, err)
		}
		s.fileMu.Unlock()
	}
	o.open = nil
	return first
}
