package anchor

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// MaxReadings is how many readings one transaction may hold, of all devices together.
const MaxReadings = 256

// Config says where readings go and how many may wait.
type Config struct {
	// Network is the id that devices sign.
	Network string
	Ledger  Ledger
	// MaxBytes of the readings and keys of one transaction.
	MaxBytes int
	// Queue bounds the readings without an answer; 0 means 16,384.
	Queue int
	// InFlight bounds the transactions without an outcome; 0 means 16.
	InFlight int
	// Pace is how long a reading waits for others to share its transaction, when another is in flight; 0 means 20 ms.
	Pace time.Duration
	// Remember bounds how many answers are kept for readings that come again; 0 means 65,536.
	Remember int
	// Sealed is told of each transaction, how many readings it holds; may be nil.
	Sealed func(readings int)
	Log    *slog.Logger
}

// Result is what the ledger found of a reading. Either Err is set or Verdict and Transaction are.
type Result struct {
	Verdict streamv1.Verdict
	Reason  streamv1.Reason
	// Transaction is the id of the anchor, 64 hex digits.
	Transaction string
	// Boot and Sequence are the reading's own.
	Boot, Sequence uint64
	// Err: a *fault.Error of this package or what the ledger said of the whole transaction. Nothing of the reading is known to be on the ledger.
	Err error
}

// counted says whether the verdict is about this reading for good: its number is used up. Another may be found of it yet when the number was used
// before or the key was not the device's.
func (r Result) counted() bool {
	return r.Verdict != streamv1.Verdict_VERDICT_REFUSED || r.Reason != streamv1.Reason_REASON_REPLAYED && r.Reason != streamv1.Reason_REASON_NOT_AUTHORISED
}

// Builder packs readings. Make it with New, start Run, then Put from any goroutine.
type Builder struct {
	cfg      Config
	incoming chan *item
	finished chan *batch
	answered chan answer
	asks     chan struct{} // full: the ledger is asked about as many readings as may be at a time
	pending  atomic.Int64
	gate     sync.RWMutex // held to write while stopped changes
	stopped  bool

	// What follows belongs to Run.
	lanes    map[tx.Address]*lane
	known    map[[32]byte]*item // every reading in a lane
	ready    []*lane            // with readings and nothing in flight, the longest waiting first
	waiting  int                // readings in ready
	inFlight int
	asking   int // readings that the ledger is asked about
	timer    *time.Timer
	armed    bool
	memory   *memory
}

// item is a reading and everybody who waits for its answer.
type item struct {
	device tx.Address
	key    tx.Key
	raw    []byte
	read   *reading.Reading
	digest [32]byte
	done   []func(Result)
}

// lane is the readings of one device.
type lane struct {
	device tx.Address
	queue  []*item
	busy   bool // in flight
}

type batch struct {
	items       []*item // in the order of the anchor
	lanes       []*lane
	transaction string
	height      int64
	verdicts    []byte
	err         error
}

type answer struct {
	it     *item
	result Result
}

// New makes a builder.
func New(cfg Config) *Builder {
	cfg.Queue = orDefault(cfg.Queue, 16_384)
	cfg.InFlight = orDefault(cfg.InFlight, 16)
	cfg.Remember = orDefault(cfg.Remember, 65_536)
	if cfg.Pace <= 0 {
		cfg.Pace = 20 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Sealed == nil {
		cfg.Sealed = func(int) {}
	}
	b := &Builder{
		cfg: cfg, incoming: make(chan *item, cfg.Queue), finished: make(chan *batch, cfg.InFlight), answered: make(chan answer),
		asks:  make(chan struct{}, 8),
		lanes: map[tx.Address]*lane{}, known: map[[32]byte]*item{}, memory: newMemory(cfg.Remember),
		timer: time.NewTimer(time.Hour),
	}
	b.timer.Stop()
	return b
}

func orDefault(n, fallback int) int {
	if n <= 0 {
		return fallback
	}
	return n
}

// Waiting is how many readings have no answer yet.
func (b *Builder) Waiting() int { return int(b.pending.Load()) }

// Put takes a reading, one COSE_Sign1 message that a device sent which holds the key, and returns at once. If it returns nil, done is called once,
// from another goroutine, and must not wait. Codes gateway.queue_full, gateway.stopping and those of reading.Parse.
func (b *Builder) Put(device tx.Address, key tx.Key, raw []byte, done func(Result)) error {
	read, err := reading.Parse(raw)
	if err != nil {
		return err
	}
	b.gate.RLock()
	defer b.gate.RUnlock()
	if b.stopped {
		return stopping()
	}
	if b.pending.Add(1) > int64(b.cfg.Queue) {
		b.pending.Add(-1)
		return fault.New("gateway.queue_full", "So many readings wait for the ledger that the gateway takes no more. Send it again in some seconds.",
			"queue", b.cfg.Queue)
	}
	b.incoming <- &item{device: device, key: key, raw: raw, read: read, digest: digestOf(device, raw), done: []func(Result){done}}
	return nil
}

func digestOf(device tx.Address, raw []byte) [32]byte {
	return sha256.Sum256(append(device[:], raw...))
}

func stopping() *fault.Error {
	return fault.New("gateway.stopping", "The gateway is being stopped. Send it again.")
}

// Run packs and submits until ctx ends; then it waits for the transactions in flight, answers all who wait, and returns.
func (b *Builder) Run(ctx context.Context) {
	// Transactions in flight outlive ctx: Submit has its own end, and what they carried must be answered.
	work := context.WithoutCancel(ctx)
	done := ctx.Done()
	for done != nil || b.inFlight+b.asking > 0 {
		select {
		case it := <-b.incoming:
			b.take(b.gather(it))
		case f := <-b.finished:
			b.take(b.gather()) // what came before the answer goes with what waited for it, or is dropped with it
			b.finish(work, f)
		case a := <-b.answered:
			b.asking--
			b.answer(a.it, a.result)
		case <-b.timer.C:
			b.armed = false
			b.seal(work, true)
		case <-done:
			done = nil
			b.stop()
		}
		if done == nil {
			b.dropWaiting()
			continue
		}
		b.seal(work, false)
	}
}

// stop lets nothing in any more.
func (b *Builder) stop() {
	b.gate.Lock()
	defer b.gate.Unlock()
	b.stopped = true
}

// dropWaiting answers what is not in flight: it has not been sent.
func (b *Builder) dropWaiting() {
	for {
		select {
		case it := <-b.incoming:
			b.answer(it, Result{Err: stopping()})
			continue
		default:
		}
		break
	}
	for _, l := range b.lanes {
		b.drop(l, stopping())
	}
	b.ready, b.waiting = nil, 0
}

// drop answers what waits in a lane.
func (b *Builder) drop(l *lane, err error) {
	queue := l.queue
	l.queue = nil
	for _, it := range queue {
		b.answer(it, Result{Err: err})
	}
}

// gather adds what came meanwhile to items, to be checked together.
func (b *Builder) gather(items ...*item) []*item {
	for len(items) < MaxReadings {
		select {
		case it := <-b.incoming:
			items = append(items, it)
		default:
			return items
		}
	}
	return items
}

// take answers what is known and what is not signed as it must be, and queues the others.
func (b *Builder) take(items []*item) {
	fresh := items[:0]
	for _, it := range items {
		if result, ok := b.memory.get(it.digest); ok {
			b.answer(it, result)
			continue
		}
		if first := b.known[it.digest]; first != nil {
			first.done = append(first.done, it.done...) // both wait for one answer, and both count as waiting
			continue
		}
		b.known[it.digest] = it
		fresh = append(fresh, it)
	}
	for i, err := range verify(b.cfg.Network, fresh) {
		it := fresh[i]
		if err != nil {
			b.answer(it, Result{Err: err})
			continue
		}
		l := b.lanes[it.device]
		if l == nil {
			l = &lane{device: it.device}
			b.lanes[it.device] = l
		}
		if len(l.queue) == 0 && !l.busy {
			b.ready = append(b.ready, l)
		}
		l.queue = append(l.queue, it)
		if !l.busy {
			b.waiting++
		}
	}
	b.arm()
}

// verify checks signatures across cores.
func verify(network string, items []*item) []error {
	errs := make([]error, len(items))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(items)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(items); i = next.Add(1) - 1 {
				it := items[i]
				if tx.VerifyReading(network, it.device, it.key, it.read) != nil {
					errs[i] = fault.New("reading.bad_signature", "The reading is not signed by the key that the device connected with, for this network and this "+
						"device. Check the network's id and the device's address that went into the signature (docs/reading.md).", "network", network, "device", it.device)
				}
			}
		})
	}
	wg.Wait()
	return errs
}

func (b *Builder) arm() {
	if len(b.ready) > 0 && !b.armed {
		b.timer.Reset(b.cfg.Pace)
		b.armed = true
	}
}

// answer tells everybody who waits for a reading.
func (b *Builder) answer(it *item, result Result) {
	if b.known[it.digest] == it {
		delete(b.known, it.digest)
	}
	result.Boot, result.Sequence = it.read.Boot, it.read.Sequence
	if result.Err == nil && result.counted() {
		b.memory.put(it.digest, result)
	}
	b.pending.Add(int64(-len(it.done)))
	for _, done := range it.done {
		done(result)
	}
}
