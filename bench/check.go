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
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

const (
	// settleTimeout bounds how long the members may take to show the same block after the load.
	settleTimeout = time.Minute
	// indexTimeout bounds how long the indexes may take to catch up.
	indexTimeout = 20 * time.Minute
	askAgain     = 50 * time.Millisecond
)

// check asks the network what it has become. Errors are for what could not be asked; what is untrue is in the report.
func (r *run) check(ctx context.Context) error {
	r.say("Checking balances, roots and receipts…")
	end := time.Now()
	if err := r.memory(); err != nil {
		return err
	}
	for _, check := range []func(context.Context) error{r.roots, r.balances, r.receipts} {
		if err := check(ctx); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	return r.indexes(ctx, end)
}

// roots waits until all members are at one height and compares what they have there.
func (r *run) roots(ctx context.Context) error {
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); time.Sleep(askAgain) {
		var all []*apiv1.GetStatusResponse
		for _, c := range r.members {
			st, err := c.Status(ctx)
			if err != nil {
				return err
			}
			all = append(all, st)
		}
		same, level := true, true
		for _, st := range all {
			level = level && st.GetHeight() == all[0].GetHeight() && st.GetPoolTransactions() == 0
			same = same && st.GetAppHash() == all[0].GetAppHash() && st.GetTransactions() == all[0].GetTransactions()
		}
		if level {
			r.report.Checks.SameRootEverywhere = same
			r.report.StateKeys = all[0].GetStateKeys()
			return nil
		}
	}
	return errors.New("the members do not come to the same height")
}

// balances compares every account with what the answered outcomes make it, and their sum with the supply.
func (r *run) balances(ctx context.Context) error {
	var sum, wrong atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8 * r.report.Cores)
	for i := range r.people {
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

// indexes waits until every index has all there is.
func (r *run) indexes(ctx context.Context, end time.Time) error {
	for _, c := range r.members[:r.net.Indexing] {
		for deadline := time.Now().Add(indexTimeout); ; time.Sleep(askAgain) {
			st, err := c.Status(ctx)
			if err != nil {
				return err
			}
			if st.GetIndexHeight() >= st.GetHeight() {
				break
			}
			if time.Now().After(deadline) {
				return errors.New("an index does not catch up")
			}
		}
		r.report.IndexLagS = time.Since(end).Seconds()
	}
	return nil
}

// count writes a number with separators, as people read it.
func count(n int) string { return client.FormatUnits(strconv.Itoa(n), 0) }
