//go:build unix

package witness

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/dureledger/dure/ledger/fault"
)

// Lock keeps other processes from cosigning from a file until unlock is called. The system gives the lock back when the
// process ends, however it ends. Error code: witness.busy.
func Lock(file string) (unlock func(), err error) {
	f, err := os.OpenFile(file+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, os.NewSyscallError("flock", err)
		}
		return nil, fault.New("witness.busy", "another process is cosigning from "+file+" at this moment; a witness's key and file are for one process", "file", file)
	}
	return func() { _ = f.Close() }, nil
}

// syncFolder has a folder's names on disk when it returns, or a crash could take them away.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
