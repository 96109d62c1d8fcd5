package exec

import (
	"slices"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Do runs one action with the checks of every action.
type Do func(c *Context, call any) error

// nested is what an action that another runs has of its own.
type nested struct {
	index     uint32
	waited    bool
	witnessed []Witnessed
}

// Witnessed is a key, by its address, that has made a good signature.
type Witnessed struct {
	Key  tx.Address
	Kind accountv1.KeyKind
}

// Agreed is a list of actions that a module runs for the actor, for which it has found that they are agreed.
type Agreed struct {
	// Actions are all of the context's actor. None may be stream.anchor, whose readings are checked before the state is known.
	Actions []*txv1.Action
	// Waited says that they have waited for as long as the actor's rules ask.
	Waited bool
	// Witnessed are keys besides the transaction's that have signed what was agreed.
	Witnessed []Witnessed
}

// Run does what was agreed as parts of the action that is running: they happen together or none does, leave their events with it, and are
// refused as they would be by themselves. They do not run further ones: code tx.unsupported.
func (c *Context) Run(a Agreed) error {
	if c.nested != nil || c.do == nil {
		return fault.New("tx.unsupported", "An action inside another cannot run further ones.")
	}
	mark, before := c.View.Mark(), c.events
	for i, action := range a.Actions {
		inner := &Context{
			View: c.View, Network: c.Network, Height: c.Height, Time: c.Time, Tx: c.Tx, Actor: c.Actor, Action: c.Action, Ruled: true,
			keys: c.keys, events: c.events, do: c.do, nested: &nested{uint32(i), a.Waited, a.Witnessed},
		}
		if err := c.do(inner, action.GetCall()); err != nil {
			c.View.Rollback(mark)
			c.events = before
			return err
		}
		c.events = inner.events
	}
	return nil
}

// Agreed says whether the action is one of those that Run does, and whether they have waited.
func (c *Context) Agreed() (agreed, waited bool) {
	return c.nested != nil, c.nested != nil && c.nested.waited
}

// Doing returns the context with what runs the actions inside its action: for tests and simulations.
func (c *Context) Doing(ruled bool, do Do) *Context {
	c.Ruled, c.do = ruled, do
	return c
}

// Authorise asks for every actor of a body whether keys may act for it and returns those that have rules. The refusal of account.frozen
// comes last, as a transaction of which another part is void is void; it is not for actions that whileFrozen is true of, given their calls.
func (rules Rules) Authorise(v *state.View, body *txv1.Body, keys []tx.Key, now int64, whileFrozen func(call any) bool) (ruled []tx.Address, action uint32, err *fault.Error) {
	// Mostly there is one actor or two; a body has at most tx.MaxActions.
	asked := make([]tx.Address, 0, 4)
	for i, a := range body.GetActions() {
		actor := tx.Address(a.GetActor())
		if slices.Contains(asked, actor) {
			continue
		}
		has, refusal := rules.Accounts.Authorise(v, actor, body, keys, now)
		if refusal != nil {
			found := fault.As(refusal)
			if found.Code != codeFrozen {
				return nil, uint32(i), found
			}
			if whileFrozen(a.GetCall()) {
				continue // the actor's next action is asked for again
			}
			if err == nil {
				action, err = uint32(i), found
			}
		}
		asked = append(asked, actor)
		if has {
			ruled = append(ruled, actor)
		}
	}
	return ruled, action, err
}
