package exec

import (
	"crypto/sha256"
	"fmt"
	"reflect"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/merkle"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Rules is what a ledger runs: its modules and the two of them that decide who may act and under which limits.
type Rules struct {
	Modules  []Module
	Accounts Accounts
	Network  Network
	// AppVersion is the newest app version that the modules know; 0: any.
	AppVersion uint64
}

// Ledger is the state after a block, ready to execute the next. It is not safe for concurrent use; the Tree it
// returns is.
type Ledger struct {
	rules    Rules
	handlers map[reflect.Type]Handler

	height  int64
	time    int64
	tree    *state.Tree
	history *compact.Range
	window  *Window
}

var ranges = compact.RangeFactory{Hash: merkle.HashChildren}

// New makes an empty ledger, before genesis.
func New(rules Rules) *Ledger {
	l := &Ledger{
		rules: rules, handlers: map[reflect.Type]Handler{},
		tree: state.NewTree(), history: ranges.NewEmptyRange(0), window: NewWindow(),
	}
	for _, m := range rules.Modules {
		for _, h := range m.Handlers() {
			if _, taken := l.handlers[h.Call]; taken {
				panic("exec: two handlers for " + h.Call.String())
			}
			l.handlers[h.Call] = h
		}
	}
	return l
}

// Restore makes a ledger as it was after a block: tree is its state, frontier the roots of the complete subtrees of
// the history log of that size (RFC 6962, left to right), window the ids that may still be replayed. Code network.unknown_version if the
// state is of a newer app version than the rules know.
func Restore(rules Rules, height, time int64, tree *state.Tree, size uint64, frontier [][]byte, window *Window) (*Ledger, error) {
	l := New(rules)
	history, err := ranges.NewRange(0, size, frontier)
	if err != nil {
		return nil, fmt.Errorf("exec: history frontier: %w", err)
	}
	l.height, l.time, l.tree, l.history, l.window = height, time, tree, history, window
	if rules.AppVersion > 0 {
		if refusal := rules.knows(l.Parameters().GetAppVersion()); refusal != nil {
			return nil, refusal
		}
	}
	return l, nil
}

// Genesis writes the first state and returns it as changes, to be stored as height 0.
func (l *Ledger) Genesis(g *ledgerv1.Genesis) ([]state.Change, error) {
	view := state.NewView(state.NewTree())
	for _, m := range l.rules.Modules {
		if err := m.Genesis(view, g); err != nil {
			return nil, fmt.Errorf("genesis: %s: %w", m.Name(), err)
		}
	}
	changes := view.Changes()
	l.tree = state.NewTree().Apply(changes)
	l.height, l.time = 0, g.GetTime()
	l.history, l.window = ranges.NewEmptyRange(0), NewWindow()
	return changes, nil
}

// Height of the last block committed.
func (l *Ledger) Height() int64 { return l.height }

// Time of the last block committed, unix milliseconds.
func (l *Ledger) Time() int64 { return l.time }

// Tree is the state after the last block committed.
func (l *Ledger) Tree() *state.Tree { return l.tree }

// HistorySize is the number of outcomes in the history log.
func (l *Ledger) HistorySize() uint64 { return l.history.End() }

// Parameters in force for the next block.
func (l *Ledger) Parameters() *networkv1.Parameters { return l.rules.Network.Parameters(l.tree) }

// Members by address, as of the last block committed.
func (l *Ledger) Members() []*networkv1.Member { return l.rules.Network.Members(l.tree) }

// Find returns where a transaction with this id and not_after was applied, if it is still in the replay window.
func (l *Ledger) Find(id [32]byte, notAfter int64) (Place, bool) { return l.window.Find(id, notAfter) }

// Search is Find for those who do not know when the id expires.
func (l *Ledger) Search(id [32]byte) (Place, bool) { return l.window.Search(id) }

// AppHash is what the header after the last block committed signs.
func (l *Ledger) AppHash() [32]byte {
	return proof.AppHash(l.tree.Root(), historyRoot(l.history))
}

// HistoryRoot commits to every outcome so far and their number.
func (l *Ledger) HistoryRoot() [32]byte { return historyRoot(l.history) }

func historyRoot(r *compact.Range) [32]byte {
	root := rfc6962.DefaultHasher.EmptyRoot()
	if r.End() > 0 {
		var err error
		if root, err = r.GetRootHash(nil); err != nil {
			panic(fmt.Sprintf("exec: history root: %v", err)) // a range from 0 always has one
		}
	}
	return proof.HistoryRoot(r.End(), [32]byte(root))
}

// onceKey is where the ledger remembers that actor used a `once` key. It is hashed so that actors cannot choose
// places in the tree.
func onceKey(actor tx.Address, once []byte) []byte {
	sum := sha256.Sum256(append(append([]byte("dure/once/v1\n"), actor[:]...), once...))
	return append([]byte("X"), sum[:]...)
}
