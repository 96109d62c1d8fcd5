package all_test

import (
	"errors"
	"strings"
	"testing"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/modules/all"
)

// trap is a module that does what good modules never do. It stands in for modules/record.
type trap struct{}

func (trap) Name() string                                         { return "trap" }
func (trap) Genesis(*state.View, *ledgerv1.Genesis) error         { return nil }
func (trap) Check(state.Reader) error                             { return nil }
func (trap) later(*exec.Context, *recordv1.Supersede) error       { return nil }
func (t trap) spring(c *exec.Context, w *recordv1.Withdraw) error { return traps[w.GetReason()](c) }

func (t trap) Handlers() []exec.Handler {
	return []exec.Handler{
		exec.Handle("trap.spring", 1, func(c *txv1.Action_RecordWithdraw) *recordv1.Withdraw { return c.RecordWithdraw }, t.spring),
		exec.Handle("trap.later", 2, func(c *txv1.Action_RecordSupersede) *recordv1.Supersede { return c.RecordSupersede }, t.later),
	}
}

var traps = map[string]func(*exec.Context) error{
	"panic": func(*exec.Context) error { panic("trap") },
	"write and panic": func(c *exec.Context) error {
		c.View.Set([]byte("Ttrap"), []byte{1})
		c.View.Delete([]byte("Ttrap"))
		c.View.Set([]byte("Ttrap2"), []byte{1})
		c.Emit(&ledgerv1.Event{})
		panic(errors.New("trap"))
	},
	"nil pointer": func(c *exec.Context) error {
		var nothing *exec.Context
		c.View.Set([]byte("Ttrap"), []byte{1})
		nothing.Emit(&ledgerv1.Event{})
		return nil
	},
	"work": func(c *exec.Context) error {
		c.View.Set([]byte("Ttrap"), []byte{1})
		c.View.Spend(1_000_000)
		return nil
	},
	"plain error": func(c *exec.Context) error {
		c.View.Set([]byte("Ttrap"), []byte{1})
		return errors.New("something of the trap's own")
	},
	"nil refusal": func(c *exec.Context) error {
		c.View.Set([]byte("Ttrap"), []byte{1})
		var refusal *fault.Error
		return refusal
	},
	"bad event": func(c *exec.Context) error {
		c.View.Set([]byte("Ttrap"), []byte{1})
		c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AssetMoved{AssetMoved: &assetv1.Moved{Asset: "\xff"}}})
		return nil
	},
	"bad refusal": func(c *exec.Context) error {
		c.View.Set([]byte("Ttrap"), []byte{1})
		return &fault.Error{Code: "trap.bad", Message: "not UTF-8: \xff"}
	},
}

func trapAction(what string) *txv1.Action {
	return moduletest.Action("ana", &txv1.Action_RecordWithdraw{RecordWithdraw: &recordv1.Withdraw{Reason: what}})
}

func trapRules() exec.Rules {
	rules := all.New()
	for i, m := range rules.Modules {
		if m.Name() == "record" {
			rules.Modules[i] = trap{}
		}
	}
	return rules
}

func checkModules(rules exec.Rules, r state.Reader) error {
	for _, m := range rules.Modules {
		if err := m.Check(r); err != nil {
			return err
		}
	}
	return nil
}

// A fault of the software is named for the operator, and not in the outcome, where it could differ between nodes.
func TestPanicIsNamedForTheOperator(t *testing.T) {
	c := endingChain(t)
	r := c.seal(c.trapTx("panic"))
	if len(r.Broken) != 1 || r.Broken[0] != "trap.spring: trap" {
		t.Errorf("broken: %q", r.Broken)
	}
	if m := one(t, r).GetRefusal().GetMessage(); !strings.Contains(m, "trap.spring") || strings.Contains(m, ": trap") {
		t.Errorf("message %q", m)
	}
	if r := c.seal(c.trapTx("plain error"), c.pay("ana", "ben", "1")); len(r.Broken) != 0 || len(r.Applied) != 2 {
		t.Errorf("broken: %q", r.Broken)
	}
}

func TestTwoHandlersOfOneAction(t *testing.T) {
	rules := trapRules()
	rules.Modules = append(rules.Modules, trap{})
	defer func() {
		if recover() == nil {
			t.Error("two handlers of one action were accepted")
		}
	}()
	exec.New(rules)
}
