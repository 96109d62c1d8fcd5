package consensus

import (
	"crypto/ed25519"
	"fmt"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmttypes "github.com/cometbft/cometbft/types"
	cmttime "github.com/cometbft/cometbft/types/time"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// threeSealers are rules with three members, whose share of a block is four signatures each.
type threeSealers struct{ sealerRules }

func (threeSealers) Members(state.Reader) []*networkv1.Member {
	var out []*networkv1.Member
	for i := range 3 {
		out = append(out, &networkv1.Member{Address: []byte(sealerAddress(i)), NodeKey: sealerKey(i).Public().(ed25519.PublicKey)})
	}
	return out
}

func sealerAddress(i int) string { return fmt.Sprintf("sealer %013d", i) }

func sealerKey(i int) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(append(make([]byte, 31), byte(i)))
}

// lined is an app whose shelf holds batches of one transaction: as many of each sealer as counts says, sealer 0's first.
func lined(t *testing.T, now time.Time, counts ...int) (*app, map[string]int) {
	t.Helper()
	a, one := testApp(t)
	rules := threeSealers{one}
	a.ledger = exec.New(exec.Rules{Accounts: rules, Network: rules})
	a.publish()
	sealedBy, salt := map[string]int{}, uint64(0)
	for i, n := range counts {
		for range n {
			salt++
			b, err := sealBatch(testNetwork, tx.Address([]byte(sealerAddress(i))), sealerKey(i), []*tx.Tx{testTx(t, 1)}, now.Add(time.Minute).UnixMilli(), salt)
			if err != nil {
				t.Fatal(err)
			}
			if fresh, err := a.shelf.put(b); err != nil || !fresh {
				t.Fatal(fresh, err)
			}
			sealedBy[string(b.raw)] = i
		}
	}
	return a, sealedBy
}

// fillBlock lets the app propose a block, sees that others would accept it, and says whose batches are in it.
func fillBlock(t *testing.T, a *app, sealedBy map[string]int, now time.Time, height, room int64) (sealers []int) {
	t.Helper()
	prepared, err := a.PrepareProposal(t.Context(), &abci.RequestPrepareProposal{Height: height, Time: now, MaxTxBytes: room})
	if err != nil {
		t.Fatal(err)
	}
	judged, err := a.ProcessProposal(t.Context(), &abci.RequestProcessProposal{Height: height, Time: now, Txs: prepared.Txs})
	if err != nil || judged.Status != abci.ResponseProcessProposal_ACCEPT {
		t.Errorf("at height %d with room for %d bytes the proposal is refused: %v", height, room, err)
	}
	if size := cmttypes.ComputeProtoSizeForTxs(cmttypes.ToTxs(prepared.Txs)); size > room {
		t.Errorf("%d bytes proposed, room for %d", size, room)
	}
	for _, raw := range prepared.Txs {
		sealers = append(sealers, sealedBy[string(raw)])
	}
	return sealers
}

// Sealers take turns, another one first in every block, and one that has had its share leaves the rest to the others.
func TestSealersTakeTurns(t *testing.T) {
	now := cmttime.Now()
	a, sealedBy := lined(t, now, 20, 6, 1)
	for height, want := range map[int64]string{
		3: "[0 1 2 0 1 0 1 0 1]",
		4: "[1 2 0 1 0 1 0 1 0]",
		5: "[2 0 1 0 1 0 1 0 1]",
	} {
		if got := fmt.Sprint(fillBlock(t, a, sealedBy, now, height, 1<<20)); got != want {
			t.Errorf("block %d: %s, want %s", height, got, want)
		}
	}
}

// However little room there is, nobody is left out for the one with the most waiting, and a block is as full as it can be.
func TestLittleRoomIsShared(t *testing.T) {
	now := cmttime.Now()
	a, sealedBy := lined(t, now, 20, 20, 20)
	for raw := range sealedBy {
		one := cmttypes.ComputeProtoSizeForTxs([]cmttypes.Tx{cmttypes.Tx(raw)})
		for n := range int64(13) {
			counts := [3]int64{}
			for _, i := range fillBlock(t, a, sealedBy, now, n, n*(one+4)) { // salts and seals differ by a byte or so
				counts[i]++
			}
			if sum := counts[0] + counts[1] + counts[2]; sum != n || max(counts[0], counts[1], counts[2])-min(counts[0], counts[1], counts[2]) > 1 {
				t.Errorf("with room for %d batches: %v", n, counts)
			}
		}
		return
	}
}

// What may not be in a block holds up nothing behind it, in its sealer's line or another's.
func TestExpiredBatchesHoldUpNothing(t *testing.T) {
	now := cmttime.Now()
	a, sealedBy := lined(t, now, 3, 3)
	for _, l := range a.shelf.lines() {
		l.batches[0].header.ExpiresAt = now.Add(-time.Second).UnixMilli()
	}
	if got := fillBlock(t, a, sealedBy, now, 2, 1<<20); len(got) != 4 {
		t.Errorf("%d of 4 good batches proposed", len(got))
	}
}

// A batch keeps its place behind the earlier ones of its sealer.
func TestSealersLineKeepsItsOrder(t *testing.T) {
	now := cmttime.Now()
	a, _ := lined(t, now, 5)
	lines := a.shelf.lines()
	if len(lines) != 1 || len(lines[0].batches) != 5 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, b := range lines[0].batches {
		if b.header.GetSalt() != uint64(i+1) {
			t.Errorf("batch %d is number %d in its line", b.header.GetSalt(), i+1)
		}
	}
}

// An empty shelf makes an empty block.
func TestNothingWaits(t *testing.T) {
	now := cmttime.Now()
	a, sealedBy := lined(t, now)
	if got := fillBlock(t, a, sealedBy, now, 1, 1<<20); len(got) != 0 {
		t.Errorf("proposed %v", got)
	}
}
