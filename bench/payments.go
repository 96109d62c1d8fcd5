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
	"github.com/dureledger/dure/ledger/tx"
)

// Payments says what load of payments to offer.
type Payments struct {
	// Seconds the clock runs, from some seconds after the load starts. Transactions are signed before; when the clock
	// runs longer than roundSeconds it stops in between to sign more.
	Seconds int
	// Accounts that pay each other, each with money of its own and a key of its own.
	Accounts int
	// Rate is how many payments to offer a second; 0: as many as the members take.
	Rate float64
	// InFlight is how many payments wait for their outcome at once when Rate is 0; 0: DefaultInFlight.
	InFlight int
	// Receipts is how many receipts to fetch and verify afterwards; 0: DefaultReceipts.
	Receipts int
}

// What Payments means by 0.
const (
	DefaultInFlight = 24_000
	DefaultReceipts = 100
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

// asset is what is paid with.
const asset = "bench"

// roundSeconds bounds a round between signings, so that no transaction is too old when it is sent: one without a once
// key is valid for two minutes.
const roundSeconds = 30

// run is one benchmark on one network.
type run struct {
	Payments
	net     Network
	id      string
	members []*client.Client
	// joined is the member that Join brought, nil before.
	joined    *client.Client
	joinedAPI string
	people    []person
	report    Report
	samples   []*tx.Tx
	// verified is how many signatures a core verified in verifiedIn seconds of measuring that.
	verified, verifiedIn float64
	say                  func(string, ...any)
}

// Run opens the accounts, offers the load and checks the result. What it does is written to progress. The report is
// also returned with the error when a check failed; the error then says which.
func (p Payments) Run(ctx context.Context, n Network, progress io.Writer) (*Report, error) {
	if p.Seconds < 1 || p.Accounts < 2 || len(n.APIs) == 0 {
		return nil, errors.New("bench: want at least one member, one second and two accounts")
	}
	if p.InFlight == 0 {
		p.InFlight = DefaultInFlight
	}
	if p.Receipts == 0 {
		p.Receipts = DefaultReceipts
	}
	r := &run{Payments: p, net: n, say: func(f string, a ...any) { fmt.Fprintf(progress, f+"\n", a...) }}
	r.report = Report{
		Members: len(n.APIs), IndexingMembers: n.Indexing, Accounts: p.Accounts, Cores: runtime.NumCPU(), Rate: p.Rate, WarmUpS: warmUp.Seconds(),
	}
	if err := r.dial(ctx); err != nil {
		return nil, err
	}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	if err := r.indexes(ctx, time.Now()); err != nil { // opening accounts is not what is measured
		return nil, err
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	if r.joined != nil { // from now on one of them
		r.members, r.net.APIs = append(r.members, r.joined), append(r.net.APIs, r.joinedAPI)
	}
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	if err := r.verifying(); err != nil {
		return nil, err
	}
	return &r.report, r.report.failed()
}

func (r *run) dial(ctx context.Context) error {
	for i := range r.net.APIs {
		addresses := r.net.APIs[i : i+1]
		if r.net.Restart != nil { // go elsewhere meanwhile
			addresses = slices.Concat(r.net.APIs[i:], r.net.APIs[:i])
		}
		c, err := client.Dial(client.Config{Addresses: addresses, CommitTimeout: time.Minute, Brief: true})
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
