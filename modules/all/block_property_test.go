package all_test

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/asset"
	"github.com/dureledger/dure/modules/network"
)

var everyone = slices.Concat(holders, moduletest.Members)

// chaos draws blocks of transactions, good and bad, for two chains: one that runs on and one that restarts now and then.
type chaos struct {
	t          *rapid.T
	steady     *chain
	restarting *chain

	time       int64 // of the block being drawn
	sent       []*txv1.Body
	holds      []asset.HoldID
	proposals  uint64
	outcomes   map[[32]byte][]byte // of each id: the one it may have
	issued     *big.Int            // of krw, less what was redeemed
	validators map[string]int64    // as the updates have it
}

// Two ledgers that execute the same blocks agree on every byte, though one of them restarts at random; every invariant
// holds after every block; no money is made or lost but by issue and redemption; no id has two outcomes; and the
// validators are those that the updates made.
func TestRandomBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := &chaos{
			t: t, steady: newChain(t), restarting: newChain(t), outcomes: map[[32]byte][]byte{},
			issued: big.NewInt(3 * 1000), validators: map[string]int64{},
		}
		x.restarting.check = func(state.Reader) error { return nil } // its roots are those of the steady one
		for _, m := range x.steady.ledger.Members() {
			x.validators[string(m.GetValidatorKey())] = m.GetPower()
		}
		x.streams()
		t.Repeat(map[string]func(*rapid.T){"block": func(*rapid.T) { x.block() }})
	})
}

// block draws a block, executes it on both chains and compares.
func (x *chaos) block() {
	x.time = x.steady.now + rapid.SampledFrom([]int64{1000, 1, 20_000, 90_000, 700_000}).Draw(x.t, "time")
	b := exec.Block{Height: x.steady.ledger.Height() + 1, Time: x.time}
	for range rapid.SampledFrom([]int{1, 2, 1, 0}).Draw(x.t, "batches") {
		batch := exec.Batch{Sealer: moduletest.Address(x.name("sealer", moduletest.Members))}
		for range rapid.IntRange(1, 6).Draw(x.t, "transactions") {
			batch.Txs = append(batch.Txs, x.tx())
		}
		b.Batches = append(b.Batches, batch)
	}
	if x.oneIn(3, "restart") {
		x.restarting.restart()
	}
	before := x.steady.ledger.AppHash()
	r, again := x.steady.commit(b), x.restarting.commit(b)
	same(x.t, r, again)
	if len(r.Applied) > 0 && r.AppHash == before || len(r.Applied)+len(r.Voids) == 0 && r.AppHash != before {
		x.t.Fatalf("block %d with %d applied: app hash %x after %x", r.Height, len(r.Applied), r.AppHash, before)
	}
	x.learn(r)
	x.compare()
}

func same(t *rapid.T, a, b *exec.Result) {
	if a.AppHash != b.AppHash || len(a.Applied) != len(b.Applied) || len(a.Voids) != len(b.Voids) || len(a.Validators) != len(b.Validators) {
		t.Fatalf("block %d: app hash %x and %x; %d and %d applied; %d and %d void", a.Height, a.AppHash, b.AppHash,
			len(a.Applied), len(b.Applied), len(a.Voids), len(b.Voids))
	}
	for i := range a.Applied {
		if !bytes.Equal(a.Applied[i].Leaf, b.Applied[i].Leaf) {
			t.Fatalf("outcome %d: %v and %v", i, a.Applied[i].Outcome, b.Applied[i].Outcome)
		}
	}
	for i := range a.Voids {
		if a.Voids[i].ID != b.Voids[i].ID || a.Voids[i].Refusal.Error() != b.Voids[i].Refusal.Error() {
			t.Fatalf("void %d: %v and %v", i, a.Voids[i].Refusal, b.Voids[i].Refusal)
		}
	}
	for i := range a.Validators {
		if !bytes.Equal(a.Validators[i].Key, b.Validators[i].Key) || a.Validators[i].Power != b.Validators[i].Power {
			t.Fatalf("validator %d: %v and %v", i, a.Validators[i], b.Validators[i])
		}
	}
}

// learn keeps books from what a block left behind.
func (x *chaos) learn(r *exec.Result) {
	for _, a := range r.Applied {
		id := [32]byte(a.Outcome.GetId())
		if first, twice := x.outcomes[id]; twice {
			x.t.Fatalf("%x has two outcomes: %x and %x", id, first, a.Leaf)
		}
		x.outcomes[id] = a.Leaf
		for _, e := range a.Outcome.GetEvents() {
			if p := e.GetNetworkProposed(); p != nil {
				x.proposals = p.GetProposal()
			}
			if h := e.GetAssetHeld(); h != nil {
				x.holds = append(x.holds, asset.HoldID(h.GetHold()))
			}
			if m := e.GetAssetMoved(); m.GetAsset() == "krw" {
				amount, _ := new(big.Int).SetString(m.GetAmount(), 10)
				if len(m.GetFrom()) == 0 {
					x.issued.Add(x.issued, amount)
				}
				if len(m.GetTo()) == 0 {
					x.issued.Sub(x.issued, amount)
				}
			}
		}
	}
	for _, v := range r.Validators {
		if x.validators[string(v.Key)] == v.Power {
			x.t.Fatalf("an update of %x to the power it has", v.Key)
		}
		x.validators[string(v.Key)] = v.Power
	}
}

func (x *chaos) compare() {
	tree, sum := x.steady.ledger.Tree(), new(big.Int)
	for _, name := range feedNames {
		sum.Add(sum, fundsOf(tree, name))
	}
	for _, name := range everyone {
		free, held := asset.Balance(tree, "krw", addressOf(name))
		sum.Add(sum, free.ToBig()).Add(sum, held.ToBig())
	}
	if sum.Cmp(x.issued) != 0 {
		x.t.Fatalf("the accounts and feeds have %s krw, %s were issued", sum, x.issued)
	}
	powers := 0
	for _, m := range network.Validators(tree) {
		powers++
		if x.validators[string(m.GetValidatorKey())] != m.GetPower() {
			x.t.Fatalf("%s has power %d, the updates say %d", m.GetName(), m.GetPower(), x.validators[string(m.GetValidatorKey())])
		}
	}
	for key, power := range x.validators {
		if power > 0 {
			powers--
		} else if power < 0 {
			x.t.Fatalf("%x has power %d", key, power)
		}
	}
	if powers != 0 {
		x.t.Fatal("the updates know other validators than the state")
	}
}

// tx draws a transaction: new, or the body of one sent before, with good signatures or not.
func (x *chaos) tx() *tx.Tx {
	var body *txv1.Body
	if len(x.sent) > 0 && x.oneIn(4, "again") {
		body = rapid.SampledFrom(x.sent).Draw(x.t, "body")
	} else {
		body = x.body()
		x.sent = append(x.sent, body)
	}
	if x.oneIn(6, "strangers") {
		return x.steady.sign(body, rapid.SliceOfNDistinct(rapid.SampledFrom(everyone), 0, 3, rapid.ID[string]).Draw(x.t, "signers")...)
	}
	var signers []string
	for _, name := range everyone {
		a := addressOf(name)
		if slices.ContainsFunc(body.GetActions(), func(action *txv1.Action) bool { return bytes.Equal(action.GetActor(), a[:]) }) {
			signers = append(signers, name)
		}
	}
	return x.steady.sign(body, signers...)
}

func (x *chaos) body() *txv1.Body {
	var actions []*txv1.Action
	for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(x.t, "actions") {
		actions = append(actions, x.action())
	}
	if x.oneIn(8, "members agree") {
		actions = []*txv1.Action{x.propose()}
		for _, m := range moduletest.Members {
			actions = append(actions, voteAction(m, x.proposals+1))
		}
		actions = slices.DeleteFunc(actions[:4], func(a *txv1.Action) bool {
			return a.GetNetworkVote() != nil && bytes.Equal(a.GetActor(), actions[0].GetActor())
		})
	}
	body := x.steady.body(actions...)
	body.NotAfter = x.time + rapid.SampledFrom([]int64{9_000, 60_000, 120_000, 0, 600_000, -1}).Draw(x.t, "not after")
	if x.oneIn(5, "has once") {
		body.Once = onceKey32(fmt.Sprint(rapid.IntRange(0, 3).Draw(x.t, "once")))
	}
	return body
}

// addressOf is moduletest.Address, which makes the key anew each time.
func addressOf(name string) tx.Address { return addresses[name] }

var addresses = func() map[string]tx.Address {
	out := map[string]tx.Address{}
	for _, name := range append(everyone, "ulsan") {
		out[name] = moduletest.Address(name)
	}
	return out
}()

// oneIn is true about once in n times.
func (x *chaos) oneIn(n int, what string) bool {
	return rapid.Uint32().Draw(x.t, what)%uint32(n) == uint32(n-1)
}

func (x *chaos) name(what string, of []string) string { return rapid.SampledFrom(of).Draw(x.t, what) }

func (x *chaos) someone(what string) (string, []byte) {
	name := x.name(what, everyone)
	a := addressOf(name)
	return name, a[:]
}

func (x *chaos) amount() string {
	return rapid.SampledFrom([]string{"1", "10", "400", "1000", "2500", "0"}).Draw(x.t, "amount")
}

func (x *chaos) action() *txv1.Action {
	return rapid.SampledFrom([]func() *txv1.Action{
		x.transfer, x.transfer, x.transfer, x.supply, x.hold, x.release, x.release, x.freezing, x.record, x.propose, x.vote, x.vote,
		x.stream, x.stream, x.stream, x.attest,
	}).Draw(x.t, "kind")()
}

func (x *chaos) transfer() *txv1.Action {
	from, _ := x.someone("from")
	to, _ := x.someone("to")
	return transfer(from, to, "krw", x.amount())
}

func (x *chaos) supply() *txv1.Action {
	who, a := x.someone("who")
	if rapid.Bool().Draw(x.t, "redeem") {
		return moduletest.Action(who, &txv1.Action_AssetRedeem{AssetRedeem: &assetv1.Redeem{Asset: "krw", Amount: x.amount()}})
	}
	return moduletest.Action("seoul", &txv1.Action_AssetIssue{AssetIssue: &assetv1.Issue{Asset: "krw", To: a, Amount: x.amount()}})
}

func (x *chaos) hold() *txv1.Action {
	payer, _ := x.someone("payer")
	_, payee := x.someone("payee")
	_, arbiter := x.someone("arbiter")
	return moduletest.Action(payer, &txv1.Action_AssetHold{AssetHold: &assetv1.Hold{
		Asset: "krw", Amount: x.amount(), Payee: payee, Arbiter: arbiter, ExpiresAt: x.steady.now + 100_000,
	}})
}

func (x *chaos) release() *txv1.Action {
	id := make([]byte, 16)
	if len(x.holds) > 0 {
		h := rapid.SampledFrom(x.holds).Draw(x.t, "hold")
		id = h[:]
	}
	who, _ := x.someone("who")
	return moduletest.Action(who, &txv1.Action_AssetRelease{AssetRelease: &assetv1.Release{Hold: id, Pay: x.amount()}})
}

func (x *chaos) freezing() *txv1.Action {
	who := x.name("who", holders)
	if rapid.Bool().Draw(x.t, "thaw") {
		return unfreeze("seoul", who)
	}
	return freeze("seoul", who)
}

func (x *chaos) record() *txv1.Action {
	who, recorder := x.someone("who")
	digest := onceKey32(fmt.Sprint(rapid.IntRange(0, 2).Draw(x.t, "document")))
	switch rapid.IntRange(0, 2).Draw(x.t, "record") {
	case 0:
		return moduletest.Action(who, &txv1.Action_RecordAdd{RecordAdd: &recordv1.Add{Digest: digest, Size: 1, MediaType: "text/plain", Title: "A title"}})
	case 1:
		other, _ := x.someone("cosigner")
		return moduletest.Action(other, &txv1.Action_RecordCosign{RecordCosign: &recordv1.Cosign{Digest: digest, Recorder: recorder}})
	}
	return moduletest.Action(who, &txv1.Action_RecordWithdraw{RecordWithdraw: &recordv1.Withdraw{Digest: digest}})
}

func (x *chaos) propose() *txv1.Action {
	name := x.name("member", append([]string{"ulsan"}, moduletest.Members...))
	a := addressOf(name)
	power := rapid.Int64Range(0, 3).Draw(x.t, "power")
	p := proto.Clone(network.DefaultParameters()).(*networkv1.Parameters)
	p.WindowMs = rapid.SampledFrom([]int64{10_000, 120_000, network.MaxWindowMs}).Draw(x.t, "window")
	change := rapid.SampledFrom([]*networkv1.Change{
		{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{Member: a[:], Power: power}}},
		{Kind: &networkv1.Change_RemoveMember{RemoveMember: a[:]}},
		{Kind: &networkv1.Change_SetParameters{SetParameters: p}},
		{Kind: &networkv1.Change_AddMember{AddMember: &networkv1.Member{
			Address: a[:], Name: name, Power: power,
			NodeKey: moduletest.Key(name + " node").Public, ValidatorKey: moduletest.Key(name + " validator").Public,
		}}},
	}).Draw(x.t, "change")
	return proposeAction(x.name("proposer", moduletest.Members), change)
}

func (x *chaos) vote() *txv1.Action {
	return voteAction(x.name("voter", moduletest.Members), x.proposals)
}
