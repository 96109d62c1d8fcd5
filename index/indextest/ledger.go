// Package indextest is a ledger in memory for tests of what reads one: it executes real transactions by the real
// modules, one block a call, without consensus, network or disk.
package indextest

import (
	"fmt"
	"sync"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/modules/all"
)

// Start is the time of genesis, 2026-01-01 00:00 UTC in unix milliseconds; each block is BlockTime later than the last.
const (
	Start     = 1_767_225_600_000
	BlockTime = 1000
)

// Members are the names of the four members; the seed of a member's key is its place plus 1.
var Members = []string{"한빛은행", "가람병원", "도담물류", "새봄에너지"}

// Asset is in genesis, issued by the first member with 2 decimals; the first Accounts people have some.
const (
	Asset    = "krw.test"
	Accounts = 5
	Balance  = "100000000"
)

// Ledger is the ledger. Its methods may be called by many goroutines at once.
type Ledger struct {
	genesis *genesis.Genesis

	mu       sync.Mutex
	ledger   *exec.Ledger
	entries  []index.Entry
	heights  []uint64 // heights[h-1] is the size of the history before block h
	places   map[[32]byte]int
	advanced chan struct{}
	salt     uint64
}

// New makes a ledger at height 0.
func New() (*Ledger, error) {
	file, err := protojson.Marshal(firstState())
	if err != nil {
		return nil, err
	}
	g, err := genesis.Parse(file)
	if err != nil {
		return nil, err
	}
	l := &Ledger{
		genesis: g, ledger: exec.New(all.New()), places: map[[32]byte]int{}, advanced: make(chan struct{}),
	}
	_, err = l.ledger.Genesis(g.Genesis)
	return l, err
}

func firstState() *ledgerv1.Genesis {
	g := &ledgerv1.Genesis{
		Name: "test", Time: Start, Network: &networkv1.Genesis{}, Account: &accountv1.Genesis{}, Asset: &assetv1.Genesis{},
	}
	for i, name := range Members {
		g.Network.Members = append(g.Network.Members, &networkv1.Member{
			Address: bytesOf(Member(i)), Name: name, Power: 10,
			NodeKey: txtest.Ed25519(uint64(100 + i)).Key().Public, ValidatorKey: txtest.Ed25519(uint64(200 + i)).Key().Public,
		})
	}
	g.Asset.Classes = []*assetv1.GenesisClass{{Asset: Asset, Issuer: bytesOf(Member(0)), Name: "시험 원화", Decimals: 2}}
	for i := range Accounts {
		g.Account.Accounts = append(g.Account.Accounts, &accountv1.GenesisAccount{
			Address: bytesOf(Person(i)), Sponsor: bytesOf(Member(i % len(Members))), Kind: accountv1.KeyKind_KEY_KIND_ED25519,
		})
		g.Asset.Balances = append(g.Asset.Balances, &assetv1.GenesisBalance{Asset: Asset, Account: bytesOf(Person(i)), Amount: Balance})
	}
	return g
}

// Member signs for the i-th member.
func Member(i int) tx.Signer { return txtest.Ed25519(uint64(1 + i)) }

// Person signs for the i-th account that is no member; the first Accounts of them are open in genesis.
func Person(i int) tx.Signer { return txtest.Ed25519(uint64(1000 + i)) }

// Address is the account that a signer acts for.
func Address(s tx.Signer) tx.Address { return s.Key().Address() }

func bytesOf(s tx.Signer) []byte {
	a := Address(s)
	return a[:]
}

// Sign makes a transaction of actions that is valid in the next minute.
func (l *Ledger) Sign(actions []*txv1.Action, signers ...tx.Signer) ([]byte, error) {
	short, err := genesis.Short(l.genesis.NetworkID)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.salt++
	body := &txv1.Body{Network: short, NotAfter: l.ledger.Time() + 60_000, Salt: l.salt, Actions: actions}
	l.mu.Unlock()
	return tx.Sign(l.genesis.NetworkID, body, signers...)
}

// Commit executes transactions as one block sealed by the first member and returns the answer to each.
func (l *Ledger) Commit(raw ...[]byte) []Answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Answer, len(raw))
	var txs []*tx.Tx
	for i, b := range raw {
		t, err := tx.Decode(l.genesis.NetworkID, b, tx.MaxBytes)
		if err == nil {
			out[i].ID = t.ID
			err = t.Verify()
		}
		if err != nil {
			out[i].Refused = fault.As(err)
			continue
		}
		txs = append(txs, t)
	}
	l.run(txs)
	for i := range out {
		if place, ok := l.places[out[i].ID]; ok && out[i].Refused == nil {
			out[i].Outcome = l.entries[place].Outcome
		}
	}
	return out
}

// Answer is what became of one transaction: an outcome or, if its bytes are bad, a refusal, or neither when it was void.
type Answer struct {
	ID      [32]byte
	Outcome *ledgerv1.Outcome
	Refused *fault.Error
}

func (l *Ledger) run(txs []*tx.Tx) {
	l.heights = append(l.heights, uint64(len(l.entries)))
	r := l.ledger.Execute(exec.Block{
		Height: l.ledger.Height() + 1, Time: l.ledger.Time() + BlockTime,
		Batches: []exec.Batch{{Sealer: Address(Member(0)), Txs: txs}},
	})
	l.ledger.Commit(r)
	for _, a := range r.Applied {
		l.places[[32]byte(a.Outcome.GetId())] = len(l.entries)
		l.entries = append(l.entries, index.Entry{Outcome: a.Outcome, Raw: a.Raw})
	}
	close(l.advanced)
	l.advanced = make(chan struct{})
}

// Do signs and commits one transaction and returns its outcome, nil if it was void; it is an error if it is malformed.
func (l *Ledger) Do(actions []*txv1.Action, signers ...tx.Signer) (*ledgerv1.Outcome, error) {
	raw, err := l.Sign(actions, signers...)
	if err != nil {
		return nil, err
	}
	a := l.Commit(raw)[0]
	if a.Refused != nil {
		return nil, fmt.Errorf("indextest: %w", a.Refused)
	}
	return a.Outcome, nil
}

// Entries implements index.Source.
func (l *Ledger) Entries(from uint64, most int) ([]index.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := uint64(len(l.entries))
	from = min(from, size)
	return append([]index.Entry(nil), l.entries[from:min(from+uint64(most), size)]...), nil
}

// Erase leaves only the outcomes and who acted of all transactions that anchor readings, as retention does, and says how many those are.
func (l *Ledger) Erase() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, e := range l.entries {
		body, _ := e.Body()
		if len(body.GetActions()) != 1 || body.GetActions()[0].GetStreamAnchor() == nil || e.Erased() {
			continue
		}
		body.GetActions()[0].Call = &txv1.Action_StreamAnchor{StreamAnchor: &streamv1.Anchor{}}
		content, err := proto.Marshal(body)
		if err != nil {
			panic(err)
		}
		if l.entries[i].Rest, err = proto.Marshal(&txv1.Transaction{Kind: &txv1.Transaction_Native{Native: &txv1.Native{Body: content}}}); err != nil {
			panic(err)
		}
		l.entries[i].Raw = nil
		n++
	}
	return n
}

// Size implements index.Source.
func (l *Ledger) Size() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.entries))
}

// Advanced implements index.Source.
func (l *Ledger) Advanced() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.advanced
}

// Find is the committed transaction with the given id.
func (l *Ledger) Find(id [32]byte) (index.Entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	place, ok := l.places[id]
	if !ok {
		return index.Entry{}, false
	}
	return l.entries[place], true
}

// Block lists the ids of a block's transactions and whether there is such a block.
func (l *Ledger) Block(height int64) ([][32]byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if height < 1 || height > l.ledger.Height() {
		return nil, false
	}
	to := uint64(len(l.entries))
	if height < int64(len(l.heights)) {
		to = l.heights[height]
	}
	var ids [][32]byte
	for _, e := range l.entries[l.heights[height-1]:to] {
		ids = append(ids, [32]byte(e.Outcome.GetId()))
	}
	return ids, true
}

// State is the newest state, its height and its time in unix milliseconds.
func (l *Ledger) State() (*state.Tree, int64, int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ledger.Tree(), l.ledger.Height(), l.ledger.Time()
}

// Roots are the app hash, state root and history root after the newest block.
func (l *Ledger) Roots() (app, st, history [32]byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ledger.AppHash(), l.ledger.Tree().Root(), l.ledger.HistoryRoot()
}

// Genesis is what the ledger started from.
func (l *Ledger) Genesis() *genesis.Genesis { return l.genesis }
