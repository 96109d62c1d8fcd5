package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dureledger/dure/consensus"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
)

// Manifest is what a backup says of itself, in its first entry.
type Manifest struct {
	Format  int    `json:"format"`
	Network string `json:"network"`
	Member  string `json:"member"`
	Made    string `json:"made"`
	// State is the height of the state, Outcomes that of the last block of outcomes, Blocks that of the newest of
	// consensus. A restored node executes the blocks after State again.
	State    int64 `json:"state"`
	Outcomes int64 `json:"outcomes"`
	Blocks   int64 `json:"blocks"`
	// Keys says whether the node's keys are in it, encrypted.
	Keys bool `json:"keys"`
}

const (
	archiveFormat   = 1
	archiveManifest = "manifest.json"
	archiveKeys     = "keys.age"
)

// BackupStopped writes a backup of a node that does not run. keys, if not empty, is what the caller has made of the
// node's keys for it to carry.
func BackupStopped(ctx context.Context, home Home, w io.Writer, keys []byte) (err error) {
	if err := home.usable(); err != nil {
		return err
	}
	if !home.hasData() {
		return fmt.Errorf("%s has no ledger to back up: the node never ran", home)
	}
	s, err := store.Open(home.data("ledger"), store.Options{HistoryRoot: proof.HistoryRoot})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return backup(ctx, home, w, s, keys, func() (*consensus.Copy, error) { return consensus.OpenCopy(home.data("consensus")) })
}

// backup writes a backup. The copies are opened in this order because the state may be behind the outcomes and those
// behind the blocks, never the other way round.
func backup(ctx context.Context, home Home, w io.Writer, s *store.Store, keys []byte, blocks func() (*consensus.Copy, error)) (err error) {
	ledger, err := s.Copy()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	chain, err := blocks()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, chain.Close()) }()
	g, err := home.ReadGenesis()
	if err != nil {
		return err
	}
	a := newArchive(ctx, w)
	m := Manifest{
		Format: archiveFormat, Network: g.NetworkID, Made: time.Now().UTC().Format(time.RFC3339),
		State: ledger.Height(), Outcomes: ledger.Last, Blocks: chain.Height, Keys: len(keys) > 0,
	}
	if err := a.preface(home, g, m, keys); err != nil {
		return err
	}
	if err := a.ledger(ledger); err != nil {
		return err
	}
	if err := a.chain(chain); err != nil {
		return err
	}
	return a.finish()
}

// preface writes what a person or program looks at first.
func (a *archiveWriter) preface(home Home, g *genesis.Genesis, m Manifest, keys []byte) error {
	if c, err := Load(home.Config(), noEnv, nil); err == nil {
		m.Member = c.Member
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := a.add(archiveManifest, append(raw, '\n')); err != nil {
		return err
	}
	if err := a.add(filepath.Base(home.Genesis()), g.File); err != nil {
		return err
	}
	for _, file := range []string{home.Config(), home.Card()} {
		raw, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("backup: %w", err)
		}
		if err := a.add(filepath.Base(file), raw); err != nil {
			return err
		}
	}
	if len(keys) > 0 {
		return a.add(archiveKeys, keys)
	}
	return nil
}

func (a *archiveWriter) ledger(c *store.Copy) error {
	for _, f := range c.Files {
		if err := a.begin("ledger/"+f.Name, f.Size); err != nil {
			return err
		}
		if err := c.WriteFile(a, f); err != nil {
			return err
		}
	}
	chunks := chunker{emit: a.numbered("state")}
	if err := c.State(chunks.put); err != nil {
		return err
	}
	return chunks.flush()
}

func (a *archiveWriter) chain(c *consensus.Copy) error {
	var chunks *chunker
	of := ""
	err := c.Each(func(db string, key, value []byte) error {
		if db != of {
			if chunks != nil {
				if err := chunks.flush(); err != nil {
					return err
				}
			}
			chunks, of = &chunker{emit: a.numbered("consensus/" + db)}, db
		}
		return chunks.put(key, value)
	})
	if err == nil && chunks != nil {
		err = chunks.flush()
	}
	return err
}

// numbered writes chunks as folder/00000000 and so on.
func (a *archiveWriter) numbered(folder string) func([]byte) error {
	n := 0
	return func(chunk []byte) error {
		n++
		return a.add(fmt.Sprintf("%s/%08d", folder, n-1), chunk)
	}
}
