package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// memFS is a file system in memory that knows what has been synced, so that a test can cut the power, and that fails on
// demand.
type memFS struct {
	mu      sync.Mutex
	names   map[string]*memFile // as programs see them
	durable map[string]*memFile // as they are after a power cut
	// fault is asked before each change; its error is returned instead. A write that fails with errShort writes half.
	fault func(op, name string) error
	// readFault is asked before each look at names or content.
	readFault func(op, name string) error
}

type memFile struct{ data, synced []byte }

type errShort struct{}

func (errShort) Error() string { return "short write" }

func newMemFS() *memFS {
	return &memFS{names: map[string]*memFile{}, durable: map[string]*memFile{}}
}

// powerCut is the file system after a crash; survive says which part of a file's content is left.
func (m *memFS) powerCut(survive func(name string, f *memFile) []byte) *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := newMemFS()
	for name, f := range m.durable {
		data := append([]byte{}, survive(name, f)...)
		left := &memFile{data: data, synced: append([]byte{}, data...)}
		out.names[name], out.durable[name] = left, left
	}
	return out
}

func onlySynced(_ string, f *memFile) []byte { return f.synced }

// copy is the file system as it is, all of it durable.
func (m *memFS) copy() *memFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := newMemFS()
	for name, f := range m.names {
		left := &memFile{data: append([]byte{}, f.data...), synced: append([]byte{}, f.data...)}
		out.names[name], out.durable[name] = left, left
	}
	return out
}

func (m *memFS) setFault(fault func(op, name string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = fault
}

// check is called with mu held.
func (m *memFS) check(op, name string) error {
	if m.fault == nil {
		return nil
	}
	return m.fault(op, name)
}

// checkRead is called with mu held.
func (m *memFS) checkRead(op, name string) error {
	if m.readFault == nil {
		return nil
	}
	return m.readFault(op, name)
}

func (m *memFS) OpenFile(name string, flag int) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.checkRead("open", name); err != nil {
		return nil, err
	}
	f := m.names[name]
	switch {
	case f == nil && flag&os.O_CREATE == 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case f != nil && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case f == nil:
		if err := m.check("create", name); err != nil {
			return nil, err
		}
		f = &memFile{}
		m.names[name] = f
	case flag&os.O_TRUNC != 0:
		f.data = nil
	}
	return &memHandle{m, f, name}, nil
}

func (m *memFS) List(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.checkRead("list", dir); err != nil {
		return nil, err
	}
	var out []string
	for name := range m.names {
		if filepath.Dir(name) == dir {
			out = append(out, filepath.Base(name))
		}
	}
	sort.Strings(out)
	return out, nil
}

// MkdirAll makes the folder on disk too, for the lock file is there.
func (m *memFS) MkdirAll(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check("mkdir", dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

func (m *memFS) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check("rename", to); err != nil {
		return err
	}
	m.names[to] = m.names[from]
	delete(m.names, from)
	return nil
}

func (m *memFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check("remove", name); err != nil {
		return err
	}
	delete(m.names, name)
	return nil
}

func (m *memFS) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.check("syncdir", dir); err != nil {
		return err
	}
	for name := range m.durable {
		if filepath.Dir(name) == dir {
			delete(m.durable, name)
		}
	}
	for name, f := range m.names {
		if filepath.Dir(name) == dir {
			m.durable[name] = f
		}
	}
	return nil
}

// lastSegment is the segment with the highest name.
func (m *memFS) lastSegment() (string, *memFile) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var last string
	for name := range m.names {
		if strings.HasSuffix(name, segmentSuffix) && name > last {
			last = name
		}
	}
	return last, m.names[last]
}

type memHandle struct {
	fs   *memFS
	file *memFile
	name string
}

func (h *memHandle) ReadAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	if err := h.fs.checkRead("read", h.name); err != nil {
		return 0, err
	}
	if off >= int64(len(h.file.data)) {
		return 0, io.EOF
	}
	n := copy(p, h.file.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (h *memHandle) WriteAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	err := h.fs.check("write", h.name)
	var short errShort
	if errors.As(err, &short) {
		p = p[:len(p)/2]
	} else if err != nil {
		return 0, err
	}
	if grow := off + int64(len(p)) - int64(len(h.file.data)); grow > 0 {
		h.file.data = append(h.file.data, make([]byte, grow)...)
	}
	return copy(h.file.data[off:], p), err
}

func (h *memHandle) Sync() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.check("sync", h.name); err != nil {
		return err
	}
	h.file.synced = append([]byte{}, h.file.data...)
	return nil
}

func (h *memHandle) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.fs.check("truncate", h.name); err != nil {
		return err
	}
	if size <= int64(len(h.file.data)) {
		h.file.data = h.file.data[:size:size]
	} else {
		h.file.data = append(h.file.data, make([]byte, size-int64(len(h.file.data)))...)
	}
	return nil
}

func (h *memHandle) Size() (int64, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	return int64(len(h.file.data)), h.fs.checkRead("size", h.name)
}

func (h *memHandle) Close() error { return nil }
