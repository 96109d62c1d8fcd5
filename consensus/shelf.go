package consensus

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dureledger/dure/ledger/tx"
)

const (
	// sealerQuota bounds the bytes of one member's batches that wait here, so that none crowds out the others.
	sealerQuota = 64 << 20
	// sealerBatches bounds their number, so that small ones do not fill the mempool either.
	sealerBatches = 4096
	// disgrace is how long no more batches are taken of a sealer after a bad one: an honest member never seals one, and
	// each costs as much to find out as a good one.
	disgrace = 10 * time.Second
	// refusedLife is how long a bad batch is remembered so that it is not verified again, and refusedMax how many.
	refusedLife = time.Minute
	refusedMax  = 4096
)

// shelf holds verified batches that wait to be decided, and remembers those decided lately and those refused.
type shelf struct {
	mu       sync.Mutex
	items    map[Hash]shelved
	bytes    map[tx.Address]int
	count    map[tx.Address]int
	caught   map[tx.Address]time.Time // sealers of bad batches, members all
	refused  map[Hash]time.Time
	decided  map[Hash]int64
	duration func(time.Time) time.Duration
}

type shelved struct {
	*batch
	since time.Time
}

func newShelf(decided []BatchRef) *shelf {
	s := &shelf{
		items: map[Hash]shelved{}, bytes: map[tx.Address]int{}, count: map[tx.Address]int{}, caught: map[tx.Address]time.Time{}, refused: map[Hash]time.Time{}, decided: map[Hash]int64{},
		duration: time.Since,
	}
	for _, ref := range decided {
		s.decided[ref.Hash] = ref.ExpiresAt
	}
	return s
}

// put shelves a verified batch; false when it is there or decided already.
func (s *shelf) put(b *batch) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.items[b.hash]; ok || s.isDecided(b.hash) {
		return false, nil
	}
	if !s.room(b.sealer, len(b.raw)) {
		return false, fmt.Errorf("batch: sealer %v has %d batches of %d bytes waiting and may have no more", b.sealer, s.count[b.sealer], s.bytes[b.sealer])
	}
	s.items[b.hash] = shelved{b, time.Now()}
	s.bytes[b.sealer] += len(b.raw)
	s.count[b.sealer]++
	return true, nil
}

func (s *shelf) room(sealer tx.Address, size int) bool {
	return s.bytes[sealer]+size <= sealerQuota && s.count[sealer] < sealerBatches
}

// unwelcome says, before anything of it is verified, why a batch of the sealer would not be taken now; "" if it would.
func (s *shelf) unwelcome(sealer tx.Address, size int) (reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, caught := s.caught[sealer]; caught && s.duration(at) < disgrace {
		return refusedCaught
	}
	if !s.room(sealer, size) {
		return refusedQuota
	}
	return ""
}

// disgraced notes that a member sealed a bad batch.
func (s *shelf) disgraced(sealer tx.Address) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.caught[sealer] = time.Now()
}

// refuse remembers a bad batch for a while.
func (s *shelf) refuse(h Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, at := range s.refused {
		if len(s.refused) >= refusedMax || s.duration(at) > refusedLife {
			delete(s.refused, old)
		}
	}
	s.refused[h] = time.Now()
}

func (s *shelf) holds(h Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, waits := s.items[h]
	_, bad := s.refused[h]
	return waits || bad || s.isDecided(h)
}

func (s *shelf) isDecided(h Hash) bool { _, ok := s.decided[h]; return ok }

// wasDecided says whether a batch is in a block already and has not expired since.
func (s *shelf) wasDecided(h Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isDecided(h)
}

func (s *shelf) get(h Hash) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, ok := s.items[h]
	if !ok {
		return nil, false
	}
	return item.raw, true
}

func (s *shelf) waiting(d time.Duration, max int) []Hash {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Hash
	for h, item := range s.items {
		if len(out) == max {
			break
		}
		if s.duration(item.since) >= d {
			out = append(out, h)
		}
	}
	return out
}

// advance takes off what a block of the given time decided and what has expired since. It returns the batches that
// left undecided.
func (s *shelf) advance(decided []BatchRef, time int64) (expired []*batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range decided {
		s.remove(ref.Hash)
		s.decided[ref.Hash] = ref.ExpiresAt
	}
	for h, item := range s.items {
		if item.header.GetExpiresAt() < time {
			expired = append(expired, item.batch)
			s.remove(h)
		}
	}
	for h, at := range s.decided {
		if at < time {
			delete(s.decided, h)
		}
	}
	slices.SortFunc(expired, func(a, b *batch) int { return slices.Compare(a.hash[:], b.hash[:]) })
	return expired
}

// drop takes a batch off.
func (s *shelf) drop(h Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(h)
}

func (s *shelf) remove(h Hash) {
	if item, ok := s.items[h]; ok {
		s.bytes[item.sealer] -= len(item.raw)
		s.count[item.sealer]--
		delete(s.items, h)
	}
}

// size is how many batches wait.
func (s *shelf) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.items)
}
