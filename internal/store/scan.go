package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// window reads a file forward in large pieces.
type window struct {
	file  io.ReaderAt
	size  int64
	start int64
	buf   []byte
	space []byte
}

const windowBytes = 64 << 10

// at returns the n bytes at offset, fewer if the file ends before. They are good until the next call.
func (w *window) at(offset int64, n int) ([]byte, error) {
	n = int(min(int64(n), max(0, w.size-offset)))
	if offset < w.start || offset+int64(n) > w.start+int64(len(w.buf)) {
		want := int(min(max(windowBytes, int64(n)), w.size-offset))
		if cap(w.space) < want {
			w.space = make([]byte, want)
		}
		w.start, w.buf = offset, w.space[:want]
		if _, err := w.file.ReadAt(w.buf, offset); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return w.buf[offset-w.start:][:n], nil
}

// damage is what a scan found wrong with a file.
type damage struct {
	offset int64
	what   string
	torn   bool // a write that a crash interrupted: nothing that was synced comes after offset
}

// scan reads the records of seg, which is empty, into its index, as far as they are good. Of a sealed segment it reads
// only the headers; of the last one it checks every byte. It returns what stopped it before the end, nil if nothing did.
func (s *segment) scan(file io.ReaderAt, size int64, last bool) (*damage, error) {
	w := &window{file: file, size: size}
	for s.size < size {
		head, err := w.at(s.size, recordHeaderLen)
		if err != nil {
			return nil, err
		}
		h, err := decodeRecordHeader(s.marker, head)
		if err != nil {
			return s.badHeader(w, last)
		}
		if h.height != s.nextHeight() || h.firstSeq != s.endSeq {
			what := fmt.Sprintf("block %d at position %d comes where block %d at position %d should be", h.height, h.firstSeq, s.nextHeight(), s.endSeq)
			return &damage{s.size, what, false}, nil
		}
		end := s.size + recordHeaderLen + int64(h.length)
		if end > size {
			return &damage{s.size, fmt.Sprintf("block %d ends after the end of the file", h.height), last}, nil
		}
		if last {
			body, err := w.at(s.size+recordHeaderLen, int(h.length))
			if err != nil {
				return nil, err
			}
			if crc32.Checksum(body, castagnoli) != h.checksum {
				return &damage{s.size, fmt.Sprintf("block %d has a wrong checksum", h.height), end == size}, nil
			}
		}
		s.add(h, end-s.size)
	}
	return nil, nil
}

// badHeader decides between a torn write and damage: every block is synced before the next one is written, so if a good
// record follows, the bad one had been whole.
func (s *segment) badHeader(w *window, last bool) (*damage, error) {
	d := &damage{s.size, "no block record starts here", false}
	if !last {
		return d, nil
	}
	const overlap = recordHeaderLen - 1
	for from := s.size + 1; from < w.size; from += windowBytes {
		piece, err := w.at(from, windowBytes+overlap)
		if err != nil {
			return nil, err
		}
		for {
			i := bytes.Index(piece, s.marker[:])
			if i < 0 {
				break
			}
			if _, err := decodeRecordHeader(s.marker, piece[i:]); err == nil {
				return d, nil
			}
			piece = piece[i+1:]
		}
	}
	d.torn = true
	return d, nil
}
