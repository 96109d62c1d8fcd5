package consensus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	dbm "github.com/cometbft/cometbft-db"
	cmtstore "github.com/cometbft/cometbft/proto/tendermint/store"
)

// rowDB is CometBFT's block store in the order in which blocks come. CometBFT names what it keeps by kind first, P:height:part and the like; a
// database of sorted tables then finds that every new table overlaps all that it has, and writes every block three times more as it merges them.
// A row is named by the height first and ends in what is written last, so that each table follows the one before and is never written again:
//
//	height uint64, big endian · kind, one byte · for a part its number, uint32, big endian
//
// Names stay CometBFT's to whoever asks and in backups. Blocks are not found by their hashes (BH:): only routes of CometBFT's RPC server ask for
// that, and no node serves them.
type rowDB struct{ dbm.DB }

// Kinds of rows, as they are written of a block. The commit of a block is written with the next block and lies with that; the state of the whole store
// (its first and last height) is a row of each block, of which the last counts.
const (
	rowPart = iota
	rowMeta
	rowCommit
	rowSeenCommit
	rowExtendedCommit
	rowState
)

// rowNames are CometBFT's names of kinds (store.go, calcBlockMetaKey and on).
var rowNames = [...]string{rowPart: "P:", rowMeta: "H:", rowCommit: "C:", rowSeenCommit: "SC:", rowExtendedCommit: "EC:"}

const (
	stateName    = "blockStore"
	byHashPrefix = "BH:"
	rowSize      = 9  // of all but parts, bytes
	partRowSize  = 13 // of a part, bytes
)

var errByHash = errors.New("the block store does not find blocks by their hashes")

// rowsFrom is where the rows of a height begin.
func rowsFrom(height int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(height)) }

func rowAt(height int64, kind byte) []byte { return append(rowsFrom(height), kind) }

// rowOf is where something is kept that CometBFT gives a name and, of the store's state, a value; errByHash if it is kept nowhere.
func rowOf(name, value []byte) ([]byte, error) {
	if string(name) == stateName {
		var state cmtstore.BlockStoreState
		if err := state.Unmarshal(value); err != nil {
			return nil, fmt.Errorf("the block store's state, %d bytes, cannot be read: %w", len(value), err)
		}
		if state.Height < 0 {
			return nil, fmt.Errorf("the block store's state has height %d", state.Height)
		}
		return rowAt(state.Height, rowState), nil
	}
	if strings.HasPrefix(string(name), byHashPrefix) {
		return nil, errByHash
	}
	for kind, prefix := range rowNames {
		text, is := strings.CutPrefix(string(name), prefix)
		if !is {
			continue
		}
		text, part, ofPart := strings.Cut(text, ":")
		height, ok := number(text, 63)
		if !ok || height == 1<<63-1 || ofPart != (kind == rowPart) {
			break
		}
		if kind == rowCommit {
			height++
		}
		row := rowAt(int64(height), byte(kind))
		if !ofPart {
			return row, nil
		}
		if n, ok := number(part, 32); ok {
			return binary.BigEndian.AppendUint32(row, uint32(n)), nil
		}
		break
	}
	return nil, fmt.Errorf("the block store knows no %q", name)
}

// number reads a decimal as CometBFT writes it.
func number(text string, bits int) (uint64, bool) {
	n, err := strconv.ParseUint(text, 10, bits)
	return n, err == nil && strconv.FormatUint(n, 10) == text
}

// nameOf is CometBFT's name of a row.
func nameOf(row []byte) ([]byte, error) {
	if len(row) == partRowSize && row[8] == rowPart {
		return fmt.Appendf(nil, "P:%d:%d", binary.BigEndian.Uint64(row), binary.BigEndian.Uint32(row[rowSize:])), nil
	}
	if len(row) != rowSize || row[8] == rowPart || row[8] > rowState {
		return nil, fmt.Errorf("the block store has a row %x that nobody wrote", row)
	}
	height := binary.BigEndian.Uint64(row)
	switch row[8] {
	case rowState:
		return []byte(stateName), nil
	case rowCommit:
		height--
	}
	return fmt.Appendf(nil, "%s%d", rowNames[row[8]], height), nil
}

// Get implements dbm.DB.
func (d rowDB) Get(name []byte) ([]byte, error) {
	if string(name) == stateName {
		return d.state()
	}
	row, err := rowOf(name, nil)
	if err != nil {
		return nil, err
	}
	return d.DB.Get(row)
}

// Has implements dbm.DB.
func (d rowDB) Has(name []byte) (bool, error) {
	value, err := d.Get(name)
	return value != nil, err
}

// state is the store's state after its last block. What lies behind it are parts of a block that is not written to its end.
func (d rowDB) state() ([]byte, error) {
	rows, err := d.DB.ReverseIterator(nil, nil)
	if err != nil {
		return nil, err
	}
	for ; rows.Valid(); rows.Next() {
		if row := rows.Key(); len(row) == rowSize && row[8] == rowState {
			return append([]byte{}, rows.Value()...), errors.Join(rows.Error(), rows.Close())
		}
	}
	return nil, errors.Join(rows.Error(), rows.Close())
}

// Set implements dbm.DB.
func (d rowDB) Set(name, value []byte) error {
	return d.one(func(b dbm.Batch) error { return b.Set(name, value) }, dbm.Batch.Write)
}

// SetSync implements dbm.DB.
func (d rowDB) SetSync(name, value []byte) error {
	return d.one(func(b dbm.Batch) error { return b.Set(name, value) }, dbm.Batch.WriteSync)
}

// Delete implements dbm.DB.
func (d rowDB) Delete(name []byte) error {
	return d.one(func(b dbm.Batch) error { return b.Delete(name) }, dbm.Batch.Write)
}

// DeleteSync implements dbm.DB.
func (d rowDB) DeleteSync(name []byte) error {
	return d.one(func(b dbm.Batch) error { return b.Delete(name) }, dbm.Batch.WriteSync)
}

func (d rowDB) one(change func(dbm.Batch) error, write func(dbm.Batch) error) error {
	b := d.NewBatch()
	err := change(b)
	if err == nil {
		err = write(b)
	}
	return errors.Join(err, b.Close())
}

// NewBatch implements dbm.DB.
func (d rowDB) NewBatch() dbm.Batch { return rowBatch{d.DB.NewBatch()} }

type rowBatch struct{ dbm.Batch }

// Set implements dbm.Batch.
func (b rowBatch) Set(name, value []byte) error {
	row, err := rowOf(name, value)
	if errors.Is(err, errByHash) {
		return nil
	}
	if err != nil {
		return err
	}
	return b.Batch.Set(row, value)
}

// Delete implements dbm.Batch. A block's row of the store's state goes with the commit that was seen of it, which goes whenever a block does.
func (b rowBatch) Delete(name []byte) error {
	row, err := rowOf(name, nil)
	if errors.Is(err, errByHash) {
		return nil
	}
	if err != nil {
		return err
	}
	if row[8] == rowSeenCommit {
		if err := b.Batch.Delete(append(row[:8:8], rowState)); err != nil {
			return err
		}
	}
	return b.Batch.Delete(row)
}

// Iterator implements dbm.DB for all that there is, in the order of rows.
func (d rowDB) Iterator(start, end []byte) (dbm.Iterator, error) {
	if start != nil || end != nil {
		return nil, errors.New("the block store is read as a whole")
	}
	rows, err := d.DB.Iterator(nil, nil)
	return &rowIterator{Iterator: rows}, err
}

// ReverseIterator implements dbm.DB.
func (d rowDB) ReverseIterator(_, _ []byte) (dbm.Iterator, error) {
	return nil, errors.New("the block store is not read backwards")
}

type rowIterator struct {
	dbm.Iterator
	err error
}

// Key implements dbm.Iterator.
func (it *rowIterator) Key() []byte {
	name, err := nameOf(it.Iterator.Key())
	it.err = errors.Join(it.err, err)
	return name
}

// Error implements dbm.Iterator.
func (it *rowIterator) Error() error { return errors.Join(it.err, it.Iterator.Error()) }

// takeOver moves what a version before rows kept by CometBFT's names. A name begins with a letter, a row with a zero. The store's state is the last
// name and is moved when all else is done, so that a takeover that was ended goes on when the store is opened again.
func (d rowDB) takeOver(log *slog.Logger) error {
	old, err := d.DB.Iterator([]byte{1}, nil)
	if err != nil {
		return err
	}
	begun := old.Valid()
	if err := errors.Join(old.Error(), old.Close()); err != nil || !begun {
		return err
	}
	log.Info("consensus puts its blocks in order, once; the node starts when that is done")
	first, last := []byte{1}, []byte(stateName)
	if err := d.move(first, last); err != nil {
		return err
	}
	if err := d.DB.Compact(first, last); err != nil { // what is moved must be nowhere else: it may have to be erased
		return err
	}
	return d.move(last, nil)
}

// move puts what is kept by names from first on, before end, into rows.
func (d rowDB) move(first, end []byte) error {
	old, err := d.DB.Iterator(first, end)
	if err != nil {
		return err
	}
	b, size := rowBatch{d.DB.NewBatch()}, 0
	for ; err == nil && old.Valid(); old.Next() {
		name, value := append([]byte{}, old.Key()...), append([]byte{}, old.Value()...)
		size += len(name) + len(value)
		if err = errors.Join(b.Set(name, value), b.Batch.Delete(name)); err == nil && size > importBatch {
			err = errors.Join(b.Write(), b.Close())
			b, size = rowBatch{d.DB.NewBatch()}, 0
		}
	}
	if err = errors.Join(err, old.Error(), old.Close()); err == nil {
		err = b.WriteSync()
	}
	return errors.Join(err, b.Close())
}
