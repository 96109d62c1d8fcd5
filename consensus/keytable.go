package consensus

import (
	"crypto/sha256"
	"sync"

	"github.com/dureledger/dure/ledger/tx"
)

const (
	// preparedBytes bounds the ML-DSA-65 keys of one generation of the table; there are two, so 48 MiB.
	preparedBytes = 24 << 20
	// What an unpacked key takes, rounded up: there is room for 614.
	mldsa65Bytes = 40 << 10
	// sightings bounds the keys of one generation that were seen once, for each that may be kept: a key that comes again later than that would
	// leave before it is used.
	sightings = 4
)

// keys are what unpacking keys gave before: of Ed25519 a coordinate of many, of ML-DSA-65 the large keys of those who sign often.
type keys struct {
	ed25519 *xTable
	mldsa65 *keyTable
}

func newKeys() keys {
	return keys{ed25519: newXTable(), mldsa65: newKeyTable(preparedBytes / mldsa65Bytes)}
}

// Ed25519, KeepEd25519 and MLDSA65 make it a tx.Prepared.
func (k keys) Ed25519(public *[32]byte, which int) [2]tx.X { return k.ed25519.find(public, which) }
func (k keys) KeepEd25519(public *[32]byte, x tx.X)        { k.ed25519.keep(public, x) }
func (k keys) MLDSA65(public []byte) *tx.PreparedMLDSA65   { return k.mldsa65.prepared(public) }

// keyTable keeps the ML-DSA-65 keys that sign often, unpacked. A key enters when it is seen again: keeping one that
// signs once costs more than it gives. What was not used for a whole generation leaves. It is safe for concurrent use.
type keyTable struct {
	most int // of one generation

	mu       sync.Mutex
	now, old map[[32]byte]*tx.PreparedMLDSA65
	seen,
	seenOld map[[32]byte]struct{}
}

func newKeyTable(most int) *keyTable {
	return &keyTable{most: most, now: map[[32]byte]*tx.PreparedMLDSA65{}, seen: map[[32]byte]struct{}{}}
}

// prepared returns the unpacked key, or nil when it is not worth having.
func (t *keyTable) prepared(public []byte) *tx.PreparedMLDSA65 {
	id := sha256.Sum256(public)
	key, again := t.find(id)
	if key == nil && again {
		if key = tx.PrepareMLDSA65(public); key != nil {
			t.keep(id, key)
		}
	}
	return key
}

// find returns a key that is kept; again says whether one that is not was seen before.
func (t *keyTable) find(id [32]byte) (key *tx.PreparedMLDSA65, again bool) {
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
	if len(t.seen) >= sightings*t.most {
		t.seen, t.seenOld = map[[32]byte]struct{}{}, t.seen
	}
	t.seen[id] = struct{}{}
	return nil, again
}

func (t *keyTable) keep(id [32]byte, key *tx.PreparedMLDSA65) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.seen, id)
	t.add(id, key)
}

// add makes room where needed. The caller holds mu.
func (t *keyTable) add(id [32]byte, key *tx.PreparedMLDSA65) {
	if len(t.now) >= t.most {
		t.now, t.old = map[[32]byte]*tx.PreparedMLDSA65{}, t.now
	}
	t.now[id] = key
}
