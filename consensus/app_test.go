package consensus

import (
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// sealerRules are openRules with one member, whose node key can change.
type sealerRules struct {
	openRules
	key   *ed25519.PublicKey
	voids map[tx.Address]uint64
}

func (r sealerRules) Members(state.Reader) []*networkv1.Member {
	return []*networkv1.Member{{Address: testSealer[:], NodeKey: *r.key}}
}

func (r sealerRules) CountVoids(_ *state.View, sealer tx.Address, n uint64) { r.voids[sealer] += n }

func (r sealerRules) Parameters(state.Getter) *networkv1.Parameters {
	p := r.openRules.Parameters(nil)
	p.MaxSealerBytes, p.MaxSealerSignatures = 1<<20, 4
	return p
}

func testApp(t *testing.T) (*app, sealerRules) {
	t.Helper()
	key := testNodeKey.Public().(ed25519.PublicKey)
	rules := sealerRules{key: &key, voids: map[tx.Address]uint64{}}
	a := &app{
		genesis: &genesis.Genesis{Genesis: &ledgerv1.Genesis{}, NetworkID: testNetwork},
		ledger:  exec.New(exec.Rules{Accounts: rules, Network: rules}), verifier: NewVerifier(testNetwork), shelf: newShelf(nil),
		log: slog.New(slog.NewTextHandler(io.Discard, nil)), recent: map[int64]*Tip{},
	}
	a.publish()
	return a, rules
}

func (a *app) propose(t *testing.T, batches ...*batch) abci.ResponseProcessProposal_ProposalStatus {
	t.Helper()
	req := &abci.RequestProcessProposal{Height: 1, Time: time.UnixMilli(1_800_000_000_000 - 60_000)}
	for _, b := range batches {
		req.Txs = append(req.Txs, b.raw)
	}
	resp, err := a.ProcessProposal(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status
}

// What a proposer may not put in a block is neither verified nor remembered.
func TestRefusedProposalLeavesNothing(t *testing.T) {
	a, _ := testApp(t)
	far, err := sealBatch(testNetwork, testSealer, testNodeKey, []*tx.Tx{testTx(t, 1)}, 1<<62, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, batches := range map[string][]*batch{
		"expires too far ahead": {far},
		"too much work":         {testBatch(t, 1, 2, 3), testBatch(t, 4, 5)},
		"twice":                 {testBatch(t, 1), testBatch(t, 1)},
	} {
		if a.propose(t, batches...) != abci.ResponseProcessProposal_REJECT {
			t.Errorf("%s: accepted", name)
		}
		if _, ok := a.verifier.Find(batches[len(batches)-1].hash); ok && name != "twice" {
			t.Errorf("%s: remembered", name)
		}
	}
	if a.propose(t, testBatch(t, 1, 2, 3), testBatch(t, 4)) != abci.ResponseProcessProposal_ACCEPT {
		t.Error("a good proposal is refused")
	}
}

// A node that verified a batch under the sealer's node key before decides a block as one that sees it now.
func TestFinalizeWithAndWithoutMemory(t *testing.T) {
	b := testBatch(t, 1, 2)
	other := ed25519.NewKeyFromSeed(append(make([]byte, 31), 1)).Public().(ed25519.PublicKey)
	var refs [2]int
	var voids [2]map[tx.Address]uint64
	for i, remembers := range []bool{true, false} {
		a, rules := testApp(t)
		if remembers {
			a.verifier.Add(b)
		}
		*rules.key = other
		a.publish()
		if _, err := a.FinalizeBlock(t.Context(), &abci.RequestFinalizeBlock{Height: 1, Time: time.UnixMilli(1), Txs: [][]byte{b.raw}}); err != nil {
			t.Fatal(err)
		}
		refs[i], voids[i] = len(a.refs), rules.voids
	}
	if refs[0] != refs[1] || voids[0][testSealer] != voids[1][testSealer] {
		t.Errorf("one node decides %d batches and counts %v, the other %d and %v", refs[0], voids[0], refs[1], voids[1])
	}
}

// Who asks with a newer list of members must not get the answer found with an older one.
func TestRelayFaultIsNotShared(t *testing.T) {
	v, b := NewVerifier(testNetwork), testBatch(t, 1)
	old := &verdict{done: make(chan struct{}), err: errRelay} // found by someone who did not know the member yet
	close(old.done)
	v.known[b.hash] = old
	got, err := v.Verify(b.hash, b.raw, testKeys)
	if err != nil || got == nil {
		t.Fatal(err)
	}
	if _, ok := v.Find(b.hash); !ok {
		t.Error("the good answer is not remembered")
	}
	if _, err := v.Verify(Hash{1}, []byte("noise"), testKeys); !errors.Is(err, errRelay) || len(v.known) != 1 {
		t.Errorf("%v, %d remembered", err, len(v.known))
	}
}
