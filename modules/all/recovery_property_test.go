package all_test

import (
	"bytes"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
)

// hour is the shortest waiting time of a recovery, in milliseconds.
const hour = 3600 * 1000

// Whatever is done about keys, freezes and sponsors, and however long it takes: no invariant breaks, a key changes only by an event
// that says so, and a recovery never ends before the time that its events gave.
func TestRandomRecoveries(t *testing.T) {
	recovered := 0
	rapid.Check(t, func(t *rapid.T) {
		w := &world{Ledger: moduletest.New(), t: t, books: map[string]*big.Int{}, ready: map[string]int64{}, keys: map[string][]byte{}}
		for _, name := range []string{"alice", "bob", "carol"} {
			w.must("seoul", &txv1.Action_AccountOpen{AccountOpen: open(name)})
		}
		for range rapid.IntRange(10, 60).Draw(t, "transactions") {
			w.step(w.accountCall)
		}
		recovered += w.recovered
	})
	t.Logf("%d accounts were recovered", recovered)
	if recovered < 10 {
		t.Error("hardly any account is recovered: the test says little about what that takes")
	}
}

// recoveryCall draws what is done about lost keys, freezes and sponsors, by somebody who has a part in it.
func (w *world) recoveryCall() (string, any) {
	who := rapid.SampledFrom([]string{"alice", "bob", "carol"}).Draw(w.t, "whose")
	r := account.RecoveryOf(w.View, moduletest.Address(who), w.Now)
	waits := r.GetRequest().GetKey()
	if waits == nil {
		waits = address(who + "2")
	}
	step := rapid.IntRange(0, 8).Draw(w.t, "recovery")
	if r.GetRequest().GetReadyAt() != 0 && rapid.IntRange(0, 2).Draw(w.t, "finish") > 0 {
		step = 8
	}
	switch step {
	case 0:
		return who, &txv1.Action_AccountAppeal{AccountAppeal: &accountv1.Appeal{Text: "why?"}}
	case 1:
		return "seoul", &txv1.Action_AccountAnswer{AccountAnswer: &accountv1.AnswerAppeal{Account: address(who), Text: "because", Lift: rapid.Bool().Draw(w.t, "lift")}}
	case 2:
		return who, &txv1.Action_AccountSetRecovery{AccountSetRecovery: &accountv1.SetRecovery{Rules: w.rules()}}
	case 3, 4:
		k := moduletest.Key(who + "2")
		if w.seldom("first key") {
			k = moduletest.Key(who)
		}
		return w.rescuer(r), &txv1.Action_AccountRecover{AccountRecover: &accountv1.Recover{Account: address(who), Kind: k.Kind, PublicKey: k.Public}}
	case 5:
		return w.rescuer(r), &txv1.Action_AccountAgreeRecovery{AccountAgreeRecovery: &accountv1.AgreeRecovery{Account: address(who), Key: waits}}
	case 6:
		if w.seldom("object") {
			return who, &txv1.Action_AccountObjectRecovery{AccountObjectRecovery: &accountv1.ObjectRecovery{Account: address(who), Key: waits}}
		}
	case 7:
		return who, &txv1.Action_AccountSetSponsor{AccountSetSponsor: &accountv1.SetSponsor{Sponsor: address(w.member())}}
	}
	if rapid.Bool().Draw(w.t, "patience") { // the way to a recovery's end is long for steps of minutes
		w.Now = max(w.Now, r.GetRequest().GetReadyAt())
	}
	return w.person(), &txv1.Action_AccountFinishRecovery{AccountFinishRecovery: &accountv1.FinishRecovery{Account: address(who), Key: waits}}
}

// rescuer is most often one who may recover an account by its rules.
func (w *world) rescuer(r *accountv1.Recovery) string {
	if guardians := r.GetRules().GetGuardians(); len(guardians) > 0 && !w.seldom("other rescuer") {
		return nameOf(rapid.SampledFrom(guardians).Draw(w.t, "guardian"))
	}
	return "seoul"
}

func (w *world) rules() *accountv1.RecoveryRules {
	rules := &accountv1.RecoveryRules{WaitMs: rapid.SampledFrom([]int64{hour, 2 * hour, 24 * hour, 0}).Draw(w.t, "wait"), Sponsor: rapid.Bool().Draw(w.t, "sponsor")}
	for _, name := range people {
		if rapid.IntRange(0, 2).Draw(w.t, name) == 0 && account.Exists(w.View, moduletest.Address(name)) {
			rules.Guardians = append(rules.Guardians, address(name))
		}
	}
	rules.Threshold = uint32(min(len(rules.Guardians), rapid.IntRange(1, 3).Draw(w.t, "threshold")))
	return rules
}

// bookAccount keeps which key acts and which soon may, and refuses a recovery that comes before its time.
func (w *world) bookAccount(e *ledgerv1.Event) {
	if k := e.GetAccountKeyRotated(); k != nil {
		w.keys[string(k.Account)] = k.Key
	}
	if b := e.GetAccountRecoveryBegun(); b != nil {
		w.ready[string(b.Account)+string(b.Key)] = b.ReadyAt
		if b.ReadyAt != 0 && b.ReadyAt < w.Now {
			w.t.Fatalf("a recovery is ready before it was begun: %v", b)
		}
	}
	if b := e.GetAccountRecoveryEnded(); b != nil {
		delete(w.ready, string(b.Account)+string(b.Key))
	}
	if r := e.GetAccountRecovered(); r != nil {
		w.recovered++
		if at := w.ready[string(r.Account)+string(r.Key)]; at == 0 || w.Now < at {
			w.t.Fatalf("a recovery that was ready at %d ended at %d: %v", at, w.Now, r)
		}
		delete(w.ready, string(r.Account)+string(r.Key))
	}
}

// compareKeys finds the key that acts for each account in the events.
func (w *world) compareKeys() {
	account.Ascend(w.View, func(a tx.Address, acc *accountv1.Account) bool {
		want, moved := w.keys[string(a[:])]
		if !moved {
			want = a[:]
		}
		if !bytes.Equal(want, acc.GetKey()) {
			w.t.Fatalf("%s acts by %x, its events say %x", a, acc.GetKey(), want)
		}
		return true
	})
}
