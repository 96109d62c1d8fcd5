package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/dureledger/dure/ledger/fault"
)

// Format is the version of everything in a node's data: this store's folder and the blocks of consensus beside it. It rises
// with every change that an older binary could not read, and migrations has a step for each rise.
const Format = 3

// CodeTooNew says that the folder was written by a newer binary, which changed its format.
const CodeTooNew = "store.too_new"

const formatMeta = "format"

// migration rewrites a folder of one format to the next. A crash may end it anywhere, and the next Open runs it again
// from its beginning: until it has returned the old format must stay readable, so it writes new files beside the old
// ones, and what it finds of an earlier run it overwrites. Old files it leaves are removed by the step after it.
type migration func(fs FS, dir string, meta *meta, log *slog.Logger) error

// migrations has at index i the step from format i+1 to i+2.
var migrations = []migration{toErasable, toRows}

// toErasable leads to format 2, in which entries may have no transaction. What is there is good as it is.
func toErasable(FS, string, *meta, *slog.Logger) error { return nil }

// toRows leads to format 3, in which consensus keeps its blocks in the order in which they come. It takes over what is there when it opens it.
func toRows(FS, string, *meta, *slog.Logger) error { return nil }

// migrate brings the folder to the newest format, step by step. The format is one small file that is replaced at once,
// after the step: a crash leaves the old format or the new one.
func (s *Store) migrate(dir string, steps []migration) error {
	newest := uint32(len(steps) + 1)
	raw, err := s.meta.get(formatMeta)
	if err != nil {
		return err
	}
	if raw == nil { // a new folder, or one from before formats had numbers, which is the first
		fresh, err := s.isFresh(dir)
		if err != nil {
			return err
		}
		first := uint32(1)
		if fresh {
			first = newest
		}
		raw = binary.BigEndian.AppendUint32(nil, first)
		if err := s.meta.set(formatMeta, raw); err != nil {
			return err
		}
	}
	if len(raw) != 4 || binary.BigEndian.Uint32(raw) == 0 {
		return errors.New("store: the format is malformed")
	}
	have := binary.BigEndian.Uint32(raw)
	if have > newest {
		return fault.New(CodeTooNew, fmt.Sprintf("The data in %s has format %d, written by a newer binary; this one knows formats up to %d. "+
			"Start the newer binary, or restore a copy from before the upgrade.", dir, have, newest), "folder", dir, "format", have, "newest", newest)
	}
	for ; have < newest; have++ {
		s.opts.Logger.Info("the data is brought to a newer format", "folder", dir, "from", have, "to", have+1)
		if err := steps[have-1](s.opts.FS, dir, s.meta, s.opts.Logger); err != nil {
			return fmt.Errorf("bringing %s from format %d to %d: %w; nothing is lost: the next start tries again", dir, have, have+1, err)
		}
		if err := s.meta.set(formatMeta, binary.BigEndian.AppendUint32(nil, have+1)); err != nil {
			return err
		}
	}
	return nil
}

// isFresh says whether nothing was ever written to the folder.
func (s *Store) isFresh(dir string) (bool, error) {
	for _, sub := range []string{"blocks", "meta"} {
		folder := filepath.Join(dir, sub)
		names, err := s.opts.FS.List(folder)
		if err != nil {
			return false, explain("listing "+folder, err)
		}
		if len(names) > 0 {
			return false, nil
		}
	}
	return true, nil
}
