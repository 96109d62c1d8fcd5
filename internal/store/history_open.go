package store

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/transparency-dev/merkle/compact"
)

// openHistory opens the nodes and goes back to the tree of size leaves, of which the caller knows that it reached the
// disk; what comes after may not have, in any order.
func openHistory(fs FS, dir string, base Base, size uint64, log *slog.Logger) (*History, error) {
	path := filepath.Join(dir, "nodes")
	f, err := fs.OpenFile(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, explain("opening "+path, err)
	}
	h := &History{file: f, path: path, base: base}
	if err := h.goBack(size, log); err != nil {
		_ = f.Close()
		return nil, err
	}
	return h, nil
}

func (h *History) goBack(size uint64, log *slog.Logger) error {
	length, err := h.file.Size()
	if err != nil {
		return explain("asking for the size of "+h.path, err)
	}
	if size <= h.base.HistorySize || length < int64(nodeCount(size))*32 {
		if size > h.base.HistorySize {
			log.Warn("the history's nodes are missing; making them again from the blocks", "file", h.path)
		}
		return h.restart()
	}
	if err := h.file.Truncate(int64(nodeCount(size)) * 32); err != nil {
		return explain("truncating "+h.path, err)
	}
	h.size.Store(size)
	h.stack, err = h.Frontier(size)
	return err
}

// restart begins anew with the base, whose frontier is all that later proofs need of what is before it. The nodes not
// known stay holes in the file.
func (h *History) restart() error {
	size := h.base.HistorySize
	if err := h.file.Truncate(0); err != nil {
		return explain("truncating "+h.path, err)
	}
	ids := compact.RangeNodes(0, size, nil)
	if len(ids) != len(h.base.Frontier) {
		return fmt.Errorf("store: a history of %d has a frontier of %d hashes, not %d", size, len(ids), len(h.base.Frontier))
	}
	for i, id := range ids {
		if _, err := h.file.WriteAt(h.base.Frontier[i][:], int64(nodeAt(id.Level, id.Index))*32); err != nil {
			return explain("writing "+h.path, err)
		}
	}
	h.stack = append([][32]byte{}, h.base.Frontier...)
	h.size.Store(size)
	return nil
}
