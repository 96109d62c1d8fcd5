package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

const maxMetaBytes = 3 << 20

// meta keeps small values, each in its own file: a CRC-32C and the value. A file is replaced by renaming, so that a
// crash leaves the old value or the new one.
type meta struct {
	fs  FS
	dir string
	mu  sync.Mutex
}

// get returns nil if name has no value.
func (m *meta) get(name string) ([]byte, error) {
	path := filepath.Join(m.dir, name)
	f, err := m.fs.OpenFile(path, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("opening "+path, err)
	}
	raw, err := io.ReadAll(io.NewSectionReader(f, 0, maxMetaBytes+4))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, explain("reading "+path, err)
	}
	if len(raw) < 4 || binary.BigEndian.Uint32(raw) != crc32.Checksum(raw[4:], castagnoli) {
		return nil, corrupt(path, 0, "its checksum is wrong")
	}
	return raw[4:], nil
}

// set returns once the value is on the disk.
func (m *meta) set(name string, value []byte) error {
	if len(value) > maxMetaBytes {
		return errors.New("store: meta value is too large")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	path := filepath.Join(m.dir, name)
	if err := m.write(path+".new", metaFile(value)); err != nil {
		return explain("writing "+path, err)
	}
	if err := m.fs.Rename(path+".new", path); err != nil {
		return explain("replacing "+path, err)
	}
	return explain("syncing "+m.dir, m.fs.SyncDir(m.dir))
}

// MetaFile is the file, below a store's folder, of a value that SetMeta stores under name.
func MetaFile(dir, name string) string { return filepath.Join(dir, "meta", "user-"+name) }

// metaFile is the content of the file of a value.
func metaFile(value []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, crc32.Checksum(value, castagnoli)), value...)
}

func (m *meta) write(path string, raw []byte) error {
	f, err := m.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(raw, 0); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
