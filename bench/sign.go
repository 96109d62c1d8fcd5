package bench

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

// payment is one signed transfer.
type payment struct {
	signed   *client.Signed
	from, to *person
	amount   int64
}

// validity is how long after the first of a round is signed its payments may be ordered: just below the two minutes
// that a ledger allows, less what a node keeps clear of them.
const validity = 110 * time.Second

// sign makes n payments between random accounts, on all cores.
func (r *run) sign(n int) ([]payment, error) {
	out := make([]payment, n)
	notAfter := time.Now().Add(validity)
	var group errgroup.Group
	group.SetLimit(r.report.Cores)
	const part = 2000
	for from := 0; from < n; from += part {
		group.Go(func() error {
			for i := from; i < min(from+part, n); i++ {
				var err error
				if out[i], err = r.pay(notAfter); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return out, group.Wait()
}

func (r *run) pay(notAfter time.Time) (payment, error) {
	a := rand.IntN(len(r.people))
	b := rand.IntN(len(r.people) - 1)
	if b >= a {
		b++
	}
	p := payment{from: &r.people[a], to: &r.people[b], amount: 1 + rand.Int64N(maxAmount)}
	var err error
	p.signed, err = client.NewTransaction(r.id).NotAfter(notAfter).
		Transfer(p.from.address, p.to.address, asset, strconv.FormatInt(p.amount, 10)).Sign(time.Now(), p.from.signer)
	return p, err
}

// verifySpan is how long verifying is measured, before the load and after it.
const verifySpan = 2 * time.Second

// sample keeps some payments to measure verifying with.
func (r *run) sample(payments []payment) error {
	if len(payments) < verifyBatch*verifyBatches {
		return errors.New("bench: too few payments to measure verification; ask for more seconds or a higher rate")
	}
	for _, p := range payments[:verifyBatch*verifyBatches] {
		t, err := tx.Decode(r.id, p.signed.Raw, tx.MaxBytes)
		if err != nil {
			return err
		}
		r.samples = append(r.samples, t)
	}
	return nil
}

// Signatures are verified in batches as large as a node's.
const verifyBatch, verifyBatches = 256, 8

// verifying measures how many signatures one core verifies a second while all cores do: the virtual cores of a rented
// machine share what they run on, and alone one is faster. They also change their speed from second to second, so the
// rate is the mean of all times that it was measured in a run, with nothing else running.
func (r *run) verifying() error {
	var verified atomic.Int64
	var group errgroup.Group
	start := time.Now()
	for range r.report.Cores {
		group.Go(func() error {
			for i := 0; time.Since(start) < verifySpan; i = (i + verifyBatch) % len(r.samples) {
				if err := errors.Join(tx.VerifyAll(r.samples[i : i+verifyBatch])...); err != nil {
					return err
				}
				verified.Add(verifyBatch)
			}
			return nil
		})
	}
	err := group.Wait()
	r.verified += float64(verified.Load()) / float64(r.report.Cores)
	r.verifiedIn += time.Since(start).Seconds()
	r.report.limit(r.verified / r.verifiedIn)
	r.say("One core verifies %s signatures a second.", count(int(r.report.VerifyPerCoreS)))
	return err
}
