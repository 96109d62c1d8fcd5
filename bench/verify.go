package bench

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/ledger/tx"
)

const (
	// verifySpan is how long verifying is measured, before the load and after it.
	verifySpan = 2 * time.Second
	// verifyTurn is how long each part of a mix is measured in turn with the whole, verifyTurns times.
	verifyTurn, verifyTurns = 200 * time.Millisecond, 10
)

// sampled are transactions to measure verifying with.
type sampled struct {
	timed
	// parts are the same transactions by kind of key, in the mix's order; none if there is one kind.
	parts []*timed
}

// timed are transactions that are verified, and how long that took.
type timed struct {
	txs []*tx.Tx
	// together is how many of them are verified in a batch, as large as a node's: a part of len(txs). each is how many signatures of the
	// kind that is measured one of them has.
	together, each int
	// of is how many of the whole's transactions are of this part.
	of int
	// verified is how many signatures a core verified in seconds of measuring that.
	verified, seconds float64
}

func (t *timed) rate() float64 { return t.verified / t.seconds }

// measure verifies on all cores for a while.
func (t *timed) measure(cores int, span time.Duration) error {
	var verified atomic.Int64
	var group errgroup.Group
	start := time.Now()
	for range cores {
		group.Go(func() error {
			for i := 0; time.Since(start) < span; i = (i + t.together) % len(t.txs) {
				if err := errors.Join(tx.VerifyAll(t.txs[i : i+t.together])...); err != nil {
					return err
				}
				verified.Add(int64(t.together * t.each))
			}
			return nil
		})
	}
	err := group.Wait()
	t.verified += float64(verified.Load()) / float64(cores)
	t.seconds += time.Since(start).Seconds()
	return err
}

// verifying measures how many signatures one core verifies a second while all cores do: the virtual cores of a rented
// machine share what they run on, and alone one is faster. They also change their speed from second to second, so the
// rate is the mean of all times that it was measured in a run, with nothing else running, and parts of a mix take turns with the whole.
func (r *session) verifying() error {
	if len(r.samples.parts) == 0 {
		if err := r.samples.measure(r.measured.Cores, verifySpan); err != nil {
			return err
		}
	} else {
		all := append([]*timed{&r.samples.timed}, r.samples.parts...)
		for range verifyTurns {
			for _, t := range all {
				if err := t.measure(r.measured.Cores, verifyTurn); err != nil {
					return err
				}
			}
		}
	}
	r.measured.limit(r.samples.rate())
	r.say("One core verifies %s signatures a second.", count(int(r.measured.VerifyPerCoreS)))
	return nil
}

// split sorts the samples by kind of key where there are several. A part is verified in batches as large as if there were nothing else, so
// that the whole is compared with what Ed25519 saves by full batches.
func (s *sampled) split(m mix) error {
	if len(m) == 1 {
		return nil
	}
	for _, k := range m {
		part := &timed{each: 1}
		for _, t := range s.txs {
			if t.Witnesses[0].Kind == k.kind {
				part.txs = append(part.txs, t)
			}
		}
		part.of = len(part.txs)
		if part.together = min(len(part.txs), verifyBatch); part.together == 0 {
			return fmt.Errorf("bench: too few payments with %s keys to measure verification", tx.KindName(k.kind))
		}
		part.txs = part.txs[:len(part.txs)/part.together*part.together]
		s.parts = append(s.parts, part)
	}
	return nil
}

// compare is what the parts lead one to expect of the whole, nil where there is one part.
func (s *sampled) compare() *MixReport {
	if len(s.parts) == 0 {
		return nil
	}
	seconds := 0.0
	for _, p := range s.parts {
		seconds += float64(p.of) / p.rate()
	}
	r := &MixReport{ExpectedPerCoreS: float64(len(s.txs)) / seconds, MeasuredPerCoreS: s.rate()}
	r.OfExpected = r.MeasuredPerCoreS / r.ExpectedPerCoreS
	return r
}
