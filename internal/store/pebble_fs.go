package store

import (
	"errors"
	"io"
	"strings"

	"github.com/cockroachdb/pebble/vfs"
)

// tableFS is the file system under Pebble. A compaction of Pebble 1.1 that cannot read a part of a table leaves that part
// out, reports success and removes the table; a test that fails every read found it. So a read that fails is the end of
// the database: nothing is written or removed any more, and who wants to waits for ever. The store is closed without it.
type tableFS struct {
	vfs.FS
	fail func(doing string, err error) // tells the failure; Pebble is left alone from then on
	dead func() bool                   // whether it is
}

// Open implements vfs.FS.
func (f tableFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.Open(name, opts...)
	if !strings.HasSuffix(name, ".sst") {
		return file, err
	}
	if err != nil {
		f.fail("opening "+name, err)
		return nil, err
	}
	return tableFile{file, f, name}, nil
}

// Create implements vfs.FS.
func (f tableFS) Create(name string) (vfs.File, error) {
	file, err := f.FS.Create(name)
	if err != nil {
		return nil, err
	}
	return writtenFile{file, f}, nil
}

// Remove implements vfs.FS.
func (f tableFS) Remove(name string) error {
	f.pause()
	return f.FS.Remove(name)
}

func (f tableFS) pause() {
	if f.dead() {
		select {}
	}
}

type tableFile struct {
	vfs.File
	fs   tableFS
	name string
}

// ReadAt implements vfs.File.
func (t tableFile) ReadAt(p []byte, offset int64) (int, error) {
	n, err := t.File.ReadAt(p, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		t.fs.fail("reading "+t.name, err)
	}
	return n, err
}

type writtenFile struct {
	vfs.File
	fs tableFS
}

// Write implements vfs.File.
func (w writtenFile) Write(p []byte) (int, error) {
	w.fs.pause()
	return w.File.Write(p)
}
