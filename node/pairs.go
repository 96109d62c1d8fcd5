package node

import (
	"encoding/binary"
	"errors"
)

// Backups and snapshots carry keys and values in chunks: of each pair the length of the key, the key, the length of the
// value, the value. Lengths are unsigned varints. A chunk ends after the pair that makes it chunkBytes long, or more.
const (
	chunkBytes = 4 << 20
	// maxPair bounds a key and value, and with it a chunk.
	maxPair = 64 << 20
)

var errPairs = errors.New("the keys and values in it are malformed")

func appendPair(buf, key, value []byte) []byte {
	buf = append(binary.AppendUvarint(buf, uint64(len(key))), key...)
	return append(binary.AppendUvarint(buf, uint64(len(value))), value...)
}

// eachPair calls fn for every pair in a chunk; the slices share memory with it.
func eachPair(chunk []byte, fn func(key, value []byte) error) error {
	for len(chunk) > 0 {
		var pair [2][]byte
		for i := range pair {
			n, used := binary.Uvarint(chunk)
			if used <= 0 || n > uint64(len(chunk)-used) {
				return errPairs
			}
			pair[i], chunk = chunk[used:][:n:n], chunk[used+int(n):]
		}
		if err := fn(pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

// chunker collects pairs and passes full chunks on.
type chunker struct {
	buf  []byte
	emit func(chunk []byte) error // the chunk is good until it returns
}

func (c *chunker) put(key, value []byte) error {
	if len(key)+len(value) > maxPair {
		return errors.New("a value is too large to be carried")
	}
	c.buf = appendPair(c.buf, key, value)
	if len(c.buf) < chunkBytes {
		return nil
	}
	return c.flush()
}

func (c *chunker) flush() error {
	if len(c.buf) == 0 {
		return nil
	}
	err := c.emit(c.buf)
	c.buf = c.buf[:0]
	return err
}
