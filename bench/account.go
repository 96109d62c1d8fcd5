package bench

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

// person is one account that pays and is paid.
type person struct {
	signer  tx.Signer
	kind    int // index in the mix
	address tx.Address
	// balance is what the ledger should say, from the outcomes it answered.
	balance atomic.Int64
}

const (
	// startBalance lasts for any run: a payment is at most maxAmount.
	startBalance = 1_000_000_000
	maxAmount    = 1000
	// opened is how many accounts one transaction opens and funds: a transaction has at most 100 actions. openedLarge is so where keys are
	// ML-DSA-65's, of 2 KB: it has at most 64 KiB.
	opened, openedLarge = 50, 25
	// opening is how many of them wait for their outcome at once.
	opening = 64
)

// open makes the accounts and gives each its money.
func (r *run) open(ctx context.Context) error {
	r.say("Opening %s accounts…", count(r.Accounts))
	r.people = make([]person, r.Accounts)
	issuer := r.net.Issuer.Key().Address()
	outcome, err := r.members[0].Do(ctx, client.NewTransaction(r.id).CreateAsset(issuer, asset, "benchmark", 0, ""), r.net.Issuer)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		return fmt.Errorf("bench: making the asset: %w", err)
	}
	var group errgroup.Group
	group.SetLimit(opening)
	size := opened
	if r.mix.large() {
		size = openedLarge
	}
	for from := 0; from < len(r.people); from += size {
		people := r.people[from:min(from+size, len(r.people))]
		member := r.members[from/size%len(r.members)]
		group.Go(func() error {
			draft := client.NewTransaction(r.id)
			for i := range people {
				if err := people[i].make(r.mix, from+i); err != nil {
					return err
				}
				draft.OpenAccount(issuer, people[i].signer.Key())
				draft.Issue(issuer, people[i].address, asset, strconv.Itoa(startBalance))
			}
			outcome, err := member.Do(ctx, draft, r.net.Issuer)
			if err == nil {
				err = client.Check(outcome)
			}
			if err != nil {
				return fmt.Errorf("bench: opening accounts: %w", err)
			}
			return nil
		})
	}
	return group.Wait()
}

// make makes the n-th account's key, of the kind whose turn it is.
func (p *person) make(m mix, n int) (err error) {
	p.kind = n % len(m)
	if p.signer, err = m[p.kind].signer(); err != nil {
		return err
	}
	p.address = p.signer.Key().Address()
	p.balance.Store(startBalance)
	return nil
}
