package all_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/network"
)

// An idle network signs nothing new; every transaction applied does change what is signed.
func TestAppHashChangesWithTheHistory(t *testing.T) {
	c := newChain(t)
	last := c.ledger.AppHash()
	for _, step := range []struct {
		name    string
		txs     []*tx.Tx
		changes bool
	}{
		{"an empty block", nil, false},
		{"a payment", []*tx.Tx{c.pay("ana", "ben", "1")}, true},
		{"an empty block after it", nil, false},
		{"payments that cancel out", []*tx.Tx{c.pay("ana", "ben", "1"), c.pay("ben", "ana", "1")}, true},
		{"a failed payment, which leaves the state as it was", []*tx.Tx{c.pay("ana", "ben", "5000")}, true},
		{"a void payment, which is counted", []*tx.Tx{c.sign(c.body(transfer("ana", "ben", "krw", "1")), "ben")}, true},
		{"an empty block at the end", nil, false},
	} {
		r := c.seal(step.txs...)
		if changed := r.AppHash != last; changed != step.changes {
			t.Errorf("%s: changed %t", step.name, changed)
		}
		if r.AppHash != proof.AppHash(r.StateRoot, r.HistoryRoot) || r.StateRoot != r.Tree.Root() || r.HistoryRoot != c.ledger.HistoryRoot() ||
			r.HistorySize != c.ledger.HistorySize() {
			t.Errorf("%s: the roots do not fit together", step.name)
		}
		last = r.AppHash
	}
	if c.ledger.HistorySize() != 4 {
		t.Errorf("%d outcomes in the history, want 4", c.ledger.HistorySize())
	}
}

// The history root is that of RFC 6962, computed here by its recursive definition.
func TestHistoryRootIsTheDefinition(t *testing.T) {
	c := newChain(t)
	var leaves [][]byte
	for range 3 {
		r := c.seal(c.pay("ana", "ben", "1"), c.pay("ben", "cho", "7"), c.pay("cho", "ana", "9999"))
		for i, a := range r.Applied {
			if want := sha256.Sum256(append([]byte{0}, a.Leaf...)); !bytes.Equal(a.LeafHash, want[:]) {
				t.Errorf("leaf hash %x, want %x", a.LeafHash, want)
			}
			if a.Outcome.GetSeq() != uint64(len(leaves)) || a.Outcome.GetPosition() != uint32(i) {
				t.Errorf("seq %d, position %d", a.Outcome.GetSeq(), a.Outcome.GetPosition())
			}
			leaves = append(leaves, a.Leaf)
		}
		if want := proof.HistoryRoot(uint64(len(leaves)), merkleRoot(leaves)); r.HistoryRoot != want {
			t.Errorf("history root of %d: %x, want %x", len(leaves), r.HistoryRoot, want)
		}
	}
}

// merkleRoot is MTH of RFC 6962, section 2.1.
func merkleRoot(leaves [][]byte) [32]byte {
	if len(leaves) == 1 {
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := merkleRoot(leaves[:k]), merkleRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

// Execute changes nothing, however often it runs; only the last result can be adopted, once.
func TestExecuteIsPure(t *testing.T) {
	c := newChain(t)
	c.seal(c.pay("ana", "ben", "1"))
	before, at := c.ledger.AppHash(), c.ledger.Height()
	pay, other := c.pay("ana", "ben", "2"), c.pay("ana", "ben", "3")
	block := c.next("daegu", pay, pay, other)
	first := c.ledger.Execute(block)
	c.ledger.Execute(c.next("seoul", other, c.sign(c.body(freeze("seoul", "ana")), "seoul")))
	second := c.ledger.Execute(block)
	if c.ledger.AppHash() != before || c.ledger.Height() != at || c.ledger.HistorySize() != 1 {
		t.Error("Execute changed the ledger")
	}
	if _, known := c.ledger.Find(pay.ID, pay.Body.GetNotAfter()); known {
		t.Error("Execute remembers a transaction")
	}
	if first.AppHash != second.AppHash || len(first.Applied) != 2 || len(first.Voids) != 1 || len(second.Voids) != 1 {
		t.Error("the same block had two results")
	}
	c.ledger.Commit(second)
	if c.ledger.AppHash() != first.AppHash || c.ledger.Height() != at+1 || c.ledger.Time() != block.Time {
		t.Error("Commit did not adopt the result")
	}
	defer func() {
		if recover() == nil {
			t.Error("a result of an earlier state was adopted")
		}
	}()
	c.ledger.Commit(first)
}

// A batch that is not applied counts once against its sealer, if that is a member, and nothing in it is looked at.
func TestBadBatch(t *testing.T) {
	c := newChain(t)
	b := c.next("busan", c.pay("ana", "ben", "1"), c.pay("ana", "ben", "2"))
	b.Batches[0].Bad = errors.New("not a batch")
	b.Batches = append(b.Batches,
		exec.Batch{Bad: errors.New("nobody's")},
		exec.Batch{Sealer: moduletest.Address("ana"), Bad: errors.New("not a member's")},
		exec.Batch{Sealer: moduletest.Address("ana"), Txs: []*tx.Tx{c.sign(c.body(transfer("ana", "ben", "krw", "1")))}},
	)
	r := c.commit(b)
	if len(r.Applied) != 0 || len(r.Voids) != 1 || len(r.Changes) != 1 {
		t.Errorf("%d applied, %d void, %d changes", len(r.Applied), len(r.Voids), len(r.Changes))
	}
	if m, _ := network.Member(r.Tree, moduletest.Address("busan")); m.GetVoids() != 1 {
		t.Errorf("busan has %d voids, want 1", m.GetVoids())
	}
}

func TestValidatorUpdates(t *testing.T) {
	member := func(name string, power int64) *networkv1.Member {
		a := moduletest.Address(name)
		return &networkv1.Member{
			Address: a[:], Name: name, Power: power,
			NodeKey: moduletest.Key(name + " node").Public, ValidatorKey: moduletest.Key(name + " validator").Public,
		}
	}
	jeju := moduletest.Address("jeju")
	setPower := func(power int64) *networkv1.Change {
		return &networkv1.Change{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: jeju[:], Power: power}}}
	}
	add := func(name string, power int64) *networkv1.Change {
		return &networkv1.Change{Kind: &networkv1.Change_AddMember{AddMember: member(name, power)}}
	}
	remove := &networkv1.Change{Kind: &networkv1.Change_RemoveMember{RemoveMember: jeju[:]}}
	type update struct {
		name  string
		power int64
	}
	for _, test := range []struct {
		name    string
		changes []*networkv1.Change
		want    []update // of the last change
	}{
		{"more power", []*networkv1.Change{setPower(25)}, []update{{"jeju", 25}}},
		{"no power", []*networkv1.Change{setPower(0)}, []update{{"jeju", 0}}},
		{"power again", []*networkv1.Change{setPower(0), setPower(3)}, []update{{"jeju", 3}}},
		{"a new validator", []*networkv1.Change{add("ulsan", 5)}, []update{{"ulsan", 5}}},
		{"a new member that does not validate", []*networkv1.Change{add("ulsan", 0)}, nil},
		{"a validator leaves", []*networkv1.Change{remove}, []update{{"jeju", 0}}},
		{"a member leaves that did not validate", []*networkv1.Change{setPower(0), remove}, nil},
		{"a validator comes back", []*networkv1.Change{remove, add("jeju", 8)}, []update{{"jeju", 8}}},
		{"parameters", []*networkv1.Change{{Kind: &networkv1.Change_SetParameters{SetParameters: network.DefaultParameters()}}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newChain(t)
			var r *exec.Result
			for _, change := range test.changes {
				r = c.enact(change)
			}
			if o := r.Applied[0].Outcome; o.GetStatus() != ok {
				t.Fatalf("the last vote: %s", o.GetRefusal().GetMessage())
			}
			if len(r.Validators) != len(test.want) {
				t.Fatalf("%d updates, want %d", len(r.Validators), len(test.want))
			}
			for i, want := range test.want {
				if got := r.Validators[i]; !bytes.Equal(got.Key, moduletest.Key(want.name+" validator").Public) || got.Power != want.power {
					t.Errorf("update %d: %x to %d, want %s to %d", i, got.Key, got.Power, want.name, want.power)
				}
			}
			if r := c.seal(c.pay("ana", "ben", "1")); len(r.Validators) != 0 {
				t.Error("the updates come again in the next block")
			}
		})
	}
}

// A key that moves from one member to another within a block is no update but of its power.
func TestValidatorKeyMovesWithinABlock(t *testing.T) {
	c := newChain(t)
	m, _ := network.Member(c.ledger.Tree(), moduletest.Address("jeju"))
	ulsan := moduletest.Address("ulsan")
	moved := &networkv1.Member{Address: ulsan[:], Name: "ulsan", NodeKey: moduletest.Key("ulsan node").Public, ValidatorKey: m.GetValidatorKey(), Power: 10}
	out := c.proposal(&networkv1.Change{Kind: &networkv1.Change_RemoveMember{RemoveMember: m.GetAddress()}})
	// Proposals are tried when they are made, so the second can only be made once the key is free.
	txs := append(out("daegu"), c.sign(c.body(proposeAction("seoul", &networkv1.Change{Kind: &networkv1.Change_AddMember{AddMember: moved}})), "seoul"))
	for _, voter := range []string{"busan", "daegu"} {
		txs = append(txs, c.sign(c.body(voteAction(voter, 2)), voter))
	}
	r := c.seal(txs...)
	for _, a := range r.Applied {
		if a.Outcome.GetStatus() != ok {
			t.Fatalf("%s", a.Outcome.GetRefusal().GetMessage())
		}
	}
	if len(r.Validators) != 0 {
		t.Errorf("%d updates for a key whose power stays", len(r.Validators))
	}
	if err := all.CheckAll(r.Tree); err != nil {
		t.Error(err)
	}
}
