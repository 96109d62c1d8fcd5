package consensus

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// chunk is how much signature work one core does together: half of a full batch, which gives two cores something to do.
// Larger ones get hardly any cheaper by signature.
const chunk = 512

// Verifier checks the signatures of batches, each batch once, on every core. It is safe for concurrent use.
type Verifier struct {
	networkID string
	workers   chan struct{}
	keys      keys
	metrics   *verifierMetrics

	mu    sync.Mutex
	known map[Hash]*verdict
}

// verdict is what is known of a batch, ready when done is closed.
type verdict struct {
	done  chan struct{}
	batch *batch
	err   error
}

// NewVerifier makes a verifier for one network.
func NewVerifier(networkID string) *Verifier {
	return &Verifier{
		networkID: networkID, workers: make(chan struct{}, runtime.GOMAXPROCS(0)), known: map[Hash]*verdict{},
		keys: newKeys(),
	}
}

// Verify decodes and checks a batch, or returns what it found when it did so before. Concurrent calls for one batch
// share the work. errRelay is neither remembered nor shared: it depends on the node keys that the caller knows, and who
// asks a block later may know others.
func (v *Verifier) Verify(hash Hash, raw []byte, nodeKey func(tx.Address) []byte) (*batch, error) {
	v.mu.Lock()
	w, ok := v.known[hash]
	if !ok {
		w = &verdict{done: make(chan struct{})}
		v.known[hash] = w
	}
	v.mu.Unlock()
	if ok {
		if <-w.done; !errors.Is(w.err, errRelay) {
			return w.batch, w.err
		}
		w = &verdict{done: make(chan struct{})}
	}
	b, err := decodeBatch(v.networkID, raw, nodeKey)
	if err == nil {
		for i, bad := range v.Signatures(b.txs) {
			if bad != nil {
				err = fmt.Errorf("batch: transaction %d: %w", i, bad)
				break
			}
		}
	}
	w.batch, w.err = b, err
	v.mu.Lock()
	if err == nil {
		v.known[hash] = w
	} else if v.known[hash] == w {
		delete(v.known, hash)
	}
	v.mu.Unlock()
	close(w.done)
	return b, err
}

// Add remembers a batch of ours, whose transactions the pool has verified.
func (v *Verifier) Add(b *batch) {
	w := &verdict{done: make(chan struct{}), batch: b}
	close(w.done)
	v.mu.Lock()
	v.known[b.hash] = w
	v.mu.Unlock()
}

// Find returns a batch that has been found good.
func (v *Verifier) Find(hash Hash) (*batch, bool) {
	v.mu.Lock()
	w, ok := v.known[hash]
	v.mu.Unlock()
	if !ok {
		return nil, false
	}
	<-w.done
	return w.batch, w.err == nil
}

// Forget drops a batch: decided, expired or bad.
func (v *Verifier) Forget(hash Hash) {
	v.mu.Lock()
	delete(v.known, hash)
	v.mu.Unlock()
}

// Prune drops batches that expired before time, unix milliseconds: seen in a proposal, say, that was never decided.
func (v *Verifier) Prune(time int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for hash, w := range v.known {
		select {
		case <-w.done:
			if w.batch == nil || w.batch.header.GetExpiresAt() < time {
				delete(v.known, hash)
			}
		default: // still being verified
		}
	}
}

// Signatures verifies transactions in chunks across cores and returns an error for each that is bad. Those with Ed25519 signatures alone go
// together, as each costs less the more there are: spread over chunks with others they would lose that.
func (v *Verifier) Signatures(txs []*tx.Tx) []error {
	order := byKind(txs)
	if order == nil {
		return v.signatures(txs)
	}
	sorted, errs := make([]*tx.Tx, len(txs)), make([]error, len(txs))
	for i, n := range order {
		sorted[i] = txs[n]
	}
	for i, err := range v.signatures(sorted) {
		errs[order[i]] = err
	}
	return errs
}

// byKind is an order of transactions in which those with Ed25519 signatures alone come last, so that they make the largest chunks; nil if they are all of one sort.
func byKind(txs []*tx.Tx) []int {
	others := 0
	for _, t := range txs {
		if !ed25519Only(t) {
			others++
		}
	}
	if others == 0 || others == len(txs) {
		return nil
	}
	order, at, last := make([]int, len(txs)), 0, others
	for i, t := range txs {
		if ed25519Only(t) {
			order[last] = i
			last++
		} else {
			order[at] = i
			at++
		}
	}
	return order
}

// ed25519Only says whether a transaction costs nothing but Ed25519 checks: then its work is their number.
func ed25519Only(t *tx.Tx) bool {
	for _, w := range t.Witnesses {
		if w.Kind != accountv1.KeyKind_KEY_KIND_ED25519 {
			return false
		}
	}
	for i := range t.Sources {
		if t.Sources[i].Key.Kind != accountv1.KeyKind_KEY_KIND_ED25519 {
			return false
		}
	}
	return true
}

func (v *Verifier) signatures(txs []*tx.Tx) []error {
	errs := make([]error, len(txs))
	var wg sync.WaitGroup
	for from, to := 0, 0; from < len(txs); from = to {
		to = from + chunkOf(txs[from:])
		v.workers <- struct{}{}
		wg.Add(1)
		go func() {
			defer wg.Done()
			began := time.Now()
			copy(errs[from:to], tx.VerifyPrepared(txs[from:to], v.keys))
			v.metrics.verified(txs[from:to], errs[from:to], began)
			<-v.workers
		}()
	}
	wg.Wait()
	return errs
}

// chunkOf is how many transactions make the first chunk of them.
func chunkOf(txs []*tx.Tx) int {
	work := uint64(0)
	for i, t := range txs {
		if work += t.SignatureWork(); work >= chunk {
			return i + 1
		}
	}
	return len(txs)
}
