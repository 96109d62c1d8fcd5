package bench

import (
	"errors"
	"math/rand/v2"
	"strconv"
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
		Transfer(p.from.address, p.to.address, r.net.Asset, strconv.FormatInt(p.amount, 10)).Sign(time.Now(), p.from.signer)
	return p, err
}

// verifySpan is how long verifying is measured.
const verifySpan = time.Second

// verifyPerCore measures how many signatures one core verifies a second, in batches as large as a node's.
func (r *run) verifyPerCore(payments []payment) (float64, error) {
	const batch = 256
	var batches [][]*tx.Tx
	for from := 0; from+batch <= len(payments) && len(batches) < 16; from += batch {
		var txs []*tx.Tx
		for _, p := range payments[from : from+batch] {
			t, err := tx.Decode(r.id, p.signed.Raw, tx.MaxBytes)
			if err != nil {
				return 0, err
			}
			txs = append(txs, t)
		}
		batches = append(batches, txs)
	}
	if len(batches) == 0 {
		return 0, errors.New("bench: too few payments to measure verification; ask for more seconds or a higher rate")
	}
	start, verified := time.Now(), 0
	for time.Since(start) < verifySpan {
		for _, err := range tx.VerifyAll(batches[verified/batch%len(batches)]) {
			if err != nil {
				return 0, err
			}
		}
		verified += batch
	}
	return float64(verified) / time.Since(start).Seconds(), nil
}
