package consensus

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/dureledger/dure/ledger/tx"
)

// sealWithin is the longest a verified transaction waits for others to share its batch.
const sealWithin = 20 * time.Millisecond

// sealer gathers verified transactions into batches signed by this member.
type sealer struct {
	pool    *Pool
	member  tx.Address
	key     ed25519.PrivateKey
	publish func(*batch) error // an error says that the batch is not up for decision
	within  time.Duration
	metrics *sealMetrics
}

// run seals until ctx ends.
func (s *sealer) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.pool.wakeSeal:
		}
		s.pause(ctx)
		for entries := s.pool.ripe(); len(entries) > 0; entries = s.pool.ripe() {
			s.seal(entries)
		}
	}
}

// pause lets a batch fill, but no longer than within, and not at all while nothing else of this node's is under way: one who pays alone need
// not wait for others, and those who come meanwhile share the next batch.
func (s *sealer) pause(ctx context.Context) {
	deadline := time.NewTimer(s.within)
	defer deadline.Stop()
	for !s.pool.full() && !s.pool.alone() {
		select {
		case <-ctx.Done():
			return
		case <-deadline.C:
			return
		case <-s.pool.wakeSeal:
		}
	}
}

func (s *sealer) seal(entries []*entry) {
	txs := make([]*tx.Tx, len(entries))
	for i, e := range entries {
		txs[i] = e.tx
	}
	var salt [8]byte
	rand.Read(salt[:])
	expires := s.pool.now().UnixMilli() + batchLifeMS
	b, err := sealBatch(s.pool.networkID, s.member, s.key, txs, expires, binary.BigEndian.Uint64(salt[:]))
	if err != nil {
		s.pool.log.Error("a batch could not be sealed", "error", err)
		s.pool.hold(entries)
		return
	}
	s.pool.mu.Lock()
	for _, e := range entries {
		e.batch = b.hash
	}
	s.pool.mu.Unlock()
	s.pool.trail.sealed(b)
	if err := s.publish(b); err != nil {
		s.pool.log.Warn("a batch of this node has to wait", "error", err)
		s.pool.hold(entries)
		s.metrics.hold()
		return
	}
	s.metrics.sealed(b)
}

// full says whether a whole batch is ready.
func (p *Pool) full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.fitting()
	return n == MaxBatchTxs || n < len(p.checked)
}

// alone says whether all there is in the pool waits to be sealed now.
func (p *Pool) alone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.count == len(p.checked)
}

// fitting is how many of the next transactions fit into one batch. The caller holds mu.
func (p *Pool) fitting() int {
	bytes, work := 0, uint64(0)
	for n, e := range p.checked {
		bytes, work = bytes+len(e.tx.Raw), work+e.tx.SignatureWork()
		if n == MaxBatchTxs || bytes > MaxBatchBytes || work > MaxBatchWork {
			return n
		}
	}
	return len(p.checked)
}

// ripe takes the transactions of the next batch. What was decided meanwhile, in another member's batch, is left out: it
// would be void and count against this member.
func (p *Pool) ripe() []*entry {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checked = slices.DeleteFunc(p.checked, (*entry).finished)
	n := p.fitting()
	out := p.checked[:n:n]
	if p.checked = p.checked[n:]; len(p.checked) == 0 {
		p.checked = nil
	}
	return out
}
