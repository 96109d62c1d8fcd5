// Under the race detector the member that floods is as slow as those it floods, and nothing is too much for them.

//go:build !race

package consensus_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/consensus"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/network"
)

// arena is a network of four real members, one of which breaks the rules.
type arena struct {
	*testing.T
	net     *simnet.Network
	hostile *consensus.Hostile
	genesis *genesis.Genesis
	paid    atomic.Int64
	salt    uint64
}

// honest are the members that keep the rules.
var honest = []int{0, 1, 2}

// A member whose batches or proposals are bad, or who floods, is refused and named in the log and in the metrics of every
// other member. The others go on all the while and agree.
func TestHostileMember(t *testing.T) {
	a := &arena{T: t, net: simnet.Start(t, 4)}
	a.start()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); a.pay(ctx) }()
	for _, attack := range []struct {
		name string
		run  func(*arena)
	}{
		{"flood", (*arena).flood},
		{"bad batches", (*arena).badBatches},
		{"bad proposals", (*arena).badProposals},
		{"malformed frames", (*arena).malformed},
	} {
		before := a.paid.Load()
		attack.run(a)
		a.net.Eventually(func() bool { return a.paid.Load() > before+3 }, "no payments during: %s", attack.name)
		t.Logf("%s: %d payments", attack.name, a.paid.Load()-before)
	}
	cancel()
	<-done
	a.agree()
}

// start puts the hostile engine in the place of member 3. It has the keys and nothing else: the blocks come from the others.
func (a *arena) start() {
	a.Helper()
	a.net.StopNode(3)
	var err error
	if a.genesis, err = genesis.Parse(a.net.Genesis); err != nil {
		a.Fatal(err)
	}
	nodeSecret, err := a.net.Home(3).Key("node")
	if err != nil {
		a.Fatal(err)
	}
	nodeKey, err := nodeSecret.Ed25519()
	if err != nil {
		a.Fatal(err)
	}
	validatorSecret, err := a.net.Home(3).Key("validator")
	if err != nil {
		a.Fatal(err)
	}
	validatorKey, err := validatorSecret.Validator()
	if err != nil {
		a.Fatal(err)
	}
	listen, peers := a.net.Peering(3)
	rules := all.New()
	a.hostile, err = consensus.NewHostile(a.Context(), consensus.Config{
		Home: a.TempDir(), Genesis: a.genesis, Member: simnet.Address(simnet.Signer(3)), NodeKey: nodeKey, ValidatorKey: validatorKey,
		Listen: listen, Peers: peers, Rules: rules, Ledger: exec.New(rules), Store: forgetful{}, Past: forgetful{},
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		a.Fatal(err)
	}
	if err := a.hostile.Start(); err != nil {
		a.Fatal(err)
	}
	a.Cleanup(func() {
		if err := a.hostile.Stop(); err != nil {
			a.Error(err)
		}
	})
	a.connected()
}

func (a *arena) connected() {
	a.Helper()
	a.net.Eventually(func() bool { return a.hostile.Peers() == 3 && !a.hostile.CatchingUp() }, "the hostile member is not in the network")
}

// pay pays, one payment after the other, until ctx ends. Every one must be committed.
func (a *arena) pay(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		if err := a.submit(n, a.payment(1)); err != nil {
			a.Errorf("a payment: %v", err)
			return
		}
		a.paid.Add(1)
	}
}

// submit sends a transaction to one of the honest members and waits until it is committed.
func (a *arena) submit(n int, t *tx.Tx) error {
	c := apiv1connect.NewLedgerServiceClient(http.DefaultClient, a.net.URL(honest[n%len(honest)]))
	res, err := c.Submit(context.Background(), connect.NewRequest(&apiv1.SubmitRequest{Transaction: t.Raw}))
	if err != nil {
		return err
	}
	if res.Msg.GetResult().GetOutcome().GetStatus() != "ok" {
		return fmt.Errorf("answered %v", res.Msg.GetResult())
	}
	return nil
}

// shrink makes the members vote for the smallest share of a block that there is: one full batch of each sealer.
func (a *arena) shrink() {
	a.Helper()
	p := network.DefaultParameters()
	p.MaxSealerSignatures = consensus.MaxBatchWork
	change := &networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: p}}
	actions := []*txv1.Action{{Call: &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: change}}}}
	for range honest[1:] {
		actions = append(actions, &txv1.Action{Call: &txv1.Action_NetworkVote{NetworkVote: &networkv1.Vote{Proposal: 1}}})
	}
	for i, action := range actions {
		if err := a.submit(i, a.sign(action, simnet.Signer(i))); err != nil {
			a.Fatal(err)
		}
	}
}

// payment is from a person to the next.
func (a *arena) payment(person int) *tx.Tx {
	a.Helper()
	to := simnet.Address(simnet.Person(person + 1))
	return a.sign(&txv1.Action{Call: &txv1.Action_AssetTransfer{
		AssetTransfer: &assetv1.Transfer{Asset: "krw", To: to[:], Amount: "1"},
	}}, simnet.Person(person))
}

// sign makes a transaction that is good for a minute.
func (a *arena) sign(action *txv1.Action, by tx.Signer) *tx.Tx {
	a.Helper()
	short, err := genesis.Short(a.genesis.NetworkID)
	if err != nil {
		a.Fatal(err)
	}
	actor := simnet.Address(by)
	action.Actor = actor[:]
	raw, err := tx.Sign(a.genesis.NetworkID, &txv1.Body{
		Network: short, NotAfter: time.Now().Add(time.Minute).UnixMilli(), Salt: atomic.AddUint64(&a.salt, 1), Actions: []*txv1.Action{action},
	}, by)
	if err != nil {
		a.Fatal(err)
	}
	return a.decode(raw)
}

func (a *arena) decode(raw []byte) *tx.Tx {
	a.Helper()
	t, err := tx.Decode(a.genesis.NetworkID, raw, tx.MaxBytes)
	if err != nil {
		a.Fatal(err)
	}
	return t
}

// forged is a payment whose signature is wrong.
func (a *arena) forged() *tx.Tx {
	a.Helper()
	m := &txv1.Transaction{}
	if err := proto.Unmarshal(a.payment(3).Raw, m); err != nil {
		a.Fatal(err)
	}
	m.GetNative().Witnesses[0].Signature[5] ^= 1
	raw, err := proto.Marshal(m)
	if err != nil {
		a.Fatal(err)
	}
	return a.decode(raw)
}

func (a *arena) seal(life time.Duration, txs ...*tx.Tx) []byte {
	a.Helper()
	raw, err := a.hostile.Seal(txs, time.Now().Add(life))
	if err != nil {
		a.Fatal(err)
	}
	return raw
}

func (a *arena) payments(n int) []*tx.Tx {
	a.Helper()
	out := make([]*tx.Tx, n)
	for i := range out {
		out[i] = a.payment(3)
	}
	return out
}

// badBatches: one with a forged signature, and good ones right after it, which are not even looked at.
func (a *arena) badBatches() {
	a.pushUntil(`dure_reactor_batches_refused_total{reason="bad",sealer="Member 3"}`, func() []byte {
		return a.seal(time.Minute, a.payment(3), a.forged())
	})
	a.named(`msg="batch refused"`, "sealer Member 3", "transaction 1")
	a.pushUntil(`dure_reactor_batches_refused_total{reason="caught",sealer="Member 3"}`, func() []byte {
		return a.seal(time.Minute, a.payment(3))
	})
}

// pushUntil sends batches until every honest member shows the metric above 0: one that is busy may leave some out.
func (a *arena) pushUntil(metric string, next func() []byte) {
	a.Helper()
	for _, i := range honest {
		a.net.Eventually(func() bool {
			if a.metric(i, metric) > 0 {
				return true
			}
			a.hostile.Push(next())
			return false
		}, "member %d does not count %s", i, metric)
	}
}

// badProposals: each of them takes its turn away from the hostile member and nothing from the others.
func (a *arena) badProposals() {
	a.shrink()
	many := a.payments(consensus.MaxBatchTxs/2 + 1)
	for _, c := range []struct {
		why     string
		batches func() [][]byte
	}{
		{"is not by this key", func() [][]byte { return [][]byte{a.seal(2*time.Minute, a.forged())} }},
		{"batch: expired", func() [][]byte { return [][]byte{a.seal(-time.Minute, a.payment(3))} }},
		{"decided already", func() [][]byte { b := a.seal(2*time.Minute, a.payment(3)); return [][]byte{b, b} }},
		{"share of the block", func() [][]byte { return [][]byte{a.seal(2*time.Minute, many...), a.seal(2*time.Minute, many...)} }},
		{"not sealed by a member", func() [][]byte { return [][]byte{[]byte("noise")} }},
	} {
		a.hostile.Propose(c.batches()...)
		a.named(`msg="proposal refused"`, `member="Member 3"`, c.why)
	}
	a.hostile.Propose()
	a.counted(`dure_proposals_refused_total{proposer="Member 3"}`)
}

// flood announces what does not exist, and seals the same transactions again and again, which takes far longer to verify
// than to send: frames are left out, and what is decided after the first time is void and counts against the sealer.
func (a *arena) flood() {
	for range 100 {
		a.hostile.Announce()
	}
	same := a.payments(50)
	a.net.Eventually(func() bool {
		for range 100 {
			a.hostile.Push(a.seal(time.Minute, same...))
		}
		return a.dropped()
	}, "whatever is sent is taken")
	a.named("a member sends more than is taken of it", `member="Member 3"`)
	a.counted(`dure_reactor_frames_dropped_total{peer="Member 3"}`)
	a.net.Eventually(func() bool {
		info, err := a.net.Client(0).NetworkInfo(a.Context())
		if err != nil {
			return false
		}
		voids := map[string]uint64{}
		for _, m := range info.GetMembers() {
			voids[m.GetName()] = m.GetVoids()
		}
		return voids["Member 3"] > 0 && voids["Member 0"]+voids["Member 1"]+voids["Member 2"] == 0
	}, "the flood's void transactions are not counted against its sealer alone")
}

// dropped says whether every honest member has left out some of what is sent.
func (a *arena) dropped() bool {
	for _, i := range honest {
		if a.metric(i, `dure_reactor_frames_dropped_total{peer="Member 3"}`) == 0 {
			return false
		}
	}
	return true
}

// malformed sends what is no frame, and what no member sealed: the connection ends, and is made again later.
func (a *arena) malformed() {
	a.connected()
	a.pushUntil(`dure_reactor_peer_faults_total{peer="Member 3"}`, func() []byte { return []byte("noise") })
	a.named("a peer sent what no member sealed")
	a.connected()
	a.hostile.Send([]byte{99, 99, 99})
	a.named("a peer sent a malformed frame")
	a.connected()
}

// named waits until every honest member has logged a line with all of the words.
func (a *arena) named(words ...string) {
	a.Helper()
	for _, i := range honest {
		a.net.Eventually(func() bool {
			for line := range strings.Lines(a.net.Log(i)) {
				if containsAll(line, words) {
					return true
				}
			}
			return false
		}, "member %d does not log: %v", i, words)
	}
}

func containsAll(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

// counted waits until every honest member shows the metric above 0.
func (a *arena) counted(metric string) {
	a.Helper()
	for _, i := range honest {
		a.net.Eventually(func() bool { return a.metric(i, metric) > 0 }, "member %d does not count %s", i, metric)
	}
}

func (a *arena) metric(i int, name string) float64 {
	a.Helper()
	resp, err := http.Get(a.net.URL(i) + "/metrics")
	if err != nil {
		a.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				a.Fatal(err)
			}
			return n
		}
	}
	a.Fatalf("member %d does not measure %s", i, name)
	return 0
}

// agree waits until the honest members have one state, and checks that every payment, and no other, was made.
func (a *arena) agree() {
	a.net.Eventually(func() bool {
		seen := map[string]bool{}
		for _, i := range honest {
			s, err := a.net.Client(i).Status(a.Context())
			if err != nil {
				return false
			}
			seen[fmt.Sprint(s.GetHeight(), s.GetStateRoot(), s.GetHistoryRoot())] = true
		}
		return len(seen) == 1
	}, "the members do not agree")
	b, _, err := a.net.Client(0).Balance(a.Context(), "krw", simnet.Address(simnet.Person(1)), 0)
	if want := strconv.FormatInt(1_000_000-a.paid.Load(), 10); err != nil || b.GetAmount() != want {
		a.Errorf("the payer has %s, want %s; %v", b.GetAmount(), want, err)
	}
}

// forgetful is a store that keeps nothing: the hostile member does not come back.
type forgetful struct{}

func (forgetful) SaveGenesis([]state.Change) error               { return nil }
func (forgetful) Save(*exec.Result, []consensus.BatchRef) error  { return nil }
func (forgetful) Outcome(uint64) (*ledgerv1.Outcome, error)      { return nil, io.EOF }
func (forgetful) Find([32]byte) (*ledgerv1.Outcome, bool, error) { return nil, false, nil }
