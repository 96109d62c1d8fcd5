//go:build linux || darwin

package store

import "golang.org/x/sys/unix"

// Space is how many bytes the disk of a folder has free for this user, and in all. ok is false where it cannot be told.
func Space(dir string) (free, total uint64, ok bool) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0, 0, false
	}
	size := uint64(s.Bsize)
	return s.Bavail * size, s.Blocks * size, true
}
