package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// dataSync is fdatasync, which keeps the length but spares a write of the file's times.
func dataSync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
