package consensus

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	cmtcons "github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/store"
)

// CometBFT keeps what blocks carried in two more places than those that count: a database gives the space of deleted keys back
// when it is merged, and the write-ahead log keeps votes and proposals of long ago.

// Oldest is the oldest block that consensus has in full, and its time.
func (e *Engine) Oldest() (height int64, at time.Time) {
	height = e.node.BlockStore().Base()
	if meta := e.node.BlockStore().LoadBlockMeta(height); meta != nil {
		at = meta.Header.Time
	}
	return height, at
}

// compactBlocks is how many heights Compact takes between rests.
const compactBlocks = 100

// Compact takes the blocks that were pruned out of the files of the block store too, a part at a time, and rests between.
func (e *Engine) Compact(ctx context.Context, rest func(ctx context.Context, worked time.Duration) error) error {
	db := e.dbs.db(blockStoreDB)
	if db == nil {
		return nil
	}
	base := store.LoadBlockStoreState(db).Base
	for from := e.compacted; from < base; from = e.compacted {
		began := time.Now()
		to := min(from+compactBlocks, base)
		if err := db.Compact(rowsFrom(from), rowsFrom(to)); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("consensus: compacting the block store: %w", err)
		}
		e.compacted = to
		if err := rest(ctx, time.Since(began)); err != nil {
			return err
		}
	}
	return nil
}

// rotated are files of the write-ahead log to which nothing is written any more.
var rotated = regexp.MustCompile(`^wal\.[0-9]{3,}$`)

// damagedLog is what CometBFT calls a damaged log that it has put aside.
const damagedLog = "wal.CORRUPTED"

// TrimLog removes files of a running node's write-ahead log that are older than a time, but not the newest.
func (e *Engine) TrimLog(before time.Time) error {
	dir := filepath.Dir(cometFolders(e.config.Home).Consensus.WalFile())
	names, err := logFiles(dir)
	if err != nil {
		return err
	}
	for _, name := range append(names[:max(0, len(names)-1)], filepath.Join(dir, damagedLog)) {
		info, err := os.Stat(name)
		if err == nil && info.ModTime().Before(before) {
			err = os.Remove(name)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) { // CometBFT removes some too
			return fmt.Errorf("consensus: %w", err)
		}
	}
	return nil
}

// logFiles are the rotated files, the oldest first.
func logFiles(dir string) (out []string, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("consensus: %w", err)
	}
	for _, e := range entries {
		if rotated.MatchString(e.Name()) {
			out = append(out, filepath.Join(dir, e.Name()))
		}
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }) // numbers of more digits are larger
	return out, nil
}

// ShortenLog leaves of the write-ahead log of a node that does not run what its next start needs: what came after the last block that was
// decided. A damaged end, as a crash leaves it, stays for CometBFT to repair, and so does a log that cannot be read so far.
func ShortenLog(home string) error {
	head := cometFolders(home).Consensus.WalFile()
	old, err := logFiles(filepath.Dir(head))
	if err != nil {
		return err
	}
	tail, whole := []byte(nil), false
	files := append(slices.Clone(old), head)
	for i := len(files) - 1; i >= 0 && !whole; i-- {
		raw, err := os.ReadFile(files[i])
		if errors.Is(err, os.ErrNotExist) && files[i] == head {
			continue
		}
		if err != nil {
			return fmt.Errorf("consensus: %w", err)
		}
		at, ok := lastEnd(raw)
		if !ok && at < 0 {
			return nil
		}
		whole = at >= 0
		tail = append(slices.Clone(raw[max(0, at):]), tail...)
	}
	if !whole {
		return nil
	}
	if err := replaceFile(head, tail); err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("consensus: %w", err)
		}
	}
	return nil
}

const (
	walFrame    = 8       // CRC and length of a message, 4 bytes each
	maxWalBytes = 2 << 20 // of a message: CometBFT's bound is half of it
)

// lastEnd is where the message begins that ends the last height, -1 if there is none; ok is false if the log is damaged.
func lastEnd(raw []byte) (at int, ok bool) {
	at = -1
	for pos := 0; pos < len(raw); {
		if len(raw)-pos < walFrame {
			return at, false
		}
		size := walFrame + int(binary.BigEndian.Uint32(raw[pos+4:]))
		if size > maxWalBytes || size > len(raw)-pos {
			return at, false
		}
		m, err := cmtcons.NewWALDecoder(bytes.NewReader(raw[pos : pos+size])).Decode()
		if err != nil {
			return at, false
		}
		if end, is := m.Msg.(cmtcons.EndHeightMessage); is && end.Height > 0 {
			at = pos
		}
		pos += size
	}
	return at, true
}

// replaceFile replaces a file's content, so that a crash leaves the old or the new.
func replaceFile(name string, content []byte) (err error) {
	fresh := name + ".new"
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = io.Copy(f, bytes.NewReader(content))
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(fresh, name)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
