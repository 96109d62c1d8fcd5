package store

import (
	"io"
	"os"
	"path/filepath"
)

// FS is what segments, history and meta need of a file system. Tests inject faults through it.
type FS interface {
	// OpenFile opens name with the os.O_ flags; a created file is readable by its owner only.
	OpenFile(name string, flag int) (File, error)
	// List returns the names in dir, sorted.
	List(dir string) ([]string, error)
	// MkdirAll makes dir and its parents.
	MkdirAll(dir string) error
	// Rename replaces to by from, atomically.
	Rename(from, to string) error
	// Remove deletes a file.
	Remove(name string) error
	// SyncDir makes creations, renames and removals in dir durable.
	SyncDir(dir string) error
}

// File is an open file. Positions are explicit, so reads and writes may run at once.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync returns once the content and the length are on the disk.
	Sync() error
	// Truncate cuts or extends the file to size bytes.
	Truncate(size int64) error
	// Size is the file's length in bytes.
	Size() (int64, error)
}

// DiskFS is the operating system's file system.
type DiskFS struct{}

// OpenFile opens a file on disk.
func (DiskFS) OpenFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return diskFile{f}, nil
}

// List returns the sorted names in dir.
func (DiskFS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// MkdirAll makes dir and its parents, for the owner only, and syncs the folder that holds it.
func (DiskFS) MkdirAll(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return DiskFS{}.SyncDir(filepath.Dir(dir))
}

// Rename replaces to by from.
func (DiskFS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove deletes a file.
func (DiskFS) Remove(name string) error { return os.Remove(name) }

// SyncDir fsyncs a folder.
func (DiskFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

type diskFile struct{ *os.File }

// Sync flushes the data and what is needed to read it back, but not the times of the file.
func (f diskFile) Sync() error { return dataSync(f.File) }

func (f diskFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
