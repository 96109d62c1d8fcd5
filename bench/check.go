package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
)

// check asks the network what it has become. Errors are for what could not be asked; what is untrue is in the report.
func (r *run) check(ctx context.Context) error {
	r.say("Checking balances, roots and receipts…")
	end := time.Now()
	if err := r.memory(); err != nil {
		return err
	}
	var err error
	if r.report.Checks.SameRootEverywhere, err = r.roots(ctx); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	// A receipt of an old payment is found by the index, so that has to be there first.
	caughtUp := func(ctx context.Context) error { return r.indexes(ctx, end) }
	if err := inOrder(ctx, caughtUp, r.balances, r.receipts); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// balancesTold is after how many balances the run says how far it is.
const balancesTold = 250_000

// balances compares every account with what the answered outcomes make it, and their sum with the supply.
func (r *run) balances(ctx context.Context) error {
	var sum, wrong atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8 * r.report.Cores)
	for i := range r.people {
		if i > 0 && i%balancesTold == 0 {
			r.say("Read %s of %s balances.", count(i), count(len(r.people)))
		}
		p, member := &r.people[i], r.members[i%len(r.members)]
		group.Go(func() error {
			balance, _, err := member.Balance(ctx, asset, p.address, 0)
			if err != nil {
				return err
			}
			amount, err := strconv.ParseInt(balance.GetAmount(), 10, 64)
			if err != nil {
				return err
			}
			if sum.Add(amount); amount != p.balance.Load() {
				wrong.Add(1)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	class, err := r.members[0].Asset(context.WithoutCancel(ctx), asset)
	if err != nil {
		return err
	}
	if n := wrong.Load(); n > 0 {
		r.say("%s accounts do not have what their payments left them.", count(int(n)))
	}
	r.report.Checks.SupplyConserved = wrong.Load() == 0 && class.GetSupply() == strconv.FormatInt(sum.Load(), 10)
	return nil
}

// receipts verifies some, spread over the run, by the genesis file alone.
func (r *run) receipts(ctx context.Context) error {
	anchor, err := light.FromGenesis(r.net.Genesis)
	if err != nil {
		return err
	}
	able := r.members // those that can find a payment of any age, if any can
	if r.net.Indexing > 0 {
		able = able[:r.net.Indexing]
	}
	total := 0
	step := max(1, len(r.report.ids)/r.Receipts)
	for i := 0; i < len(r.report.ids) && r.report.Checks.ReceiptsSampled < r.Receipts; i += step {
		receipt, _, err := able[i%len(able)].Prove(ctx, r.report.ids[i], anchor)
		r.report.Checks.ReceiptsSampled++
		if errors.As(err, new(*client.Unreachable)) {
			return err
		}
		if err != nil {
			r.say("The receipt of %s is not valid: %v", r.report.ids[i], err)
			continue
		}
		r.report.Checks.ReceiptsValid++
		total += len(receipt)
	}
	r.report.ReceiptBytes = total / max(1, r.report.Checks.ReceiptsValid)
	return nil
}

// count writes a number with separators, as people read it.
func count(n int) string { return client.FormatUnits(strconv.Itoa(n), 0) }
