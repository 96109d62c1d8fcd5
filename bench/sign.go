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

// verifySpan is how long verifying is measured.
const verifySpan = time.Second

// verifyPerCore measures how many signatures one core verifies a second, in batches as large as a node's, while all
// cores do: the virtual cores of a rented machine share what they run on, and alone one is faster.
func (r *run) verifyPerCore(payments []payment) (float64, error) {
	const batch, batches = 256, 8
	if len(payments) < batch*batches {
		return 0, errors.New("bench: too few payments to measure verification; ask for more seconds or a higher rate")
	}
	txs := make([]*tx.Tx, batch*batches)
	for i := range txs {
		var err error
		if txs[i], err = tx.Decode(r.id, payments[i].signed.Raw, tx.MaxBytes); err != nil {
			return 0, err
		}
	}
	var verified atomic.Int64
	var group errgroup.Group
	start := time.Now()
	for range r.report.Cores {
		group.Go(func() error {
			for i := 0; time.Since(start) < verifySpan; i = (i + batch) % len(txs) {
				if err := errors.Join(tx.VerifyAll(txs[i : i+batch])...); err != nil {
					return err
				}
				verified.Add(batch)
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(verified.Load()) / time.Since(start).Seconds() / float64(r.report.Cores), err
}
