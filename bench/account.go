package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// person is one account that pays and is paid.
type person struct {
	signer  tx.Signer
	address tx.Address
	// balance is what the ledger should say, from the outcomes it answered.
	balance atomic.Int64
}

const (
	// startBalance lasts for any run: a payment is at most maxAmount.
	startBalance = 1_000_000_000
	maxAmount    = 1000
	// opened is how many accounts one transaction opens and funds: a transaction has at most 100 actions.
	opened = 50
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
	for from := 0; from < len(r.people); from += opened {
		people := r.people[from:min(from+opened, len(r.people))]
		member := r.members[from/opened%len(r.members)]
		group.Go(func() error {
			draft := client.NewTransaction(r.id)
			for i := range people {
				if err := people[i].make(); err != nil {
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

func (p *person) make() error {
	seed, err := tx.NewSecret(accountv1.KeyKind_KEY_KIND_ED25519, rand.Reader)
	if err != nil {
		return err
	}
	if p.signer, err = tx.NewEd25519Signer(seed); err != nil {
		return err
	}
	p.address = p.signer.Key().Address()
	p.balance.Store(startBalance)
	return nil
}
