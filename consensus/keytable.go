package consensus

import (
	"sync"

	"github.com/dureledger/dure/ledger/tx"
)

const (
	// preparedKeys bounds the keys of one generation; there are two, so about 50 MiB.
	preparedKeys = 16_384
	// sightings bounds the keys of one generation that were seen once.
	sightings = 65_536
)

// keyTable keeps the Ed25519 keys that sign often, unpacked. A key enters when it is seen again: preparing one that
// signs once costs more than it gives. What was not used for a whole generation leaves. It is safe for concurrent use.
type keyTable struct {
	mu       sync.Mutex
	now, old map[[32]byte]*tx.PreparedKey
	seen,
	seenOld map[[32]byte]struct{}
}

func newKeyTable() *keyTable {
	return &keyTable{now: map[[32]byte]*tx.PreparedKey{}, seen: map[[32]byte]struct{}{}}
}

// prepared returns the unpacked key, or nil when it is not worth having.
func (t *keyTable) prepared(public []byte) *tx.PreparedKey {
	if len(public) != 32 {
		return nil
	}
	id := [32]byte(public)
	key, again := t.find(id)
	if key == nil && again {
		if key = tx.PrepareKey(public); key != nil {
			t.keep(id, key)
		}
	}
	return key
}

// find returns a key that is kept; again says whether one that is not was seen before.
func (t *keyTable) find(id [32]byte) (key *tx.PreparedKey, again bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if key := t.now[id]; key != nil {
		return key, true
	}
	if key := t.old[id]; key != nil {
		t.add(id, key)
		return key, true
	}
	_, again = t.seen[id]
	if !again {
		_, again = t.seenOld[id]
	}
	if len(t.seen) >= sightings {
		t.seen, t.seenOld = map[[32]byte]struct{}{}, t.seen
	}
	t.seen[id] = struct{}{}
	return nil, again
}

func (t *keyTable) keep(id [32]byte, key *tx.PreparedKey) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.seen, id)
	t.add(id, key)
}

// add makes room where needed. The caller holds mu.
func (t *keyTable) add(id [32]byte, key *tx.PreparedKey) {
	if len(t.now) >= preparedKeys {
		t.now, t.old = map[[32]byte]*tx.PreparedKey{}, t.now
	}
	t.now[id] = key
}
