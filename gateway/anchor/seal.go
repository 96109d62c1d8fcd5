package anchor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	// sourceSize is what a device adds to a transaction besides its readings: address, key, and their tags, bytes.
	sourceSize = 64
	// ownWork is kept for the gateway's own signature, of any kind.
	ownWork = 10
)

// room is what a transaction has left.
type room struct{ readings, bytes, work int }

// fits takes a reading's share, if it is there.
func (r *room) fits(it *item) bool {
	left := room{r.readings - 1, r.bytes - len(it.raw) - 4, r.work - 1}
	if it.key.Kind != accountv1.KeyKind_KEY_KIND_ED25519 {
		left.work = r.work - 5 // as tx.Tx counts it
	}
	if left.readings < 0 || left.bytes < 0 || left.work < 0 {
		return false
	}
	*r = left
	return true
}

// seal submits full transactions, and with all also the last that is not full, as far as transactions may be in flight. While none is, nobody waits
// for others.
func (b *Builder) seal(ctx context.Context, all bool) {
	for b.inFlight < b.cfg.InFlight && len(b.ready) > 0 && (all || b.inFlight == 0 || b.waiting >= MaxReadings) {
		f := &batch{}
		anchor := &streamv1.Anchor{}
		room := &room{MaxReadings, b.cfg.MaxBytes, tx.MaxSignatureWork - ownWork}
		for len(b.ready) > 0 {
			l := b.ready[0]
			room.bytes -= sourceSize
			took := l.take(room)
			if len(took) == 0 {
				break // no room; the next transaction begins with it
			}
			b.ready = b.ready[1:]
			b.waiting -= len(took) + len(l.queue)
			l.busy = true
			source := &streamv1.Source{Device: l.device[:], Kind: took[0].key.Kind, PublicKey: took[0].key.Public}
			for _, it := range took {
				source.Readings = append(source.Readings, it.raw)
			}
			anchor.Sources, f.items, f.lanes = append(anchor.Sources, source), append(f.items, took...), append(f.lanes, l)
		}
		b.inFlight++
		b.cfg.Sealed(len(f.items))
		go func() {
			f.submit(ctx, b.cfg.Ledger, anchor)
			b.finished <- f
		}()
	}
	b.arm()
}

// take removes readings that may share a transaction: with one key, of rising numbers, as far as there is room.
func (l *lane) take(room *room) []*item {
	slices.SortStableFunc(l.queue, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.read.Boot, b.read.Boot), cmp.Compare(a.read.Sequence, b.read.Sequence))
	})
	n := 0
	for ; n < len(l.queue); n++ {
		it := l.queue[n]
		if n > 0 && (!it.key.Equal(l.queue[0].key) || it.read.Boot == l.queue[n-1].read.Boot && it.read.Sequence == l.queue[n-1].read.Sequence) {
			break
		}
		if !room.fits(it) {
			break
		}
	}
	took := l.queue[:n:n]
	l.queue = slices.Clone(l.queue[n:])
	return took
}

func (f *batch) submit(ctx context.Context, ledger Ledger, anchor *streamv1.Anchor) {
	outcome, err := ledger.Anchor(ctx, anchor)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		f.err = err
		return
	}
	f.transaction, f.height = outcome.GetId(), outcome.GetHeight()
	if f.verdicts, f.err = verdictsOf(outcome, anchor); f.err == nil && len(f.verdicts) != len(f.items) {
		f.err = fmt.Errorf("the outcome of %s tells of %d readings, not %d", outcome.GetId(), len(f.verdicts), len(f.items))
	}
}

// finish answers a transaction's readings and lets their devices' next ones go.
func (b *Builder) finish(ctx context.Context, f *batch) {
	b.inFlight--
	for i, it := range f.items {
		switch {
		case f.err != nil:
			b.answer(it, Result{Err: again(f.err)})
		default:
			b.found(ctx, it, resultOf(f.verdicts[i], f.transaction), f.height)
		}
	}
	for _, l := range f.lanes {
		l.busy = false
		if f.err != nil {
			// What came later must not be taken before what was refused now: its number would be used up.
			b.drop(l, again(f.err))
		}
		if len(l.queue) == 0 {
			delete(b.lanes, l.device)
			continue
		}
		b.ready = append(b.ready, l)
		b.waiting += len(l.queue)
	}
	b.arm()
}

// found answers with a verdict. Of a number that was used before it asks the ledger which reading used it: when it was this one, its
// sender has not heard the answer.
func (b *Builder) found(ctx context.Context, it *item, result Result, height int64) {
	if result.Verdict != streamv1.Verdict_VERDICT_REFUSED || result.Reason != streamv1.Reason_REASON_REPLAYED {
		b.answer(it, result)
		return
	}
	b.asking++
	go func() {
		b.asks <- struct{}{}
		defer func() { <-b.asks }()
		first, err := b.cfg.Ledger.Find(ctx, it.device, it.raw, height)
		switch {
		case err != nil:
			b.cfg.Log.Warn("the ledger cannot be asked about a reading that came again", "device", it.device.String(), "error", err)
			result = Result{Err: notKnown()}
		case first != nil:
			result = *first
		}
		b.answered <- answer{it, result}
	}()
}

// again keeps what the ledger said for good and makes one error of what may be tried again.
func again(err error) error {
	var refusal *client.Refusal
	if errors.As(err, &refusal) && !refusal.Retryable {
		return fault.New(refusal.Code, refusal.Message)
	}
	return notKnown()
}

func notKnown() *fault.Error {
	return fault.New("gateway.not_known", "The network did not answer in time, so it is not known what became of it. Send it again; it is taken once at most.")
}

func resultOf(verdict byte, transaction string) Result {
	return Result{Verdict: streamv1.Verdict(verdict >> 4), Reason: streamv1.Reason(verdict & 15), Transaction: transaction}
}
