package bench

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
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
	// InFlight is how many payments wait for their outcome at once when Rate is 0; 0: DefaultInFlight, fewer where their signatures take
	// longer to check.
	InFlight int
	// Receipts is how many receipts to fetch and verify afterwards; 0: DefaultReceipts.
	Receipts int
	// Keys are the kinds of the accounts' keys, dealt out evenly; none: Ed25519.
	Keys []accountv1.KeyKind
}

// What Payments means by 0.
const (
	DefaultInFlight = 24_000
	DefaultReceipts = 100
)

// asset is what is paid with.
const asset = "bench"

// run is one benchmark on one network.
type run struct {
	Payments
	session
	// joined is the member that Join brought, nil before.
	joined    *client.Client
	joinedAPI string
	people    []person
	mix       mix
	report    Report
}

// Run opens the accounts, offers the load and checks the result. What it does is written to progress. The report is
// also returned with the error when a check failed; the error then says which.
func (p Payments) Run(ctx context.Context, n Network, progress io.Writer) (*Report, error) {
	r, err := p.start(ctx, n, progress)
	if err != nil {
		return nil, err
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	if r.joined != nil { // from now on one of them
		r.members, r.net.APIs = append(r.members, r.joined), append(r.net.APIs, r.joinedAPI)
	}
	return r.conclude(ctx)
}

// start opens the accounts. The network is ready for its load afterwards, with nothing left to do.
func (p Payments) start(ctx context.Context, n Network, progress io.Writer) (*run, error) {
	if p.Seconds < 1 || p.Accounts < 2 || len(n.APIs) == 0 {
		return nil, errors.New("bench: want at least one member, one second and two accounts")
	}
	mix, err := newMix(p.Keys, p.Accounts)
	if err != nil {
		return nil, err
	}
	if p.InFlight == 0 {
		p.InFlight = int(DefaultInFlight / mix.work())
	}
	if p.Receipts == 0 {
		p.Receipts = DefaultReceipts
	}
	r := &run{Payments: p, mix: mix, report: Report{Accounts: p.Accounts, Rate: p.Rate}}
	r.session = newSession(n, &r.report.Measured, progress)
	if err := r.dial(ctx, true); err != nil {
		return nil, err
	}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	return r, r.indexes(ctx, time.Now()) // opening accounts is not what is measured
}

// conclude checks what the load has made of the network.
func (r *run) conclude(ctx context.Context) (*Report, error) {
	if err := r.check(ctx); err != nil {
		return nil, err
	}
	if err := r.verifying(); err != nil {
		return nil, err
	}
	r.tellKeys()
	return &r.report, r.report.failed()
}
