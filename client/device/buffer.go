package device

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
)

// buffer is the readings that are not committed yet, oldest first, in a file: each is its length (2 bytes, big endian), the CRC-32C of the
// message (4) and the message. A second file has how many bytes of the first are done with; it may lag behind after a crash,
// and then readings are sent that were committed, which gateways acknowledge again.
type buffer struct {
	dir  string
	most int

	mu    sync.Mutex
	file  *os.File
	size  int64   // of the file
	first int64   // where the oldest begins
	ends  []int64 // where each that is left ends
	added chan struct{}
}

const (
	bufferFile = "readings"
	doneFile   = "readings.done"
	headSize   = 6
	// tidyAt is how many bytes may be done with before the file is written anew.
	tidyAt = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openBuffer reads what a run before has left. What a crash left half written at the end is dropped: Report had not returned.
func openBuffer(dir string, most int) (*buffer, error) {
	b := &buffer{dir: dir, most: most, added: make(chan struct{}, 1)}
	var err error
	if b.file, err = os.OpenFile(filepath.Join(dir, bufferFile), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("device: buffer: %w", err)
	}
	if err := b.load(); err != nil {
		b.file.Close()
		return nil, fmt.Errorf("device: buffer: %w", err)
	}
	return b, nil
}

func (b *buffer) load() error {
	done, err := os.ReadFile(filepath.Join(b.dir, doneFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(done) == 8 {
		b.first = int64(binary.BigEndian.Uint64(done))
	}
	info, err := b.file.Stat()
	if err != nil {
		return err
	}
	if b.first < 0 || b.first > info.Size() {
		b.first = 0 // of a file that was tidied since
	}
	for at := b.first; ; {
		_, end, err := b.read(at)
		if errors.Is(err, io.EOF) || errors.Is(err, errNoRecord) {
			b.size = at
			break
		}
		if err != nil {
			return err
		}
		b.ends, at = append(b.ends, end), end
	}
	return errors.Join(b.file.Truncate(b.size), syncDir(b.dir))
}

var errNoRecord = errors.New("no record")

// read is the message at a place of the file, and where the next begins.
func (b *buffer) read(at int64) ([]byte, int64, error) {
	var head [headSize]byte
	if _, err := b.file.ReadAt(head[:], at); err != nil {
		return nil, 0, err
	}
	n := binary.BigEndian.Uint16(head[:])
	if n == 0 || n > reading.MaxBytes {
		return nil, 0, errNoRecord
	}
	message := make([]byte, n)
	if _, err := b.file.ReadAt(message, at+headSize); err != nil {
		return nil, 0, err
	}
	if crc32.Checksum(message, castagnoli) != binary.BigEndian.Uint32(head[2:]) {
		return nil, 0, errNoRecord
	}
	return message, at + headSize + int64(n), nil
}

// room refuses when there is none. Code device.buffer_full.
func (b *buffer) room() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ends) >= b.most {
		return fault.New("device.buffer_full", fmt.Sprintf("%d readings wait to be sent, as many as are kept. Newer ones are refused until the gateway is reached.", b.most), "readings", b.most)
	}
	return nil
}

// add appends a message and returns when it is on the disk.
func (b *buffer) add(message []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	record := binary.BigEndian.AppendUint16(nil, uint16(len(message)))
	record = binary.BigEndian.AppendUint32(record, crc32.Checksum(message, castagnoli))
	record = append(record, message...)
	if _, err := b.file.WriteAt(record, b.size); err != nil {
		return fmt.Errorf("device: buffer: %w", err)
	}
	if err := b.file.Sync(); err != nil {
		return fmt.Errorf("device: buffer: %w", err)
	}
	b.size += int64(len(record))
	b.ends = append(b.ends, b.size)
	select {
	case b.added <- struct{}{}:
	default:
	}
	return nil
}

// oldest is the message to be sent next, nil if there is none.
func (b *buffer) oldest() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ends) == 0 {
		return nil, nil
	}
	message, _, err := b.read(b.first)
	if err != nil {
		return nil, fmt.Errorf("device: buffer: %w", err)
	}
	return message, nil
}

// drop forgets the oldest.
func (b *buffer) drop() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.first, b.ends = b.ends[0], b.ends[1:]
	if len(b.ends) == 0 || b.first >= tidyAt {
		return b.tidy()
	}
	return b.note()
}

// note writes how many bytes are done with, without waiting for the disk.
func (b *buffer) note() error {
	if err := os.WriteFile(filepath.Join(b.dir, doneFile), binary.BigEndian.AppendUint64(nil, uint64(b.first)), 0o600); err != nil {
		return fmt.Errorf("device: buffer: %w", err)
	}
	return nil
}

// tidy moves what is left to the beginning of a new file. The count of what is done with goes first: without it the whole file counts.
func (b *buffer) tidy() error {
	rest := make([]byte, b.size-b.first)
	if _, err := b.file.ReadAt(rest, b.first); err != nil {
		return fmt.Errorf("device: buffer: %w", err)
	}
	name := filepath.Join(b.dir, bufferFile)
	if err := os.Remove(filepath.Join(b.dir, doneFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("device: buffer: %w", err)
	}
	if err := replace(name, rest); err != nil {
		return fmt.Errorf("device: buffer: %w", err)
	}
	file, err := os.OpenFile(name, os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("device: buffer: %w", err)
	}
	b.file.Close()
	b.file = file
	for i := range b.ends {
		b.ends[i] -= b.first
	}
	b.size, b.first = b.size-b.first, 0
	return nil
}

// waiting is how many messages there are.
func (b *buffer) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ends)
}

func (b *buffer) close() error { return b.file.Close() }
