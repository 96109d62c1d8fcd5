package node

import (
	"fmt"
	"slices"

	"github.com/dureledger/dure/ledger/proof"
)

// trailMeta holds a checkpoint for whoever trusts genesis. Every change of validators up to its height is in it, so that
// receipts can be made although the headers of those changes are not here: they were pruned, or the node began later.
const trailMeta = "trail"

// snapshotMeta is there when the node began with a snapshot.
const snapshotMeta = "snapshot"

func (s *storage) loadTrail() error {
	raw, err := s.Meta(trailMeta)
	if err != nil || raw == nil {
		return err
	}
	if s.trail, err = proof.DecodeCheckpoint(raw); err != nil {
		return fmt.Errorf("changes of validators: %w", err)
	}
	return nil
}

// keepTrail replaces the trail by a verified checkpoint from genesis on.
func (s *storage) keepTrail(file []byte) error {
	c, err := proof.DecodeCheckpoint(file)
	if err != nil {
		return err
	}
	for i := range c.Evidence.Changes {
		if err := s.addChange(c.Evidence.Changes[i].Header.Height); err != nil {
			return err
		}
	}
	if err := s.SetMeta(trailMeta, file); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trail = c
	return nil
}

// KeptChange implements light.Keeper.
func (s *storage) KeptChange(height int64) (*proof.Change, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trail == nil || height >= s.trail.Height {
		return nil, false
	}
	i := slices.IndexFunc(s.trail.Evidence.Changes, func(c proof.Change) bool { return c.Header.Height == height })
	if i < 0 {
		return nil, true
	}
	return &s.trail.Evidence.Changes[i], true
}
