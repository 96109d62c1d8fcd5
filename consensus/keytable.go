package consensus

import (
	"crypto/sha256"
	"sync"

	"github.com/dureledger/dure/ledger/tx"
)

const (
	// preparedBytes bounds the keys of one generation of a table; there are two, so 48 MiB for each kind.
	preparedBytes = 24 << 20
	// What an unpacked key takes, rounded up: room for 16,384 of Ed25519 and for 614 of ML-DSA-65.
	ed25519Bytes = 1536
	mldsa65Bytes = 40 << 10
	// sightings bounds the keys of one generation that were seen once, for each that may be kept: a key that comes again later than that would
	// leave before it is used.
	sightings = 4
)

// keys are the unpacked keys of those who sign often. Each kind has a table of its own, so that keys of the large kind cannot
// drive out thousands of the small one.
type keys struct {
	ed25519 *keyTable[tx.PreparedEd25519]
	mldsa65 *keyTable[tx.PreparedMLDSA65]
}

func newKeys() keys {
	return keys{
		ed25519: newKeyTable(preparedBytes/ed25519Bytes, tx.PrepareEd25519),
		mldsa65: newKeyTable(preparedBytes/mldsa65Bytes, tx.PrepareMLDSA65),
	}
}

// Ed25519 and MLDSA65 make it a tx.Prepared.
func (k keys) Ed25519(public []byte) *tx.PreparedEd25519 { return k.ed25519.prepared(public) }
func (k keys) MLDSA65(public []byte) *tx.PreparedMLDSA65 { return k.mldsa65.prepared(public) }

// keyTable keeps the keys of one kind that sign often, unpacked. A key enters when it is seen again: keeping one that
// signs once costs more than it gives. What was not used for a whole generation leaves. It is safe for concurrent use.
type keyTable[K any] struct {
	most    int // of one generation
	prepare func(public []byte) *K

	mu       sync.Mutex
	now, old map[[32]byte]*K
	seen,
	seenOld map[[32]byte]struct{}
}

func newKeyTable[K any](most int, prepare func(public []byte) *K) *keyTable[K] {
	return &keyTable[K]{most: most, prepare: prepare, now: map[[32]byte]*K{}, seen: map[[32]byte]struct{}{}}
}

// prepared returns the unpacked key, or nil when it is not worth having.
func (t *keyTable[K]) prepared(public []byte) *K {
	id := keyID(public)
	key, again := t.find(id)
	if key == nil && again {
		if key = t.prepare(public); key != nil {
			t.keep(id, key)
		}
	}
	return key
}

// keyID names a key: itself, if it has as many bytes as a name, and its digest otherwise.
func keyID(public []byte) [32]byte {
	if len(public) == 32 {
		return [32]byte(public)
	}
	return sha256.Sum256(public)
}

// find returns a key that is kept; again says whether one that is not was seen before.
func (t *keyTable[K]) find(id [32]byte) (key *K, again bool) {
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

func (t *keyTable[K]) keep(id [32]byte, key *K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.seen, id)
	t.add(id, key)
}

// add makes room where needed. The caller holds mu.
func (t *keyTable[K]) add(id [32]byte, key *K) {
	if len(t.now) >= t.most {
		t.now, t.old = map[[32]byte]*K{}, t.now
	}
	t.now[id] = key
}
