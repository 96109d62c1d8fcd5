package credential

import (
	"context"
	"time"

	"github.com/dureledger/dure/ledger/tx"
)

// Ledger answers what a verification asks. [Online] asks nodes; [Evidence] has proofs in a file.
type Ledger interface {
	// Network is the id of the ledger.
	Network(ctx context.Context) (string, error)
	// Key says whether a key, by its address, acted for an account at a time. Code credential.issuer_unknown, credential.issuer_frozen,
	// credential.issuer_ruled, credential.wrong_issuer_key.
	Key(ctx context.Context, account, key tx.Address, at time.Time) (Standing, error)
	// Right says whether an account had the right to issue a schema at a time, and what became of it. Code credential.not_licensed.
	Right(ctx context.Context, issuer tx.Address, schema string, at, now time.Time) (Right, error)
	// Status is an entry of a status list. Code credential.bad_status_list, credential.status_out_of_range.
	Status(ctx context.Context, issuer tx.Address, list, index uint32) (int, error)
	// Grounds say what the answers rest on, in one line.
	Grounds() string
}

// Standing of a key that acted for an account at the time asked for.
type Standing struct {
	// Replaced is when another key took its place; zero: it acts still.
	Replaced time.Time
}

// Right of an issuer that was good at the time asked for.
type Right struct {
	// Giver gave it; zero: the members, by vote.
	Giver tx.Address
	// Ends is when it ends, or has ended.
	Ends time.Time
	// Over is why it does not hold any more, for people; empty: it holds.
	Over string
}
