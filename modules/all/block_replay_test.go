package all_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/network"
)

// No two signed outcomes of one id contradict each other: these are the ways to try.

// attempts are blocks that carry copies of one transaction; want is how each copy ends, in order.
var attempts = []struct {
	name string
	want []string
	run  func(c *chain) *tx.Tx
}{
	{"twice in a batch", []string{"ok", "tx.duplicate"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1")
		c.seal(t, t)
		return t
	}},
	{"in batches of two members in one block", []string{"ok", "tx.duplicate"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1")
		b := c.next("seoul", t)
		b.Batches = append(b.Batches, exec.Batch{Sealer: moduletest.Address("busan"), Txs: []*tx.Tx{t}})
		c.commit(b)
		return t
	}},
	{"sealed again by another member", []string{"ok", "tx.duplicate"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1")
		c.commit(c.next("seoul", t))
		c.commit(c.next("busan", t))
		return t
	}},
	{"a copy with a useless witness, then the good one", []string{"account.not_authorised", "ok"}, func(c *chain) *tx.Tx {
		body := c.body(transfer("ana", "ben", "krw", "1"))
		c.seal(c.sign(body, "cho"))
		t := c.sign(body, "ana")
		c.seal(t)
		return t
	}},
	{"both in one block", []string{"account.not_authorised", "ok"}, func(c *chain) *tx.Tx {
		body := c.body(transfer("ana", "ben", "krw", "1"))
		t := c.sign(body, "ana")
		c.seal(c.sign(body, "cho"), t)
		return t
	}},
	{"the good one, then copies with other witnesses", []string{"ok", "tx.duplicate", "tx.duplicate", "tx.duplicate"}, func(c *chain) *tx.Tx {
		body := c.body(transfer("ana", "ben", "krw", "1"))
		t := c.sign(body, "ana")
		c.seal(t, c.sign(body, "ana", "cho"))
		c.seal(c.sign(body, "cho"), c.sign(body, "cho", "ana"))
		return t
	}},
	{"failed for want of money, again when there is some", []string{"asset.insufficient_balance", "tx.duplicate"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1001")
		c.seal(t)
		c.seal(c.pay("cho", "ana", "1000"))
		c.seal(t)
		return t
	}},
	{"failed because frozen, again after the thaw", []string{"account.frozen", "tx.duplicate"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1")
		c.seal(c.sign(c.body(freeze("seoul", "ana")), "seoul"))
		c.seal(t)
		c.seal(c.sign(c.body(unfreeze("seoul", "ana")), "seoul"))
		c.seal(t)
		return t
	}},
	{"in a batch that was not applied, then in one that is", []string{"ok"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1")
		b := c.next("seoul", t)
		b.Batches[0].Bad = errors.New("the seal is not good")
		c.commit(b)
		c.seal(t)
		return t
	}},
	{"in a block that was executed but not adopted", []string{"ok"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1")
		c.ledger.Execute(c.next("seoul", t))
		c.seal(t)
		return t
	}},
	{"after a restart", []string{"ok", "tx.duplicate"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1")
		c.seal(t)
		c.restart()
		c.seal(t)
		return t
	}},
	{"failed, after a restart", []string{"asset.insufficient_balance", "tx.duplicate"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1001")
		c.seal(t)
		c.restart()
		c.seal(c.pay("cho", "ana", "1000"), t)
		return t
	}},
	{"with a once key, after a restart", []string{"ok", "tx.duplicate"}, func(c *chain) *tx.Tx {
		t := c.onceTx(20*24*3600*1000, transfer("ana", "ben", "krw", "1"))
		c.seal(t)
		c.now += 19 * 24 * 3600 * 1000
		c.restart()
		c.seal(t)
		return t
	}},
	{"in its last millisecond, and one later", []string{"ok", "tx.duplicate", "tx.expired"}, func(c *chain) *tx.Tx {
		t := c.pay("ana", "ben", "1")
		c.seal(t)
		c.now = t.Body.GetNotAfter() - 1000
		c.seal(t)
		c.now = t.Body.GetNotAfter() - 999
		c.seal(t)
		return t
	}},
	{"after a restart in a window shorter than it was", []string{"ok", "tx.too_far_ahead", "tx.duplicate"}, func(c *chain) *tx.Tx {
		long := network.DefaultParameters()
		long.WindowMs = network.MaxWindowMs
		c.enact(&networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: long}})
		body := c.body(transfer("ana", "ben", "krw", "1"))
		body.NotAfter = c.now + network.MaxWindowMs
		t := c.sign(body, "ana")
		c.seal(t)
		short := network.DefaultParameters()
		short.WindowMs = 10_000
		c.enact(&networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: short}})
		c.now = t.Body.GetNotAfter() - 60_000
		c.restart()
		c.seal(t)
		c.now = t.Body.GetNotAfter() - 5_000
		c.seal(t)
		return t
	}},
}

func TestNoIDHasTwoOutcomes(t *testing.T) {
	for _, attempt := range attempts {
		t.Run(attempt.name, func(t *testing.T) {
			c := newChain(t)
			subject := attempt.run(c)
			got, outcomes := c.endingsOf(subject)
			if outcomes > 1 {
				t.Errorf("%d outcomes of one id", outcomes)
			}
			if !slices.Equal(got, attempt.want) {
				t.Errorf("%q, want %q", got, attempt.want)
			}
		})
	}
}

// endingsOf says how every copy of a transaction ended, in order, and how many have an outcome in the history.
func (c *chain) endingsOf(subject *tx.Tx) (all []string, outcomes int) {
	for _, b := range c.blocks {
		in := map[uint32]string{}
		for _, a := range b.Applied {
			if [32]byte(a.Outcome.GetId()) == subject.ID {
				in[a.Outcome.GetPosition()] = endingOf(a.Outcome)
				outcomes++
			}
		}
		for _, v := range b.Voids {
			if v.ID == subject.ID {
				in[v.Position] = v.Refusal.Code
			}
		}
		for _, at := range slices.Sorted(maps.Keys(in)) {
			all = append(all, in[at])
		}
	}
	return all, outcomes
}

// endingOf is "ok" or why a transaction failed.
func endingOf(o *ledgerv1.Outcome) string {
	if o.GetStatus() == ok {
		return "ok"
	}
	return o.GetRefusal().GetCode()
}

// proposal has seoul propose a change and busan vote for it, and gives what makes the last vote that is needed of four
// members.
func (c *chain) proposal(change *networkv1.Change) func(voter string) []*tx.Tx {
	c.t.Helper()
	r := c.seal(c.sign(c.body(proposeAction("seoul", change)), "seoul"))
	o := r.Applied[0].Outcome
	if o.GetStatus() != ok {
		c.t.Fatalf("proposal: %s", o.GetRefusal().GetMessage())
	}
	id := o.GetEvents()[0].GetNetworkProposed().GetProposal()
	c.seal(c.sign(c.body(voteAction("busan", id)), "busan"))
	return func(voter string) []*tx.Tx { return []*tx.Tx{c.sign(c.body(voteAction(voter, id)), voter)} }
}

// enact has the members vote for a change and returns the block of the last vote, which may have other transactions
// after it.
func (c *chain) enact(change *networkv1.Change, others ...*tx.Tx) *exec.Result {
	c.t.Helper()
	return c.seal(append(c.proposal(change)("daegu"), others...)...)
}

func proposeAction(member string, change *networkv1.Change) *txv1.Action {
	return moduletest.Action(member, &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: change}})
}

func voteAction(member string, proposal uint64) *txv1.Action {
	return moduletest.Action(member, &txv1.Action_NetworkVote{NetworkVote: &networkv1.Vote{Proposal: proposal}})
}

func unfreeze(sponsor, who string) *txv1.Action {
	a := moduletest.Address(who)
	return moduletest.Action(sponsor, &txv1.Action_AccountUnfreeze{AccountUnfreeze: &accountv1.Unfreeze{Account: a[:]}})
}
