package api

import (
	"context"
	"time"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Ledger is the node as the API sees it. All methods may be called by many goroutines at once. Errors that a caller
// should see are *fault.Error, such as block.unknown or receipt.not_yet; any other is logged and answered as internal.
type Ledger interface {
	// Submit hands signed transactions to the pool and answers each, in order. With wait it returns when every one has
	// its outcome or ctx ends, which is an Err of code submit.unfinished for those still without.
	Submit(ctx context.Context, raw [][]byte, wait bool) []Submission
	// State is the newest committed version of the state and its height. It may be read for as long as the caller likes.
	State() (state.Reader, int64)
	// StateAt is the state after the block of a height, to be read until ctx ends. Code state.pruned or state.future.
	StateAt(ctx context.Context, height int64) (state.Reader, error)
	// Find is the committed transaction with the given id, and whether there is one.
	Find(id [32]byte) (Entry, bool, error)
	// Entries returns committed transactions in order from seq on, at most max; fewer or none at the end.
	Entries(fromSeq uint64, max int) ([]Entry, error)
	// Size is the number of outcomes committed.
	Size() uint64
	// Advanced returns a channel that is closed at the next commit.
	Advanced() <-chan struct{}
	// Block is the block of a height; 0 means the newest. Code block.unknown.
	Block(ctx context.Context, height int64) (*Block, error)
	// Receipt is the receipt file of a transaction for a verifier who trusts the header of a height (0: genesis).
	// Codes tx.unknown, receipt.not_yet.
	Receipt(ctx context.Context, id [32]byte, trusted int64) ([]byte, error)
	// Checkpoint is a checkpoint of the newest header that can be proven, for a verifier as above.
	Checkpoint(ctx context.Context, trusted int64) ([]byte, error)
	Witnesses
	// StateProof proves the value of a raw state key, or its absence.
	StateProof(ctx context.Context, key []byte) (*StateProof, error)
	// Status is a cheap summary of the moment.
	Status() Status
	// Genesis is what the ledger started from.
	Genesis() *genesis.Genesis
}

// Entry is one committed transaction: its outcome and its bytes as executed.
type Entry = index.Entry

// Submission is the answer to one transaction. Without waiting, an accepted one has neither Outcome nor Err.
type Submission struct {
	// ID is zero if the bytes are no transaction.
	ID      [32]byte
	Outcome *ledgerv1.Outcome
	Err     *Refused
}

// Refused is a refusal before ordering: nothing of the transaction is on the ledger.
type Refused struct {
	*fault.Error
	// Retryable says that the same bytes may be sent again after RetryAfter.
	Retryable  bool
	RetryAfter time.Duration
}

// Block is a decided block.
type Block struct {
	Height int64
	Time   time.Time
	Hash   [32]byte
	// Proposer is the member whose validator proposed it.
	Proposer tx.Address
	// AppHash is the one its header carries: of the block before.
	AppHash []byte
	Batches int
	// Transactions are the ids with an outcome in the history, in order.
	Transactions [][32]byte
}

// StateProof is a value of the state with its proof.
type StateProof struct {
	Height int64
	Exists bool
	Value  []byte
	// Proof is a serialised cosmos.ics23.v1.CommitmentProof against StateRoot.
	Proof     []byte
	StateRoot [32]byte
	// Checkpoint is of the header that signs StateRoot.
	Checkpoint []byte
}

// Status is a summary of a node at one moment.
type Status struct {
	// Member is the address of the member whose node this is.
	Member tx.Address
	Height int64
	// Time is the newest block's, zero before the first.
	Time                            time.Time
	AppHash, StateRoot, HistoryRoot [32]byte
	// StateKeys is the number of entries of the state tree.
	StateKeys int
	// Transactions is the number of outcomes in the history.
	Transactions uint64
	Peers        int
	// CatchingUp says that the node is behind its peers and should not be asked yet.
	CatchingUp bool
	// TransactionsPerSecond and Finality (submission to commit) are averages of the last minute.
	TransactionsPerSecond float64
	Finality              time.Duration
	// PoolTransactions wait for ordering; PoolCapacity is how many fit.
	PoolTransactions, PoolCapacity int
	// Version is the binary's.
	Version string
}
