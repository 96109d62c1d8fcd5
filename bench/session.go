package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Network is a running network to load, of this machine.
type Network struct {
	// APIs are the members' addresses, such as http://127.0.0.1:8080. Load is spread over all of them alike.
	APIs []string
	// PID gives a member's process.
	PID func(member int) int
	// Restart, if set, kills a member's process without warning and starts it again; the run does it once, in the middle.
	Restart func(member int) error
	// Join, if set, takes in one more member without voting power and starts it; the run does it once, in the middle. What
	// it returns gives the member its power.
	Join func(context.Context) (api string, empower func(context.Context) error, err error)
	// Indexing is how many of the members, the first ones, keep the index.
	Indexing int
	// Genesis is the network's genesis file.
	Genesis []byte
	// Issuer is a member: it makes an asset to pay with, and vouches for the accounts.
	Issuer tx.Signer
}

// roundSeconds bounds a round between signings, so that no transaction is too old when it is sent: one without a once
// key is valid for two minutes.
const roundSeconds = 30

// session is a network under a benchmark, whatever the load.
type session struct {
	net      Network
	id       string
	members  []*client.Client
	measured *Measured
	samples  sampled
	say      func(string, ...any)
}

// newSession fills in what is known of a network before anything is measured.
func newSession(n Network, m *Measured, progress io.Writer) session {
	m.Members, m.IndexingMembers, m.Cores, m.WarmUpS = len(n.APIs), n.Indexing, runtime.NumCPU(), warmUp.Seconds()
	return session{net: n, measured: m, say: func(f string, a ...any) { fmt.Fprintf(progress, f+"\n", a...) }}
}

// dial connects to every member.
func (r *session) dial(ctx context.Context, brief bool) error {
	for i := range r.net.APIs {
		addresses := r.net.APIs[i : i+1]
		if r.net.Restart != nil { // go elsewhere meanwhile
			addresses = slices.Concat(r.net.APIs[i:], r.net.APIs[:i])
		}
		c, err := client.Dial(client.Config{Addresses: addresses, CommitTimeout: time.Minute, Brief: brief})
		if err != nil {
			return err
		}
		if r.id, err = c.Network(ctx); err != nil {
			return err
		}
		r.members = append(r.members, c)
	}
	return nil
}

const (
	// settleTimeout bounds how long the members may take to show the same block after the load.
	settleTimeout = time.Minute
	// indexTimeout bounds how long an index that is behind may take for its next block.
	indexTimeout = 5 * time.Minute
	askAgain     = 50 * time.Millisecond
)

// roots waits until all members are at one height and says whether they have the same there.
func (r *session) roots(ctx context.Context) (bool, error) {
	for deadline := time.Now().Add(settleTimeout); time.Now().Before(deadline); time.Sleep(askAgain) {
		var all []*apiv1.GetStatusResponse
		for _, c := range r.members {
			st, err := c.Status(ctx)
			if err != nil {
				return false, err
			}
			all = append(all, st)
		}
		same, level := true, true
		for _, st := range all {
			level = level && st.GetHeight() == all[0].GetHeight() && st.GetPoolTransactions() == 0
			same = same && st.GetAppHash() == all[0].GetAppHash() && st.GetTransactions() == all[0].GetTransactions()
		}
		if level {
			r.measured.StateKeys = all[0].GetStateKeys()
			return same, nil
		}
	}
	return false, errors.New("the members do not come to the same height")
}

// indexes waits until every index has all there is.
func (r *session) indexes(ctx context.Context, end time.Time) error {
	for _, c := range r.members[:r.net.Indexing] {
		last, deadline := int64(-1), time.Time{}
		for ; ; time.Sleep(askAgain) {
			st, err := c.Status(ctx)
			if err != nil {
				return err
			}
			if st.GetIndexHeight() >= st.GetHeight() {
				break
			}
			if now := time.Now(); st.GetIndexHeight() > last {
				last, deadline = st.GetIndexHeight(), now.Add(indexTimeout)
			} else if now.After(deadline) {
				return errors.New("an index does not catch up")
			}
		}
		r.measured.IndexLagS = time.Since(end).Seconds()
	}
	return nil
}

// inOrder does one step of a run after the other, until one fails.
func inOrder(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}
