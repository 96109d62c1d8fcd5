package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dureledger/dure/ledger/fault"
)

// MinFreeBytes is the free space below which a folder counts as full: two segments.
const MinFreeBytes = 2 * defaultSegmentBytes

var errLocked = errors.New("locked")

// CheckFolder makes dir if needed and proves that a store can live there: files can be created, written, synced and
// removed, and there is some space. Its errors have the codes store.read_only and store.full.
func CheckFolder(dir string) error {
	if err := checkFolder(DiskFS{}, dir); err != nil {
		return err
	}
	free, err := freeBytes(dir)
	if err != nil {
		return explain("asking for the free space of "+dir, err)
	}
	if free < MinFreeBytes {
		return fault.New(CodeFull, fmt.Sprintf("The disk that holds %s has %d MiB left; a node needs at least %d MiB to start.",
			dir, free>>20, MinFreeBytes>>20), "folder", dir, "free_bytes", free)
	}
	return nil
}

func checkFolder(fs FS, dir string) error {
	if err := fs.MkdirAll(dir); err != nil {
		return explain("making "+dir, err)
	}
	name := filepath.Join(dir, "probe")
	f, err := fs.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return explain("making a file in "+dir, err)
	}
	_, err = f.WriteAt(make([]byte, 64<<10), 0)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if rerr := fs.Remove(name); err == nil {
		err = rerr
	}
	return explain("writing to "+dir, err)
}

// lockFolder makes sure that no other process has dir open.
func lockFolder(dir string) (io.Closer, error) {
	lock, pid, err := lockFile(filepath.Join(dir, "LOCK"))
	if errors.Is(err, errLocked) {
		who := ""
		if pid != 0 {
			who = fmt.Sprintf(" (pid %d)", pid)
		}
		return nil, fault.New(CodeInUse, "The folder "+dir+" is in use by another dure"+who+". Stop it, or give this one another folder.",
			"folder", dir, "pid", pid)
	}
	if err != nil {
		return nil, explain("locking "+dir, err)
	}
	return lock, nil
}
