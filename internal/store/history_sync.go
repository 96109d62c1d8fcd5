package store

import (
	"encoding/binary"

	"github.com/dureledger/dure/ledger/fault"
)

const syncedMeta = "history"

// openHistory brings the nodes up to the last block: those not known to be on the disk are made again.
func (s *Store) openHistory(dir string, base Base) error {
	raw, err := s.meta.get(syncedMeta)
	if fault.Code(err) == CodeCorrupt {
		s.opts.Logger.Warn("it is not known how much of the history's nodes is on the disk; making them again from the blocks", "error", err)
		raw, err = nil, s.meta.set(syncedMeta, nil)
	}
	if err != nil {
		return err
	}
	_, end := s.blocks.bounds()
	if len(raw) == 8 {
		s.synced = binary.BigEndian.Uint64(raw)
	}
	if s.history, err = openHistory(s.opts.FS, dir, base, min(s.synced, end), s.opts.Logger); err != nil {
		return err
	}
	if err := s.distrust(s.history.Size()); err != nil {
		return err
	}
	if err := s.rebuildHistory(end); err != nil {
		return err
	}
	matches, err := s.historyMatches()
	if err != nil || matches {
		return err
	}
	s.opts.Logger.Warn("the history's nodes are damaged; making them again from the blocks", "file", s.history.path)
	if err := s.distrust(0); err != nil {
		return err
	}
	if err := s.history.restart(); err != nil {
		return err
	}
	if err := s.rebuildHistory(end); err != nil {
		return err
	}
	if matches, err = s.historyMatches(); err == nil && !matches {
		return corrupt(s.blocks.dir, 0, "the outcomes do not make the history root that the last block has")
	}
	return err
}

// distrust notes, before any node after size is written again, that only the nodes up to size are on the disk.
func (s *Store) distrust(size uint64) error {
	if s.synced <= size {
		return nil
	}
	s.synced = size
	return s.meta.set(syncedMeta, binary.BigEndian.AppendUint64(nil, size))
}

func (s *Store) rebuildHistory(end uint64) error {
	for s.history.Size() < end {
		from := s.history.Size()
		p, err := s.blocks.findSeq(from)
		if err != nil {
			return err
		}
		b, err := s.blocks.read(p)
		if err != nil {
			return err
		}
		if err := s.appendHistory(b.Entries[from-b.FirstSeq:]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) historyMatches() (bool, error) {
	if s.opts.HistoryRoot == nil || !s.blocks.hasTip {
		return true, nil
	}
	size := s.blocks.tip.HistorySize
	root, err := s.history.Root(size)
	return s.opts.HistoryRoot(size, root) == s.blocks.tip.HistoryRoot, err
}

func (s *Store) appendHistory(entries []Entry) error {
	s.leaves = appendLeafHashes(s.leaves[:0], entries)
	return s.history.append(s.leaves)
}

// maybeSyncHistory syncs the nodes beside the next appends, so that little has to be made again after a crash.
func (s *Store) maybeSyncHistory() {
	size := s.history.Size()
	if size-s.synced < s.opts.SyncOutcomes {
		return
	}
	select {
	case <-s.idle:
	default:
		return // the previous one is still at it
	}
	s.synced = size
	s.syncing.Add(1)
	go func() {
		defer s.syncing.Done()
		_ = s.syncHistory(size) // the failure is kept in health
		s.idle <- struct{}{}
	}()
}

// syncHistory puts the nodes of the tree of size outcomes on the disk, and then the fact that they are there.
func (s *Store) syncHistory(size uint64) error {
	if err := s.history.file.Sync(); err != nil {
		return s.health.fail(explain("syncing "+s.history.path, err))
	}
	if err := s.meta.set(syncedMeta, binary.BigEndian.AppendUint64(nil, size)); err != nil {
		return s.health.fail(err)
	}
	return nil
}
