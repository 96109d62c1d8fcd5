package node

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/dureledger/dure/consensus"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
)

// unfinished is the folder beside data/ that a restore fills and renames last.
func (h Home) unfinished() string { return h.data("") + ".restoring" }

// usable refuses a home in which a restore was interrupted.
func (h Home) usable() error {
	if _, err := os.Stat(h.unfinished()); err == nil {
		return fmt.Errorf("a restore into %s was interrupted, so the home is not complete: run `dure restore FILE --home %s` again, which begins anew; "+
			"or remove %s to give it up", h, h, h.unfinished())
	}
	return nil
}

// hasData says whether the node ever ran or was restored.
func (h Home) hasData() bool {
	for _, part := range []string{h.data("ledger"), filepath.Join(h.data("consensus"), "data", "blockstore.db")} {
		if _, err := os.Stat(part); err == nil {
			return true
		}
	}
	return false
}

// SignAtOnce lets a validator whose signing state is missing vote without waiting for a block later than its start. It is
// for when a network cannot go on without it: nothing may have voted with this key since the backup was made.
func (h Home) SignAtOnce() error {
	if _, err := h.Key("validator"); err != nil {
		return err
	}
	return consensus.FreshSigning(h.data("consensus"))
}

// Limits of a backup's small entries, in bytes.
const (
	maxManifest  = 64 << 10
	maxSmallFile = 1 << 20
)

// Restore makes the data of a node from a backup, whose digest it checks first, in a home that has none. A configuration,
// genesis file, member's card or key that is there is kept. keys, if not nil, is given the keys in the backup as
// Backup got them. seen, if not nil, is called with every number of bytes read; the file is read twice.
// Killed at any moment it leaves a home that Start refuses and that can be restored into again.
func Restore(home Home, file string, keys func(sealed []byte) error, seen func(n int)) (*Manifest, error) {
	if home.hasData() {
		return nil, fmt.Errorf("%s has a ledger already: choose another --home, or move %s away first. Keep keys/, and keep it from running "+
			"beside another node with the same keys", home, home.data(""))
	}
	if err := CheckArchive(file, seen); err != nil {
		return nil, err
	}
	fresh := home.unfinished()
	if err := os.RemoveAll(fresh); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(fresh, "files"), 0o700); err != nil {
		return nil, fmt.Errorf("the node's folder cannot be made: %w", err)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	defer f.Close()
	u := &unpacking{home: home, dir: fresh, keys: keys}
	if err := u.read(tar.NewReader(&counted{f, seen})); err != nil {
		return nil, errors.Join(fmt.Errorf("restore: %w", err), u.close())
	}
	if err := u.close(); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	return &u.manifest, u.settle()
}

// unpacking is a restore under way.
type unpacking struct {
	home     Home
	dir      string
	keys     func([]byte) error
	manifest Manifest
	chain    *consensus.Import
	names    []string // of files to put beside data/
}

// read takes the entries in their order.
func (u *unpacking) read(t *tar.Reader) (err error) {
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if u.manifest.Format == 0 && h.Name != archiveManifest {
			return errors.New("it does not begin with a manifest")
		}
		if strings.HasPrefix(h.Name, "state/") {
			if h, err = u.readState(t, h); err != nil {
				return err
			}
			if h == nil {
				return nil
			}
		}
		if err := u.entry(h, t); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}

func (u *unpacking) entry(h *tar.Header, r io.Reader) error {
	folder, name, _ := strings.Cut(h.Name, "/")
	switch {
	case h.Name == archiveManifest:
		return u.readManifest(r)
	case h.Name == archiveKeys:
		raw, err := readMost(r, maxSmallFile)
		if err != nil || u.keys == nil {
			return err
		}
		return u.keys(raw)
	case h.Name == archiveDigest:
		return nil
	case h.Name == "config.yaml", h.Name == "genesis.json", h.Name == "member.json":
		u.names = append(u.names, h.Name)
		return u.write(filepath.Join("files", h.Name), r, genesis.MaxFile)
	case folder == "ledger" && plainName(strings.TrimPrefix(strings.TrimPrefix(name, "blocks/"), "meta/")):
		return u.write(filepath.Join("ledger", filepath.FromSlash(name)), r, h.Size)
	case folder == "consensus":
		db, _, _ := strings.Cut(name, "/")
		return u.readChain(db, r)
	}
	return errors.New("nothing of this name belongs into a backup")
}

// plainName says whether a name is that of a file in one folder.
func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, `/\`)
}

func (u *unpacking) readManifest(r io.Reader) error {
	raw, err := readMost(r, maxManifest)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, &u.manifest); err != nil {
		return err
	}
	if u.manifest.Format != archiveFormat {
		return fmt.Errorf("it has format %d, this program reads %d; use the program of the release that made it", u.manifest.Format, archiveFormat)
	}
	if _, err := os.Stat(u.home.Genesis()); err != nil {
		return nil //nolint:nilerr // there is none: it comes with the backup
	}
	g, err := u.home.ReadGenesis()
	if err == nil && g.NetworkID != u.manifest.Network {
		err = fmt.Errorf("the backup is of network %s, the home of %s", u.manifest.Network, g.NetworkID)
	}
	return err
}

// readState imports the state from its first chunk on and returns the entry after the last, nil at the end.
func (u *unpacking) readState(t *tar.Reader, h *tar.Header) (after *tar.Header, err error) {
	s, err := store.Open(filepath.Join(u.dir, "ledger"), store.Options{HistoryRoot: proof.HistoryRoot})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.State().Import(u.manifest.State, func() ([]state.Change, error) {
		if h == nil || !strings.HasPrefix(h.Name, "state/") {
			return nil, io.EOF
		}
		changes, err := readChanges(t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
		if h, err = t.Next(); errors.Is(err, io.EOF) {
			h, err = nil, nil
		}
		return changes, err
	})
	return h, err
}

func readChanges(r io.Reader) ([]state.Change, error) {
	chunk, err := readMost(r, chunkBytes+maxPair+32)
	if err != nil {
		return nil, err
	}
	var out []state.Change
	err = eachPair(chunk, func(key, value []byte) error {
		out = append(out, state.Change{Key: key, Value: value})
		return nil
	})
	return out, err
}

func (u *unpacking) readChain(db string, r io.Reader) (err error) {
	if u.chain == nil {
		if u.chain, err = consensus.NewImport(filepath.Join(u.dir, "consensus")); err != nil {
			return err
		}
	}
	chunk, err := readMost(r, chunkBytes+maxPair+32)
	if err != nil {
		return err
	}
	return eachPair(chunk, func(key, value []byte) error { return u.chain.Put(db, key, value) })
}

func (u *unpacking) close() error {
	if u.chain == nil {
		return nil
	}
	err := u.chain.Close()
	u.chain = nil
	return err
}

// write makes a file below the unfinished folder, durably.
func (u *unpacking) write(name string, r io.Reader, most int64) error {
	target := filepath.Join(u.dir, name)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(r, most+1))
	if err == nil && n > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// settle puts everything where it belongs. Renaming the data comes last and makes the home whole.
func (u *unpacking) settle() error {
	for _, name := range u.names {
		from, to := filepath.Join(u.dir, "files", name), filepath.Join(string(u.home), name)
		if _, err := os.Stat(to); err == nil {
			continue
		}
		if err := os.Rename(from, to); err != nil {
			return fmt.Errorf("restore: %w", err)
		}
	}
	if err := os.RemoveAll(filepath.Join(u.dir, "files")); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	// What "dure init" left there says that the key is new, which may not be so: without it the validator waits.
	if err := os.RemoveAll(u.home.data("")); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := os.Rename(u.dir, u.home.data("")); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return store.DiskFS{}.SyncDir(string(u.home))
}

func readMost(r io.Reader, most int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(raw)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return raw, err
}
