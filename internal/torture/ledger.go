package torture

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// entry is one transaction of the history as a member tells it.
type entry struct {
	id, status, code string
	height           int64
	seq              uint64
}

// ledger is what the audits know for certain: what was in the history up to now.
type ledger struct {
	cast []Holder
	size uint64
	// seen are the ids in the history.
	seen map[string]bool
	// balances are the accounts' amounts by their place in the cast.
	balances []uint64
	// since are the amounts at heights since the last audit, for each account in order of height.
	since [][]point
}

type point struct {
	height int64
	amount uint64
}

func newLedger(cast []Holder) *ledger {
	l := &ledger{cast: cast, seen: map[string]bool{}, balances: make([]uint64, len(cast))}
	for i, h := range cast {
		l.balances[i] = h.Amount
	}
	l.forget()
	return l
}

// forget leaves of the past only the balances.
func (l *ledger) forget() {
	l.since = make([][]point, len(l.cast))
	for i, amount := range l.balances {
		l.since[i] = []point{{0, amount}}
	}
}

// apply adds transactions to the history. known are the clients' calls by id.
func (l *ledger) apply(entries []entry, known map[string]*call) error {
	for _, e := range entries {
		c := known[e.id]
		switch {
		case e.seq != l.size:
			return fmt.Errorf("transaction %s is number %d of the history, not %d", e.id, e.seq, l.size)
		case l.seen[e.id]:
			return fmt.Errorf("transaction %s was applied twice, again at height %d", e.id, e.height)
		case c == nil:
			return fmt.Errorf("transaction %s at height %d is nobody's", e.id, e.height)
		}
		l.seen[e.id] = true
		l.size++
		if e.status != isOK {
			continue
		}
		if l.balances[c.From] < c.Amount {
			return fmt.Errorf("transaction %s at height %d moved %d from account %d, which had %d", e.id, e.height, c.Amount, c.From, l.balances[c.From])
		}
		l.balances[c.From] -= c.Amount
		l.balances[c.To] += c.Amount
		for _, i := range []int{c.From, c.To} {
			l.since[i] = append(l.since[i], point{e.height, l.balances[i]})
		}
	}
	return nil
}

// at is an account's amount after the block of a height, which must not be before the last audit.
func (l *ledger) at(account int, height int64) uint64 {
	points := l.since[account]
	k := sort.Search(len(points), func(i int) bool { return points[i].height > height })
	return points[k-1].amount
}

// histories asks every member for its history from number from up to size, and compares them.
func (n *Network) histories(ctx context.Context, from, size uint64) ([]entry, error) {
	var first []entry
	for i := range n.Size() {
		entries, err := n.history(ctx, i, from, size)
		if err != nil {
			return nil, fmt.Errorf("the history of member %d: %w", i, err)
		}
		if i == 0 {
			first = entries
			continue
		}
		if len(entries) != len(first) {
			return nil, fmt.Errorf("member 0 has %d transactions since number %d, member %d has %d", len(first), from, i, len(entries))
		}
		for k := range entries {
			if entries[k] != first[k] {
				return nil, fmt.Errorf("FORK: member 0 has %+v, member %d has %+v", first[k], i, entries[k])
			}
		}
	}
	return first, nil
}

var errEnough = errors.New("enough")

func (n *Network) history(ctx context.Context, i int, from, size uint64) ([]entry, error) {
	if from == size {
		return nil, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errEnough)
	defer cancel()
	out := make([]entry, 0, size-from)
	query := &apiv1.WatchTransactionsRequest{Cursor: strconv.FormatUint(from, 10)}
	for m, err := range n.client(10*time.Second, i).Watch(ctx, query) {
		if err != nil {
			return nil, err
		}
		o := m.GetTransaction().GetOutcome()
		out = append(out, entry{o.GetId(), o.GetStatus(), o.GetCode(), o.GetHeight(), o.GetSeq()})
		if uint64(len(out)) == size-from {
			break
		}
	}
	return out, nil
}

// settled waits until all members are at the same height with the same roots and nothing waits, and returns it.
func (n *Network) settled(ctx context.Context) (*apiv1.GetStatusResponse, error) {
	var all []*apiv1.GetStatusResponse
	err := until(ctx, time.Minute, func(ctx context.Context) bool {
		all = nil
		for i := range n.Size() {
			s, err := n.Status(ctx, i)
			if err != nil {
				return false
			}
			all = append(all, s)
		}
		for _, s := range all {
			if s.GetHeight() != all[0].GetHeight() || s.GetPoolTransactions() != 0 || s.GetCatchingUp() {
				return false
			}
		}
		return true
	})
	if err != nil {
		text := ""
		for i, s := range all {
			text += fmt.Sprintf("; member %d: height %d, %d waiting, catching up %v", i, s.GetHeight(), s.GetPoolTransactions(), s.GetCatchingUp())
		}
		return nil, fmt.Errorf("the members did not come to rest (%d of %d answered%s): %w", len(all), n.Size(), text, err)
	}
	for i, s := range all {
		if s.GetStateRoot() != all[0].GetStateRoot() || s.GetHistoryRoot() != all[0].GetHistoryRoot() || s.GetTransactions() != all[0].GetTransactions() {
			return nil, fmt.Errorf("FORK: at height %d member 0 has state %s and history %s of %d, member %d has %s and %s of %d", s.GetHeight(),
				all[0].GetStateRoot(), all[0].GetHistoryRoot(), all[0].GetTransactions(), i, s.GetStateRoot(), s.GetHistoryRoot(), s.GetTransactions())
		}
	}
	return all[0], nil
}
