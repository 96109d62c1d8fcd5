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
		Transfer(p.from.address, p.to.address, asset, strconv.FormatInt(p.amount, 10)).Sign(time.Now(), p.from.signer)
	return p, err
}

const verifyBatch, verifyBatches = 256, 8

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
		r.samples.txs = append(r.samples.txs, t)
	}
	r.samples.together, r.samples.each = verifyBatch, 1
	return r.samples.split(r.mix)
}
