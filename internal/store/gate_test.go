package store

import (
	"errors"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/vfs"
)

// gate is a file system whose process ends: from close on nothing that it began changes the disk any more. Pebble's
// goroutines outlive a store that failed, and in memory would go on beside the one that opens the disk again.
type gate struct {
	vfs.FS
	state *gateState
}

type gateState struct {
	mu   sync.RWMutex
	shut bool
}

var errShut = errors.New("the process has ended")

func newGate(fs vfs.FS) *gate { return &gate{fs, &gateState{}} }

// close waits for what is under way and lets nothing more through.
func (g *gate) close() {
	g.state.mu.Lock()
	defer g.state.mu.Unlock()
	g.state.shut = true
}

func (s *gateState) pass(fn func() error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.shut {
		return errShut
	}
	return fn()
}

func (g *gate) file(open func() (vfs.File, error)) (f vfs.File, err error) {
	err = g.state.pass(func() error {
		inner, err := open()
		f = &gateFile{inner, g.state}
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (g *gate) Create(name string) (vfs.File, error) {
	return g.file(func() (vfs.File, error) { return g.FS.Create(name) })
}

func (g *gate) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return g.file(func() (vfs.File, error) { return g.FS.Open(name, opts...) })
}

func (g *gate) OpenReadWrite(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	return g.file(func() (vfs.File, error) { return g.FS.OpenReadWrite(name, opts...) })
}

func (g *gate) OpenDir(name string) (vfs.File, error) {
	return g.file(func() (vfs.File, error) { return g.FS.OpenDir(name) })
}

func (g *gate) ReuseForWrite(from, to string) (vfs.File, error) {
	return g.file(func() (vfs.File, error) { return g.FS.ReuseForWrite(from, to) })
}

func (g *gate) Link(from, to string) error {
	return g.state.pass(func() error { return g.FS.Link(from, to) })
}

func (g *gate) Remove(name string) error {
	return g.state.pass(func() error { return g.FS.Remove(name) })
}

func (g *gate) RemoveAll(name string) error {
	return g.state.pass(func() error { return g.FS.RemoveAll(name) })
}

func (g *gate) Rename(from, to string) error {
	return g.state.pass(func() error { return g.FS.Rename(from, to) })
}

func (g *gate) MkdirAll(dir string, perm os.FileMode) error {
	return g.state.pass(func() error { return g.FS.MkdirAll(dir, perm) })
}

// gateFile is a file of a gate.
type gateFile struct {
	vfs.File
	state *gateState
}

func (f *gateFile) Write(p []byte) (n int, err error) {
	err = f.state.pass(func() (err error) { n, err = f.File.Write(p); return err })
	return n, err
}

func (f *gateFile) WriteAt(p []byte, at int64) (n int, err error) {
	err = f.state.pass(func() (err error) { n, err = f.File.WriteAt(p, at); return err })
	return n, err
}

func (f *gateFile) Read(p []byte) (n int, err error) {
	err = f.state.pass(func() (err error) { n, err = f.File.Read(p); return err })
	return n, err
}

func (f *gateFile) ReadAt(p []byte, at int64) (n int, err error) {
	err = f.state.pass(func() (err error) { n, err = f.File.ReadAt(p, at); return err })
	return n, err
}

func (f *gateFile) Sync() error     { return f.state.pass(f.File.Sync) }
func (f *gateFile) SyncData() error { return f.state.pass(f.File.SyncData) }

func (f *gateFile) SyncTo(length int64) (full bool, err error) {
	err = f.state.pass(func() (err error) { full, err = f.File.SyncTo(length); return err })
	return full, err
}
