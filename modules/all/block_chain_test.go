package all_test

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/network"
)

// Accounts beside the members, and what each has of krw at genesis.
var holders = []string{"ana", "ben", "cho"}

const wealth = "1000"

// tester is what chains need of a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
	Errorf(string, ...any)
}

// chain is a ledger that executes blocks of signed transactions, and what a node would have stored of them.
type chain struct {
	t      tester
	rules  exec.Rules
	ledger *exec.Ledger
	now    int64
	salt   uint64
	check  func(state.Reader) error

	signers map[string]tx.Signer
	blocks  []*exec.Result
}

// chainGenesis has the members of moduletest, the holders with their krw, and mega, of which ana has 2^128 - 2.
func chainGenesis() *ledgerv1.Genesis {
	g := moduletest.Genesis()
	g.Account, g.Asset = &accountv1.Genesis{}, &assetv1.Genesis{}
	seoul := moduletest.Address("seoul")
	for _, id := range []string{"krw", "mega"} {
		g.Asset.Classes = append(g.Asset.Classes, &assetv1.GenesisClass{Asset: id, Issuer: seoul[:]})
	}
	for _, name := range holders {
		a := moduletest.Address(name)
		g.Account.Accounts = append(g.Account.Accounts, &accountv1.GenesisAccount{
			Address: a[:], Sponsor: seoul[:], Kind: accountv1.KeyKind_KEY_KIND_ED25519,
		})
		g.Asset.Balances = append(g.Asset.Balances, &assetv1.GenesisBalance{Asset: "krw", Account: a[:], Amount: wealth})
	}
	ana := moduletest.Address("ana")
	g.Asset.Balances = append(g.Asset.Balances, &assetv1.GenesisBalance{
		Asset: "mega", Account: ana[:], Amount: "340282366920938463463374607431768211454",
	})
	return g
}

func newChain(t tester) *chain { return chainFrom(t, all.New(), chainGenesis()) }

func chainFrom(t tester, rules exec.Rules, g *ledgerv1.Genesis) *chain {
	t.Helper()
	c := &chain{t: t, rules: rules, ledger: exec.New(rules), now: g.GetTime(), check: all.CheckAll, signers: map[string]tx.Signer{}}
	if _, err := c.ledger.Genesis(g); err != nil {
		t.Fatal(err)
	}
	return c
}

// body is valid for a minute after the next block.
func (c *chain) body(actions ...*txv1.Action) *txv1.Body {
	c.salt++
	return &txv1.Body{NotAfter: c.now + 61_000, Salt: c.salt, Actions: actions}
}

// sign makes a transaction of a body with good signatures of those named.
func (c *chain) sign(body *txv1.Body, names ...string) *tx.Tx {
	c.t.Helper()
	signers := make([]tx.Signer, len(names))
	for i, name := range names {
		if c.signers[name] == nil {
			sum := sha256.Sum256([]byte(name)) // as moduletest.Key
			c.signers[name] = txtest.Ed25519(binary.BigEndian.Uint64(sum[:]))
		}
		signers[i] = c.signers[name]
	}
	raw, err := tx.Sign(txtest.NetworkID, body, signers...)
	if err != nil {
		c.t.Fatal(err)
	}
	decoded, err := tx.Decode(txtest.NetworkID, raw, tx.MaxBytes)
	if err != nil {
		c.t.Fatal(err)
	}
	return decoded
}

// pay is a transfer of krw, signed by its sender.
func (c *chain) pay(from, to, amount string) *tx.Tx {
	c.t.Helper()
	return c.sign(c.body(transfer(from, to, "krw", amount)), from)
}

// next is the block of these transactions a second from now, sealed by one member.
func (c *chain) next(sealer string, txs ...*tx.Tx) exec.Block {
	return exec.Block{
		Height: c.ledger.Height() + 1, Time: c.now + 1000,
		Batches: []exec.Batch{{Sealer: moduletest.Address(sealer), Txs: txs}},
	}
}

// commit executes and adopts a block, checks every invariant, and keeps what a node would store.
func (c *chain) commit(b exec.Block) *exec.Result {
	c.t.Helper()
	r := c.ledger.Execute(b)
	c.ledger.Commit(r)
	c.now = b.Time
	if r.AppHash != c.ledger.AppHash() {
		c.t.Fatalf("block %d: app hash %x in the result, %x on the ledger", b.Height, r.AppHash, c.ledger.AppHash())
	}
	if err := c.check(c.ledger.Tree()); err != nil {
		c.t.Fatalf("after block %d: %v", b.Height, err)
	}
	c.blocks = append(c.blocks, r)
	return r
}

// seal commits a block of one batch of daegu's.
func (c *chain) seal(txs ...*tx.Tx) *exec.Result {
	c.t.Helper()
	return c.commit(c.next("daegu", txs...))
}

// restart puts a ledger in the place of the one at hand that knows only what a node stores: the state's entries, the
// roots of the history log's complete subtrees, and the transactions and outcomes of the blocks of late.
func (c *chain) restart() {
	c.t.Helper()
	var entries []state.Change
	c.ledger.Tree().Ascend(nil, nil, func(key, value []byte) bool {
		entries = append(entries, state.Change{Key: append([]byte{}, key...), Value: append([]byte{}, value...)})
		return true
	})
	history := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	window := exec.NewWindow()
	for _, b := range c.blocks {
		for _, a := range b.Applied {
			if err := history.Append(rfc6962.DefaultHasher.HashLeaf(a.Leaf), nil); err != nil {
				c.t.Fatal(err)
			}
			if b.Time >= c.now-network.MaxWindowMs {
				c.remember(window, a.Raw, a.Leaf)
			}
		}
	}
	window.Prune(c.now)
	restored, err := exec.Restore(c.rules, c.ledger.Height(), c.now, state.NewTree().Apply(entries), history.End(), history.Hashes(), window)
	if err != nil {
		c.t.Fatal(err)
	}
	if restored.AppHash() != c.ledger.AppHash() || restored.HistorySize() != c.ledger.HistorySize() {
		c.t.Fatalf("the restored ledger differs: app hash %x, was %x", restored.AppHash(), c.ledger.AppHash())
	}
	c.ledger = restored
}

func (c *chain) remember(window *exec.Window, raw, leaf []byte) {
	t, err := tx.Decode(txtest.NetworkID, raw, tx.MaxBytes)
	if err != nil {
		c.t.Fatal(err)
	}
	o := &ledgerv1.Outcome{}
	if err := proto.Unmarshal(leaf, o); err != nil {
		c.t.Fatal(err)
	}
	if len(t.Body.GetOnce()) == 0 {
		window.Add([32]byte(o.GetId()), t.Body.GetNotAfter(), exec.Place{Height: o.GetHeight(), Position: o.GetPosition(), Seq: o.GetSeq()})
	}
}

func transfer(from, to, id, amount string) *txv1.Action {
	a := moduletest.Address(to)
	return moduletest.Action(from, &txv1.Action_AssetTransfer{AssetTransfer: &assetv1.Transfer{Asset: id, To: a[:], Amount: amount}})
}

func freeze(sponsor, who string) *txv1.Action {
	a := moduletest.Address(who)
	return moduletest.Action(sponsor, &txv1.Action_AccountFreeze{AccountFreeze: &accountv1.Freeze{Account: a[:], Reason: "lost phone",
		Basis: accountv1.Basis_BASIS_OWNER_REQUEST, EndsAt: moduletest.Start + 30*24*3600*1000}})
}

// onceKey32 is a once key.
func onceKey32(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

// one returns the only outcome of a block without voids.
func one(t testing.TB, r *exec.Result) *ledgerv1.Outcome {
	t.Helper()
	if len(r.Applied) != 1 || len(r.Voids) != 0 {
		t.Fatalf("%d applied and %d void, want one applied", len(r.Applied), len(r.Voids))
	}
	return r.Applied[0].Outcome
}
