package consensus

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	dbm "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	"github.com/syndtr/goleveldb/leveldb/opt"
)

// calmDB is a database that may still be asked after it was closed: it is then empty and refuses writes. CometBFT
// closes its databases while its gossip routines end, and they panic on any error.
type calmDB struct {
	dbm.DB
	mu     sync.RWMutex
	closed bool
}

// blockStoreDB is what CometBFT calls the database of its blocks.
const blockStoreDB = "blockstore"

var errClosedDB = errors.New("the node has stopped")

// openDB opens one of CometBFT's stores. They hold mostly signatures and digests, which do not compress.
func openDB(ctx *cmtcfg.DBContext, log *slog.Logger) (dbm.DB, error) {
	db, err := dbm.NewGoLevelDBWithOpts(ctx.ID, ctx.Config.DBDir(), &opt.Options{Compression: opt.NoCompression})
	if err != nil {
		return nil, err
	}
	if ctx.ID != blockStoreDB {
		return &calmDB{DB: db}, nil
	}
	blocks := rowDB{db}
	if err := blocks.takeOver(log); err != nil {
		return nil, errors.Join(fmt.Errorf("putting the block store in the order of blocks: %w", err), db.Close())
	}
	return &calmDB{DB: blocks}, nil
}

// during runs fn unless the database is closed, and holds up Close meanwhile.
func (d *calmDB) during(fn func() error) (open bool, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return false, nil
	}
	return true, fn()
}

// Get implements dbm.DB.
func (d *calmDB) Get(key []byte) (value []byte, err error) {
	_, err = d.during(func() error { value, err = d.DB.Get(key); return err })
	return value, err
}

// Has implements dbm.DB.
func (d *calmDB) Has(key []byte) (has bool, err error) {
	_, err = d.during(func() error { has, err = d.DB.Has(key); return err })
	return has, err
}

// Set implements dbm.DB.
func (d *calmDB) Set(key, value []byte) error {
	return d.write(func() error { return d.DB.Set(key, value) })
}

// SetSync implements dbm.DB.
func (d *calmDB) SetSync(key, value []byte) error {
	return d.write(func() error { return d.DB.SetSync(key, value) })
}

func (d *calmDB) write(fn func() error) error {
	open, err := d.during(fn)
	if !open {
		return errClosedDB
	}
	return err
}

// Close implements dbm.DB. It waits for what is under way.
func (d *calmDB) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	return d.DB.Close()
}
