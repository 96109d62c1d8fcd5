package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
	cmttypes "github.com/cometbft/cometbft/types"
)

// blocksIn writes blocks of several parts as consensus does and returns their hashes.
func blocksIn(t *testing.T, blocks *store.BlockStore, from, to int64) (hashes [][]byte) {
	t.Helper()
	digest := make([]byte, 32)
	id := cmttypes.BlockID{Hash: digest, PartSetHeader: cmttypes.PartSetHeader{Total: 1, Hash: digest}}
	commit := func(height int64) *cmttypes.Commit {
		return &cmttypes.Commit{Height: height, BlockID: id, Signatures: []cmttypes.CommitSig{cmttypes.NewCommitSigAbsent()}}
	}
	for height := from; height <= to; height++ {
		secret := fmt.Appendf(nil, "payment at %d ", height)
		txs := cmttypes.Txs{bytes.Repeat(secret, 20*int(cmttypes.BlockPartSizeBytes)/len(secret)), secret}
		block := cmttypes.MakeBlock(height, txs, commit(height-1), nil)
		block.ChainID, block.Time, block.ProposerAddress = "rows", time.Unix(height, 0), make([]byte, 20)
		block.ValidatorsHash = digest
		parts, err := block.MakePartSet(cmttypes.BlockPartSizeBytes)
		if err != nil {
			t.Fatal(err)
		}
		blocks.SaveBlock(block, parts, commit(height))
		hashes = append(hashes, block.Hash())
	}
	return hashes
}

// holds checks that a store has what blocksIn wrote, and nothing below or above.
func holds(t *testing.T, db dbm.DB, base int64, hashes [][]byte) {
	t.Helper()
	blocks, last := store.NewBlockStore(db), int64(len(hashes))
	if blocks.Base() != base || blocks.Height() != last {
		t.Fatalf("blocks %d to %d, not %d to %d", blocks.Base(), blocks.Height(), base, last)
	}
	for height := base; height <= last; height++ {
		if b := blocks.LoadBlock(height); b == nil || !bytes.Equal(b.Hash(), hashes[height-1]) {
			t.Errorf("block %d is not what was written", height)
		}
		if c := blocks.LoadSeenCommit(height); c == nil || c.Height != height {
			t.Errorf("seen commit %d: %v", height, c)
		}
		if c := blocks.LoadBlockCommit(height); height < last && (c == nil || c.Height != height) {
			t.Errorf("commit %d: %v", height, c)
		}
	}
	for _, height := range []int64{base - 1, last + 1} {
		if blocks.LoadBlock(height) != nil || blocks.LoadSeenCommit(height) != nil {
			t.Errorf("block %d is there", height)
		}
	}
}

// openBlocks opens the block store below a folder, as often as is wanted.
func openBlocks(t *testing.T, config *cmtcfg.Config) dbm.DB {
	t.Helper()
	db, err := openDB(&cmtcfg.DBContext{ID: blockStoreDB, Config: config}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// What CometBFT's block store writes, prunes and takes back is there when it is opened again.
func TestBlockStore(t *testing.T) {
	config := cmtcfg.DefaultConfig()
	config.SetRoot(t.TempDir())
	db := openBlocks(t, config)
	if s := store.LoadBlockStoreState(db); s.Height != 0 {
		t.Errorf("an empty store is at %d", s.Height)
	}
	blocks := store.NewBlockStore(db)
	hashes := blocksIn(t, blocks, 1, 12)
	holds(t, db, 1, hashes)
	if err := db.Set([]byte("P:13:0"), []byte("of a block that is not written to its end")); err != nil {
		t.Fatal(err)
	}
	state := sm.State{LastBlockHeight: 12, LastBlockTime: time.Unix(12, 0), ConsensusParams: *cmttypes.DefaultConsensusParams()}
	state.ConsensusParams.Evidence.MaxAgeNumBlocks, state.ConsensusParams.Evidence.MaxAgeDuration = 1, 0
	if n, _, err := blocks.PruneBlocks(10, state); n != 9 || err != nil {
		t.Fatalf("pruned %d, %v", n, err)
	}
	if err := blocks.DeleteLatestBlock(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openBlocks(t, config)
	holds(t, db, 10, hashes[:11])
	rows, err := db.Iterator(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	states := 0
	for ; rows.Valid(); rows.Next() {
		if string(rows.Key()) == stateName {
			states++
		}
	}
	if err := rows.Close(); err != nil || states != 2 {
		t.Errorf("%d states of the store for two blocks, %v", states, err)
	}
	for name, err := range map[string]error{
		"read by hash": second(db.Get([]byte("BH:00"))), "seen by hash": second(db.Has([]byte("BH:00"))),
		"unknown": second(db.Get([]byte("X:1"))), "written": db.Set([]byte("P:01:1"), nil),
		"a part": second(db.Iterator([]byte("P:"), nil)), "backwards": second(db.ReverseIterator(nil, nil)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// written notes what reaches a database, write by write.
type written struct {
	dbm.DB
	writes [][][]byte
}

func (w *written) NewBatch() dbm.Batch { return &writtenBatch{Batch: w.DB.NewBatch(), to: w} }

type writtenBatch struct {
	dbm.Batch
	to   *written
	rows [][]byte
}

func (b *writtenBatch) Set(row, value []byte) error {
	b.rows = append(b.rows, row)
	return b.Batch.Set(row, value)
}

func (b *writtenBatch) Write() error {
	b.to.writes = append(b.to.writes, b.rows)
	return b.Batch.Write()
}

func (b *writtenBatch) WriteSync() error { return b.Write() }

// Wherever a table ends, the next begins behind it: nothing that is written lies before what was written already.
func TestRowsFollowEachOther(t *testing.T) {
	w := &written{DB: dbm.NewMemDB()}
	blocksIn(t, store.NewBlockStore(rowDB{w}), 250, 262)
	var last []byte
	for _, rows := range w.writes {
		if first := slices.MinFunc(rows, bytes.Compare); bytes.Compare(first, last) <= 0 {
			t.Fatalf("%x was written after %x", first, last)
		}
		last = slices.MaxFunc(rows, bytes.Compare)
	}
	if len(w.writes) < 13*20 {
		t.Errorf("%d writes", len(w.writes))
	}
}

// A store that a version before wrote is taken over when it is opened, also when that was ended half-way, and leaves nothing behind.
func TestTakeOver(t *testing.T) {
	for name, moved := range map[string]func(old rowDB) error{
		"nothing moved yet":        func(rowDB) error { return nil },
		"some moved":               func(old rowDB) error { return old.move([]byte("H:"), []byte("P:3:")) },
		"all moved, not compacted": func(old rowDB) error { return old.move([]byte{1}, []byte(stateName)) },
	} {
		t.Run(name, func(t *testing.T) { takesOver(t, moved) })
	}
}

// takesOver opens a store of which some is moved already.
func takesOver(t *testing.T, moved func(old rowDB) error) {
	t.Helper()
	config := cmtcfg.DefaultConfig()
	config.SetRoot(t.TempDir())
	open := func() dbm.DB {
		db, err := dbm.NewGoLevelDB(blockStoreDB, config.DBDir())
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	old := open()
	hashes := blocksIn(t, store.NewBlockStore(old), 1, 4) // too few for tables to be merged by themselves
	if err := errors.Join(moved(rowDB{old}), old.Close()); err != nil {
		t.Fatal(err)
	}
	db := openBlocks(t, config)
	holds(t, db, 1, hashes)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw := open()
	names, err := raw.Iterator([]byte{1}, nil)
	if err != nil || names.Valid() {
		t.Errorf("%q is left, %v", names.Key(), err)
	}
	if err := names.Close(); err != nil {
		t.Error(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	size := 0
	files, err := filepath.Glob(filepath.Join(config.DBDir(), blockStoreDB+".db", "*.ldb"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += int(info.Size())
	}
	blocks := len(hashes) * 21 * int(cmttypes.BlockPartSizeBytes)
	if size > blocks*3/2 {
		t.Errorf("%d bytes of tables for %d of blocks", size, blocks)
	}
}

func FuzzRow(f *testing.F) {
	for _, name := range []string{"P:7:300", "H:1", "C:0", "SC:12", "EC:9", "BH:ab", "blockStore", "P:1", "H:1:2", "H:9223372036854775807", "P:1:4294967296", "H:-1"} {
		f.Add([]byte(name))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if row, err := rowOf(raw, nil); err == nil && string(raw) != stateName {
			if name, err := nameOf(row); err != nil || !bytes.Equal(name, raw) {
				t.Errorf("%q is kept at %x, which is %q, %v", raw, row, name, err)
			}
		}
		if name, err := nameOf(raw); err == nil && string(name) != stateName {
			if row, err := rowOf(name, nil); err == nil && !bytes.Equal(row, raw) {
				t.Errorf("%x is %q, which is kept at %x", raw, name, row)
			}
		}
	})
}
