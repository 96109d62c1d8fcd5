// Package moduletest runs the modules as the ledger does, without signatures or blocks, for their tests.
//
// A Ledger starts from four members (seoul, busan, jeju, daegu). Everybody else has a name too: a name is a key
// (Key) and the key's address (Address). After every transaction all invariants are checked.
// Scenarios are scripts of transactions and what came of them; script.go describes their language.
package moduletest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"strings"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/modules/all"
)

// Members are the names of the members at genesis.
var Members = []string{"seoul", "busan", "jeju", "daegu"}

// Start is the genesis time in unix milliseconds: 2026-01-01T00:00:00Z.
const Start int64 = 1767225600000

// Key is the key that a name stands for: ML-DSA-65 for names that end in -pq, Ed25519 for others.
func Key(name string) tx.Key {
	sum := sha256.Sum256([]byte(name))
	kind := accountv1.KeyKind_KEY_KIND_ED25519
	if strings.HasSuffix(name, "-pq") {
		kind = accountv1.KeyKind_KEY_KIND_ML_DSA_65
	}
	return txtest.Signer(kind, binary.BigEndian.Uint64(sum[:])).Key()
}

// Address is the address of a name's key, and so of the account opened for it.
func Address(name string) tx.Address { return Key(name).Address() }

// Genesis is where a Ledger starts from.
func Genesis() *ledgerv1.Genesis {
	g := &ledgerv1.Genesis{Name: "test", Time: Start, Network: &networkv1.Genesis{}}
	for _, name := range Members {
		a := Address(name)
		g.Network.Members = append(g.Network.Members, &networkv1.Member{
			Address: a[:], Name: name, NodeKey: Key(name + " node").Public, ValidatorKey: Key(name + " validator").Public, Power: 10,
		})
	}
	return g
}

// Ledger is a state and a time, and the modules over it.
type Ledger struct {
	// View is the state.
	View *state.View
	// Now is the time of the next transaction, in unix milliseconds.
	Now int64
	// Once is the once key of the next transactions; nothing remembers it.
	Once []byte

	rules    exec.Rules
	handlers map[reflect.Type]exec.Handler
	applied  uint64
}

// New makes a ledger at genesis.
func New() *Ledger {
	l, err := From(Genesis())
	if err != nil {
		panic("moduletest: genesis: " + err.Error())
	}
	return l
}

// From makes a ledger from a genesis, or says why it is refused.
func From(g *ledgerv1.Genesis) (*Ledger, error) {
	l := Over(state.NewTree(), g.GetTime())
	for _, m := range l.rules.Modules {
		if err := m.Genesis(l.View, g); err != nil {
			return nil, err
		}
	}
	return l, l.Check()
}

// Over makes a ledger over a state that another left behind.
func Over(base state.Reader, now int64) *Ledger {
	l := &Ledger{View: state.NewView(base), Now: now, rules: all.New(), handlers: map[reflect.Type]exec.Handler{}}
	for _, m := range l.rules.Modules {
		for _, h := range m.Handlers() {
			l.handlers[h.Call] = h
		}
	}
	return l
}

// Result is what a transaction left behind.
type Result struct {
	ID     [32]byte
	Events []*ledgerv1.Event
	// Err is why it was refused, and Action the action that was; Void says that nobody had the authority to ask.
	Err    error
	Action int
	Void   bool
}

// Action makes an action of an account by name. call is the generated oneof wrapper, such as *txv1.Action_AssetTransfer.
func Action[C any](actor string, call C) *txv1.Action {
	a := Address(actor)
	action := &txv1.Action{Actor: a[:]}
	reflect.ValueOf(action).Elem().FieldByName("Call").Set(reflect.ValueOf(call))
	return action
}

// Do applies one action signed by its actor's first key.
func Do[C any](l *Ledger, actor string, call C) Result {
	return l.Apply([]*txv1.Action{Action(actor, call)}, Key(actor))
}

// Apply runs a transaction: all of its actions or none.
func (l *Ledger) Apply(actions []*txv1.Action, keys ...tx.Key) Result {
	sources, err := tx.ReadSources(actions)
	if err != nil {
		return Result{Err: err, Void: true}
	}
	return l.Run(actions, sources, keys...)
}

// Run is Apply when the readings in the actions have been read.
func (l *Ledger) Run(actions []*txv1.Action, sources []tx.Source, keys ...tx.Key) Result {
	l.applied++
	r := Result{ID: sha256.Sum256(binary.BigEndian.AppendUint64([]byte("moduletest"), l.applied))}
	ruled, at, refusal := l.rules.Authorise(l.View, &txv1.Body{Actions: actions, Once: l.Once}, keys, l.Now, func(call any) bool { return l.handlers[reflect.TypeOf(call)].WhileFrozen })
	if refusal != nil {
		r.Err, r.Action, r.Void = refusal, int(at), refusal.Code != "account.frozen"
		return r
	}
	mark := l.View.Mark()
	for i, a := range actions {
		c := exec.NewContext(l.View, tx.Address(a.GetActor()), 1, l.Now, r.ID, keys...)
		c.Action, c.Network, c.Sources = uint32(i), txtest.NetworkID, tx.SourcesOf(sources, i)
		if err := l.run(c.Doing(slices.Contains(ruled, c.Actor), l.run), a.GetCall()); err != nil {
			l.View.Rollback(mark)
			r.Events, r.Err, r.Action = nil, err, i
			return r
		}
		r.Events = append(r.Events, c.Events()...)
	}
	return r
}

func (l *Ledger) run(c *exec.Context, call any) error {
	h, ok := l.handlers[reflect.TypeOf(call)]
	if !ok {
		return fault.New("tx.unsupported", fmt.Sprintf("no module knows %T", call))
	}
	return h.Run(c, call)
}

// Check verifies every invariant.
func (l *Ledger) Check() error { return all.CheckAll(l.View) }
