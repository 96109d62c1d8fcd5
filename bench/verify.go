package bench

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/ledger/tx"
)

// verifySpan is how long verifying is measured, before the load and after it.
const verifySpan = 2 * time.Second

// sampled are transactions to measure verifying with.
type sampled struct {
	txs []*tx.Tx
	// together is how many of them are verified in a batch, as large as a node's: a part of len(txs). each is how many signatures of the
	// kind that is measured one of them has.
	together, each int
}

// verifying measures how many signatures one core verifies a second while all cores do: the virtual cores of a rented
// machine share what they run on, and alone one is faster. They also change their speed from second to second, so the
// rate is the mean of all times that it was measured in a run, with nothing else running.
func (r *session) verifying() error {
	var verified atomic.Int64
	var group errgroup.Group
	start := time.Now()
	for range r.measured.Cores {
		group.Go(func() error {
			for i := 0; time.Since(start) < verifySpan; i = (i + r.samples.together) % len(r.samples.txs) {
				if err := errors.Join(tx.VerifyAll(r.samples.txs[i : i+r.samples.together])...); err != nil {
					return err
				}
				verified.Add(int64(r.samples.together * r.samples.each))
			}
			return nil
		})
	}
	err := group.Wait()
	r.verified += float64(verified.Load()) / float64(r.measured.Cores)
	r.verifiedIn += time.Since(start).Seconds()
	r.measured.limit(r.verified / r.verifiedIn)
	r.say("One core verifies %s signatures a second.", count(int(r.measured.VerifyPerCoreS)))
	return err
}
