package exec

import (
	"reflect"

	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Context is what one action may see and touch.
type Context struct {
	// View is the state; changes are undone if the transaction fails.
	View *state.View
	// Actor is the account that acts; its authority has been checked.
	Actor tx.Address
	// Network is the id of the network, which signatures inside actions are bound to.
	Network string
	// Height and Time (unix milliseconds) are the block's.
	Height int64
	Time   int64
	// Tx is the id of the transaction, Action the index of this action in it.
	Tx     [32]byte
	Action uint32
	// Sources are the readings in the action, parsed and their signatures checked: of stream.anchor, as many sources in the same order as the call has.
	Sources []tx.Source

	// Ruled says that the rules of the actor's account may have a say in what the action does: see Accounts.
	Ruled bool

	keys   []tx.Key
	events []*ledgerv1.Event
	do     Do
	nested *nested // nil for an action that stands in the transaction itself
}

// Witnessed says whether the transaction carries a good signature by key.
func (c *Context) Witnessed(key tx.Address) bool {
	_, ok := c.Witness(key)
	return ok
}

// Witness is the kind of a key that Witnessed is true for.
func (c *Context) Witness(key tx.Address) (accountv1.KeyKind, bool) {
	for _, k := range c.keys {
		if k.Address() == key {
			return k.Kind, true
		}
	}
	if c.nested != nil {
		for _, w := range c.nested.witnessed {
			if w.Key == key {
				return w.Kind, true
			}
		}
	}
	return 0, false
}

// Keys are the keys whose good signatures the transaction carries. They must not be changed.
func (c *Context) Keys() []tx.Key { return c.keys }

// Emit leaves a fact in the outcome. It fills in the action's index.
func (c *Context) Emit(e *ledgerv1.Event) {
	e.Action = c.Action
	c.events = append(c.events, e)
}

// Serial tells the actions of a transaction apart, those inside others too: for ids made from it. For an action that stands in the
// transaction itself it is its index; for action i inside action n it is (n + 1) << 16 | i.
func (c *Context) Serial() uint32 {
	if c.nested != nil {
		return (c.Action+1)<<16 | c.nested.index
	}
	return c.Action
}

// NewContext makes a context for running one action outside a block: in modules' tests and simulations.
func NewContext(view *state.View, actor tx.Address, height, time int64, id [32]byte, keys ...tx.Key) *Context {
	return &Context{View: view, Actor: actor, Height: height, Time: time, Tx: id, keys: keys}
}

// Events are the facts emitted so far.
func (c *Context) Events() []*ledgerv1.Event { return c.events }

// Handler runs one kind of action.
type Handler struct {
	// Name is module and action, such as asset.transfer.
	Name string
	// Since is the app version that brought the action.
	Since uint64
	// Call is the oneof wrapper type, such as *txv1.Action_AssetTransfer.
	Call reflect.Type
	// Run checks, changes and emits. Its error is a *fault.Error and undoes the transaction.
	Run func(c *Context, call any) error
	// WhileFrozen lets an account do this that may do nothing else, because it is frozen.
	WhileFrozen bool
	// Needs appends the state keys that Run will most likely read, so that they are at hand. May be nil.
	Needs func(keys [][]byte, actor tx.Address, call any) [][]byte
}

// Handle makes a Handler from the wrapper's field and a typed function.
func Handle[C any, M proto.Message](name string, since uint64, field func(C) M, run func(*Context, M) error) Handler {
	return Handler{
		Name: name, Since: since, Call: reflect.TypeFor[C](),
		Run: func(c *Context, call any) error { return run(c, field(call.(C))) },
	}
}

// WhileFrozen returns the handler of an action that an account which is frozen may do.
func WhileFrozen(h Handler) Handler {
	h.WhileFrozen = true
	return h
}

// Needing returns the handler with its Needs.
func Needing[C any, M proto.Message](h Handler, field func(C) M, needs func(keys [][]byte, actor tx.Address, call M) [][]byte) Handler {
	h.Needs = func(keys [][]byte, actor tx.Address, call any) [][]byte { return needs(keys, actor, field(call.(C))) }
	return h
}

// Module is one noun of the ledger.
type Module interface {
	// Name is the module's folder name.
	Name() string
	// Handlers lists its actions.
	Handlers() []Handler
	// Genesis writes its first state, refusing what is inconsistent.
	Genesis(v *state.View, g *ledgerv1.Genesis) error
	// Check verifies the module's invariants over the whole state; for tests and audits.
	Check(r state.Reader) error
}

// Accounts decides who may act. modules/account provides it.
type Accounts interface {
	// Authorise returns nil if keys may do for actor all that the body lets it do, at a time in unix milliseconds, the block's. Code
	// account.frozen makes every action fail that is not for the frozen too, any other makes the transaction void. Ruled becomes
	// Context.Ruled of the actor's actions: modules ask the account's rules about them. It is false for an account with a single key,
	// which costs one read.
	Authorise(v *state.View, actor tx.Address, body *txv1.Body, keys []tx.Key, now int64) (ruled bool, err error)
	// Key is the state key that Authorise reads first.
	Key(actor tx.Address) []byte
}

// Network gives the rules of the moment. modules/network provides it.
type Network interface {
	// Parameters of the block being executed.
	Parameters(g state.Getter) *networkv1.Parameters
	// CountVoids adds to the void count of a sealer; a sealer that is no member any more is ignored.
	CountVoids(v *state.View, sealer tx.Address, n uint64)
	// Misbehaved keeps evidence against a validator, decided at a height.
	Misbehaved(v *state.View, m Misbehaviour, height int64)
	// Members in order of address.
	Members(r state.Reader) []*networkv1.Member
}
