package consensus

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/tx"
)

// Trail traces the way of sampled transactions through this node. Which are sampled, and the ids of a trace and of its
// root, follow from the transaction's id: what all members' nodes record of one transaction is one trace, and nothing
// about it travels between them. A nil Trail records nothing.
type Trail struct {
	tracer trace.Tracer
	below  uint64 // sampled are ids whose last eight bytes are less

	mu    sync.Mutex
	ways  map[[32]byte]*way
	swept time.Time
	block struct{ began, executed time.Time } // between FinalizeBlock and Commit
}

// way is when a transaction passed the stages before its block; zero where it did not.
type way struct {
	since                     time.Time // first seen
	received, checked, sealed time.Time
	arrived, shelved          time.Time // in another member's batch
	batch                     Hash
	sealer                    tx.Address
}

const (
	// maxWays bounds the transactions under way that are followed; more are not.
	maxWays = 4096
	// wayLife is when one that was never decided is forgotten: its batch has expired.
	wayLife = MaxBatchLifeMS * time.Millisecond
	// traceFresh is how old a block may be to be traced: replay and catching up tell nothing about the way.
	traceFresh = time.Minute
)

// NewTrail samples the given share of transactions, 0 to 1. The tracer's provider must use TrailIDs.
func NewTrail(tracer trace.Tracer, ratio float64) *Trail {
	below := uint64(math.MaxUint64)
	if ratio < 1 {
		below = uint64(ratio * math.MaxUint64)
	}
	return &Trail{tracer: tracer, below: below, ways: map[[32]byte]*way{}}
}

func (t *Trail) sampled(id []byte) bool {
	return len(id) == 32 && binary.BigEndian.Uint64(id[24:]) <= t.below
}

// Answered records the root of a transaction's trace: from its submission here to the answer. code is that of a refusal.
func (t *Trail) Answered(id [32]byte, began time.Time, status, code string) {
	if t == nil || !t.sampled(id[:]) {
		return
	}
	_, span := t.tracer.Start(context.WithValue(context.Background(), rootKey{}, id), "transaction",
		trace.WithTimestamp(began), trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("dure.tx", hex.EncodeToString(id[:])), attribute.String("dure.status", status), attribute.String("dure.code", code)))
	if code != "" {
		span.SetStatus(codes.Error, code)
	}
	span.End()
}

// received notes when clients' transactions came in.
func (t *Trail) received(entries []*entry, at time.Time) {
	if t == nil {
		return
	}
	for _, e := range entries {
		if e != nil {
			t.note(e.tx.ID, func(w *way) { w.received = at })
		}
	}
}

// checked notes that entries without an error have been verified.
func (t *Trail) checked(entries []*entry, errs []error) {
	if t == nil {
		return
	}
	now := time.Now()
	for i, e := range entries {
		if errs[i] == nil {
			t.note(e.tx.ID, func(w *way) { w.checked = now })
		}
	}
}

// sealed notes that this member has sealed a batch, which goes to the others now.
func (t *Trail) sealed(b *batch) {
	if t == nil {
		return
	}
	now := time.Now()
	for _, x := range b.txs {
		t.note(x.ID, func(w *way) { w.sealed, w.batch, w.sealer = now, b.hash, b.sealer })
	}
}

// arrived notes that another member's batch has come in, by itself or first in a proposal, and was found good.
func (t *Trail) arrived(b *batch, at time.Time) {
	if t == nil {
		return
	}
	now := time.Now()
	for _, x := range b.txs {
		t.note(x.ID, func(w *way) {
			if w.arrived.IsZero() {
				w.arrived, w.shelved, w.batch, w.sealer = at, now, b.hash, b.sealer
			}
		})
	}
}

func (t *Trail) note(id [32]byte, change func(*way)) {
	if !t.sampled(id[:]) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.ways[id]
	if w == nil {
		if len(t.ways) >= maxWays {
			return
		}
		w = &way{since: time.Now()}
		t.ways[id] = w
	}
	change(w)
}

// executed notes when the block that is committed next was decided and executed.
func (t *Trail) executed(began time.Time) {
	if t != nil {
		t.block.began, t.block.executed = began, time.Now()
	}
}

// committed records the spans of a block's transactions: only now is it known how long each stage took.
func (t *Trail) committed(r *exec.Result, tip *Tip) {
	if t == nil {
		return
	}
	now := time.Now()
	if now.Sub(time.UnixMilli(r.Time)) < traceFresh {
		for i := range r.Applied {
			if o := r.Applied[i].Outcome; t.sampled(o.GetId()) {
				t.record([32]byte(o.GetId()), r.Height, now, tip)
			}
		}
		for i := range r.Voids {
			if t.sampled(r.Voids[i].ID[:]) {
				t.record(r.Voids[i].ID, r.Height, now, tip)
			}
		}
	}
	t.sweep(now)
}

// record records what this node saw of one transaction, as children of the root that Answered records.
func (t *Trail) record(id [32]byte, height int64, committed time.Time, tip *Tip) {
	t.mu.Lock()
	w := t.ways[id]
	delete(t.ways, id)
	t.mu.Unlock()
	if w == nil {
		w = &way{}
	}
	parent := trace.ContextWithRemoteSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID(id), SpanID: rootID(id), TraceFlags: trace.FlagsSampled, Remote: true,
	}))
	attributes := trace.WithAttributes(attribute.Int64("dure.height", height))
	batched := trace.WithAttributes(attribute.String("dure.batch", hex.EncodeToString(w.batch[:])), attribute.String("dure.sealer", tip.memberName(w.sealer)))
	span := func(name string, from, to time.Time, options ...trace.SpanStartOption) {
		if !from.IsZero() && !to.IsZero() {
			_, s := t.tracer.Start(parent, name, append(options, trace.WithTimestamp(from))...)
			s.End(trace.WithTimestamp(to))
		}
	}
	waits := w.sealed
	if waits.IsZero() {
		waits = w.shelved
	}
	span("check", w.received, w.checked)
	span("seal", w.checked, w.sealed, batched)
	span("spread", w.arrived, w.shelved, batched)
	span("order", waits, t.block.began, batched, attributes)
	span("execute", t.block.began, t.block.executed, attributes)
	span("commit", t.block.executed, committed, attributes)
}

// sweepEvery is how often ways that led nowhere are looked for.
const sweepEvery = 10 * time.Second

func (t *Trail) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.swept) < sweepEvery {
		return
	}
	t.swept = now
	for id, w := range t.ways {
		if now.Sub(w.since) > wayLife {
			delete(t.ways, id)
		}
	}
}

func traceID(tx [32]byte) trace.TraceID { return trace.TraceID(tx[:16]) }
func rootID(tx [32]byte) trace.SpanID   { return trace.SpanID(tx[16:24]) }

type rootKey struct{}

// TrailIDs names traces and their roots after transactions, and all other spans by chance. It is the IDGenerator that a
// Trail's provider must have.
type TrailIDs struct{}

// NewIDs names a root.
func (TrailIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	id, ok := ctx.Value(rootKey{}).([32]byte)
	if !ok || !traceID(id).IsValid() || !rootID(id).IsValid() {
		binary.BigEndian.PutUint64(id[:], rand.Uint64()|1)
		binary.BigEndian.PutUint64(id[16:], rand.Uint64()|1)
	}
	return traceID(id), rootID(id)
}

// NewSpanID names a span below a root.
func (TrailIDs) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	binary.BigEndian.PutUint64(id[:], rand.Uint64()|1)
	return id
}
