//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// errorfs shows a folder through FUSE, and fails one operation on it when told to.
type errorfs struct {
	folder string

	mu     sync.Mutex
	count  map[site]int
	fail   site
	nth    int // fails at the nth operation there, from 1; 0: never
	errno  syscall.Errno
	struck string // the file where it did
}

// site is what can fail: an operation on files of a kind. Numbers in their names are written #.
type site struct{ op, file string }

var number = regexp.MustCompile(`[0-9A-F]{6,}|\d+`)

// hit counts an operation and says how it ends.
func (e *errorfs) hit(op, path string) syscall.Errno {
	rel, err := filepath.Rel(e.folder, path)
	if err != nil {
		return syscall.EINVAL
	}
	s := site{op, number.ReplaceAllString(rel, "#")}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.count[s]++; s != e.fail || e.count[s] != e.nth {
		return 0
	}
	e.struck = rel
	return e.errno
}

func (e *errorfs) hurt() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.struck
}

// seen is how many operations there have been at a site.
func (e *errorfs) seen(s site) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count[s]
}

// mount shows the folder at a new place until the test ends or unmount is called.
func (e *errorfs) mount(t testing.TB) (at string, unmount func()) {
	t.Helper()
	e.count = map[site]int{}
	at = t.TempDir()
	root := &fs.LoopbackRoot{Path: e.folder}
	node := &errorNode{&fs.LoopbackNode{RootData: root}, e}
	root.RootNode = node
	server, err := fs.Mount(at, node, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "errorfs"}})
	if err != nil {
		t.Fatalf("this test mounts a file system by FUSE, which needs root and /dev/fuse: %v", err)
	}
	var once sync.Once
	unmount = func() {
		once.Do(func() {
			// The kernel may let go of a killed process's files some time after the process is gone.
			err := server.Unmount()
			for end := time.Now().Add(unmountWithin); errors.Is(err, syscall.EBUSY) && time.Now().Before(end); {
				err = server.Unmount() // waits between tries of its own
			}
			if err != nil {
				users := filesUnder(at)
				_ = syscall.Unmount(at, syscall.MNT_DETACH)
				t.Errorf("%v: %s is still used: %q", err, at, users)
			}
		})
	}
	t.Cleanup(unmount)
	return at, unmount
}

// unmountWithin is how long a mount may be busy after the process that used it has ended.
const unmountWithin = 20 * time.Second

// filesUnder lists what processes have open below a folder: /proc/PID/fd/N -> file.
func filesUnder(folder string) (open []string) {
	for _, pattern := range []string{"/proc/[0-9]*/fd/*", "/proc/[0-9]*/cwd"} {
		links, _ := filepath.Glob(pattern)
		for _, link := range links {
			if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, folder) {
				open = append(open, link+" -> "+to)
			}
		}
	}
	return open
}

type errorNode struct {
	*fs.LoopbackNode
	fs *errorfs
}

// WrapChild makes what is below fail as well.
func (n *errorNode) WrapChild(_ context.Context, child fs.InodeEmbedder) fs.InodeEmbedder {
	if below, ok := child.(*fs.LoopbackNode); ok {
		return &errorNode{below, n.fs}
	}
	return child
}

func (n *errorNode) at() string { return filepath.Join(n.fs.folder, n.Path(n.Root())) }

func (n *errorNode) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if errno := n.fs.hit("open", n.at()); errno != 0 {
		return nil, 0, errno
	}
	h, fuseFlags, errno := n.LoopbackNode.Open(ctx, flags)
	return n.handle(h, n.at()), fuseFlags, errno
}

func (n *errorNode) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	path := filepath.Join(n.at(), name)
	if errno := n.fs.hit("create", path); errno != 0 {
		return nil, nil, 0, errno
	}
	inode, h, fuseFlags, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	return inode, n.handle(h, path), fuseFlags, errno
}

func (n *errorNode) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if errno := n.fs.hit("mkdir", filepath.Join(n.at(), name)); errno != 0 {
		return nil, errno
	}
	return n.LoopbackNode.Mkdir(ctx, name, mode, out)
}

func (n *errorNode) Unlink(ctx context.Context, name string) syscall.Errno {
	if errno := n.fs.hit("remove", filepath.Join(n.at(), name)); errno != 0 {
		return errno
	}
	return n.LoopbackNode.Unlink(ctx, name)
}

func (n *errorNode) Rename(ctx context.Context, name string, parent fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if errno := n.fs.hit("rename", filepath.Join(n.fs.folder, parent.EmbeddedInode().Path(n.Root()), newName)); errno != 0 {
		return errno
	}
	return n.LoopbackNode.Rename(ctx, name, parent, newName, flags)
}

func (n *errorNode) Setattr(ctx context.Context, f fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if _, size := in.GetSize(); size {
		if errno := n.fs.hit("truncate", n.at()); errno != 0 {
			return errno
		}
	}
	return n.LoopbackNode.Setattr(ctx, f, in, out)
}

func (n *errorNode) OpendirHandle(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if errno := n.fs.hit("list", n.at()); errno != 0 {
		return nil, 0, errno
	}
	h, fuseFlags, errno := n.LoopbackNode.OpendirHandle(ctx, flags)
	if d, ok := h.(dirHandle); ok {
		h = &errorDir{d, n.at(), n.fs}
	}
	return h, fuseFlags, errno
}

// dirHandle is what a folder of the loopback file system can do.
type dirHandle interface {
	fs.FileReaddirenter
	fs.FileFsyncdirer
	fs.FileSeekdirer
	fs.FileReleasedirer
}

type errorDir struct {
	dirHandle
	path string
	fs   *errorfs
}

func (d *errorDir) Fsyncdir(ctx context.Context, flags uint32) syscall.Errno {
	if errno := d.fs.hit("sync", d.path); errno != 0 {
		return errno
	}
	return d.dirHandle.Fsyncdir(ctx, flags)
}

func (n *errorNode) handle(h fs.FileHandle, path string) fs.FileHandle {
	if f, ok := h.(*fs.LoopbackFile); ok {
		return &errorFile{f, path, n.fs}
	}
	return h
}

type errorFile struct {
	*fs.LoopbackFile
	path string
	fs   *errorfs
}

// PassthroughFd says that the kernel may not go past us.
func (f *errorFile) PassthroughFd() (int, bool) { return 0, false }

func (f *errorFile) Read(ctx context.Context, buf []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	if errno := f.fs.hit("read", f.path); errno != 0 {
		return nil, errno
	}
	return f.LoopbackFile.Read(ctx, buf, off)
}

func (f *errorFile) Write(ctx context.Context, data []byte, off int64) (uint32, syscall.Errno) {
	if errno := f.fs.hit("write", f.path); errno != 0 {
		if n := len(data) / 2; errno == syscall.ENOSPC && n > 0 { // what still fits
			_, _ = f.LoopbackFile.Write(ctx, data[:n], off)
		}
		return 0, errno
	}
	return f.LoopbackFile.Write(ctx, data, off)
}

func (f *errorFile) Fsync(ctx context.Context, flags uint32) syscall.Errno {
	if errno := f.fs.hit("sync", f.path); errno != 0 {
		return errno
	}
	return f.LoopbackFile.Fsync(ctx, flags)
}

func (f *errorFile) Allocate(ctx context.Context, off, size uint64, mode uint32) syscall.Errno {
	if errno := f.fs.hit("allocate", f.path); errno != 0 {
		return errno
	}
	return f.LoopbackFile.Allocate(ctx, off, size, mode)
}
