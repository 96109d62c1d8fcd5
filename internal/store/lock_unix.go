//go:build unix

package store

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lockFile takes the lock that name stands for and writes this process's pid into it. The system gives the lock back
// when the process ends, however it ends. If another has it, holder is its pid, 0 if it has not written it yet.
func lockFile(name string) (lock io.Closer, holder int, err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, 0, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		text, _ := io.ReadAll(io.LimitReader(f, 32))
		_ = f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, 0, os.NewSyscallError("flock", err)
		}
		holder, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return nil, holder, errLocked
	}
	if err := writePid(f); err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, 0, nil
}

func writePid(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// freeBytes is how much an ordinary user may still write to the disk of dir.
func freeBytes(dir string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, os.NewSyscallError("statfs", err)
	}
	return uint64(stat.Bavail) * uint64(stat.Bsize), nil //nolint:unconvert // the types differ between systems
}
