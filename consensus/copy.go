package consensus

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/store"
)

// copiedDBs are CometBFT's databases that a copy carries, in the order in which they are opened. What it keeps besides, its
// write-ahead log and the validator's signing state, must not be carried to another time.
var copiedDBs = []string{"state", blockStoreDB, "evidence"}

// databases are CometBFT's, by name.
type databases struct {
	mu   sync.Mutex
	log  *slog.Logger
	open map[string]dbm.DB
}

// provide opens a database for CometBFT and remembers it.
func (d *databases) provide(ctx *cmtcfg.DBContext) (dbm.DB, error) {
	db, err := openDB(ctx, d.log)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == nil {
		d.open = map[string]dbm.DB{}
	}
	d.open[ctx.ID] = db
	return db, nil
}

// close closes what CometBFT, which could not start, has left open.
func (d *databases) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(d.open)) {
		errs = append(errs, d.open[name].Close())
	}
	return errors.Join(errs...)
}

// Copy is CometBFT's blocks and state as of one moment, to be read while it goes on.
type Copy struct {
	Height int64 // of the newest block
	names  []string
	parts  []dbm.Iterator
	close  func() error
}

// Copy opens a copy of a running node's consensus data.
func (e *Engine) Copy() (*Copy, error) { return e.dbs.copy(func() error { return nil }) }

// OpenCopy opens a copy of the consensus data in the folder of a node that does not run.
func OpenCopy(home string) (*Copy, error) {
	config := cometFolders(home)
	d := &databases{log: slog.Default()}
	closeAll := func() (err error) {
		for _, db := range d.open {
			err = errors.Join(err, db.Close())
		}
		return err
	}
	for _, name := range copiedDBs {
		if _, err := d.provide(&cmtcfg.DBContext{ID: name, Config: config}); err != nil {
			return nil, errors.Join(fmt.Errorf("consensus: opening database %s: %w", name, err), closeAll())
		}
	}
	c, err := d.copy(closeAll)
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	return c, nil
}

// copyTries is how often a copy is begun before it is given up: each fails only if a block comes in the microseconds
// between opening two databases.
const copyTries = 100

func (d *databases) copy(closeAll func() error) (*Copy, error) {
	for range copyTries {
		c := &Copy{close: closeAll}
		before, stateBefore, err := d.heights()
		if err == nil {
			err = d.iterate(c)
		}
		if err != nil {
			return nil, errors.Join(err, c.release())
		}
		after, stateAfter, err := d.heights()
		if err != nil {
			return nil, errors.Join(err, c.release())
		}
		if before == after && stateBefore == stateAfter {
			c.Height = before
			return c, nil
		}
		if err := c.release(); err != nil {
			return nil, err
		}
		time.Sleep(time.Millisecond)
	}
	return nil, errors.New("consensus: blocks come too fast to begin a copy between two of them; try again")
}

// heights are the newest block's and that of CometBFT's state.
func (d *databases) heights() (block, state int64, err error) {
	s, err := sm.NewStore(d.db("state"), sm.StoreOptions{}).Load()
	if err != nil {
		return 0, 0, fmt.Errorf("consensus: %w", err)
	}
	return store.LoadBlockStoreState(d.db(blockStoreDB)).Height, s.LastBlockHeight, nil
}

func (d *databases) db(name string) dbm.DB {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open[name]
}

func (d *databases) iterate(c *Copy) error {
	for _, name := range copiedDBs {
		it, err := d.db(name).Iterator(nil, nil)
		if err != nil {
			return fmt.Errorf("consensus: reading database %s: %w", name, err)
		}
		c.names, c.parts = append(c.names, name), append(c.parts, it)
	}
	return nil
}

// Each calls fn for every key and value of every database, database by database, until it fails; the slices are good
// until it returns.
func (c *Copy) Each(fn func(db string, key, value []byte) error) error {
	for i, it := range c.parts {
		for ; it.Valid(); it.Next() {
			if err := fn(c.names[i], it.Key(), it.Value()); err != nil {
				return err
			}
		}
		if err := it.Error(); err != nil {
			return fmt.Errorf("consensus: reading database %s: %w", c.names[i], err)
		}
	}
	return nil
}

func (c *Copy) release() (err error) {
	for _, it := range c.parts {
		err = errors.Join(err, it.Close())
	}
	c.parts = nil
	return err
}

// Close ends the reading.
func (c *Copy) Close() error { return errors.Join(c.release(), c.close()) }

// Import is consensus data being written into a new folder from a copy.
type Import struct {
	dbs   databases
	batch dbm.Batch
	name  string
	bytes int
	conf  *cmtcfg.Config
}

// NewImport begins with a folder that holds no consensus data yet.
func NewImport(home string) (*Import, error) {
	config := cometFolders(home)
	if err := makeFolders(config); err != nil {
		return nil, err
	}
	m := &Import{conf: config, dbs: databases{log: slog.Default()}}
	for _, name := range copiedDBs {
		if _, err := os.Stat(filepath.Join(config.DBDir(), name+".db")); !errors.Is(err, fs.ErrNotExist) {
			return nil, errors.Join(fmt.Errorf("%s holds consensus data already", config.DBDir()), m.Close())
		}
		if _, err := m.dbs.provide(&cmtcfg.DBContext{ID: name, Config: config}); err != nil {
			return nil, errors.Join(fmt.Errorf("consensus: making database %s: %w", name, err), m.Close())
		}
	}
	return m, nil
}

// importBatch is how many bytes are written to a database at once.
const importBatch = 1 << 20

// Put writes a key and value of a database. The slices may be used again afterwards.
func (m *Import) Put(db string, key, value []byte) error {
	if !slices.Contains(copiedDBs, db) {
		return fmt.Errorf("consensus has no database %q", db)
	}
	if m.name != db || m.bytes > importBatch {
		if err := m.flush(); err != nil {
			return err
		}
		m.name, m.batch = db, m.dbs.db(db).NewBatch()
	}
	m.bytes += len(key) + len(value)
	if err := m.batch.Set(slices.Clone(key), slices.Clone(value)); err != nil {
		return fmt.Errorf("consensus: writing database %s: %w", db, err)
	}
	return nil
}

func (m *Import) flush() error {
	if m.batch == nil {
		return nil
	}
	err := errors.Join(m.batch.WriteSync(), m.batch.Close())
	m.batch, m.bytes = nil, 0
	if err != nil {
		return fmt.Errorf("consensus: writing database %s: %w", m.name, err)
	}
	return nil
}

// Close writes what is left.
func (m *Import) Close() error {
	err := m.flush()
	for _, db := range m.dbs.open {
		err = errors.Join(err, db.Close())
	}
	return err
}

// Begun says whether a folder's consensus data has a block to go on from. A node that was stopped while it began with a
// snapshot has none, although its ledger may be there.
func Begun(home string, log *slog.Logger) (begun bool, err error) {
	config := cometFolders(home)
	if _, err := os.Stat(filepath.Join(config.DBDir(), "state.db")); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	d := &databases{log: log}
	defer func() {
		for _, db := range d.open {
			err = errors.Join(err, db.Close())
		}
	}()
	for _, name := range []string{"state", blockStoreDB} {
		if _, err := d.provide(&cmtcfg.DBContext{ID: name, Config: config}); err != nil {
			return false, fmt.Errorf("consensus: opening database %s: %w", name, err)
		}
	}
	block, state, err := d.heights()
	if err != nil || state == 0 {
		return false, err
	}
	return block > 0 || store.NewBlockStore(d.db(blockStoreDB)).LoadSeenCommit(state) != nil, nil
}

// Forget removes a folder's consensus data, but not what the validator knows of its signatures.
func Forget(home string) (err error) {
	config := cometFolders(home)
	for _, name := range copiedDBs {
		err = errors.Join(err, os.RemoveAll(filepath.Join(config.DBDir(), name+".db")))
	}
	return errors.Join(err, os.RemoveAll(filepath.Dir(config.Consensus.WalFile())))
}
