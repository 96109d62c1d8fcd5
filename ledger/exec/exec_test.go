package exec_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

func TestCheckTime(t *testing.T) {
	const now, window = 1_700_000_000_000, 120_000
	for _, test := range []struct {
		name                  string
		notAfter, now, window int64
		want                  string
	}{
		{"a minute ahead", now + 60_000, now, window, ""},
		{"this millisecond", now, now, window, ""},
		{"the last", now + window, now, window, ""},
		{"one late", now - 1, now, window, "tx.expired"},
		{"one early", now + window + 1, now, window, "tx.too_far_ahead"},
		{"negative", -5, now, window, "tx.expired"},
		{"the end of time", math.MaxInt64, now, window, "tx.too_far_ahead"},
		{"the beginning of time", math.MinInt64, now, window, "tx.expired"},
		{"all of time ahead", math.MaxInt64, math.MinInt64, math.MaxInt64, "tx.too_far_ahead"},
		{"no window", now + 1, now, 0, "tx.too_far_ahead"},
	} {
		refusal := exec.CheckTime(test.notAfter, test.now, test.window)
		switch {
		case test.want == "" && refusal != nil, test.want != "" && (refusal == nil || refusal.Code != test.want):
			t.Errorf("%s: %v, want %q", test.name, refusal, test.want)
		case refusal != nil && (refusal.Message == "" || len(refusal.Fields) < 2):
			t.Errorf("%s: says only %v", test.name, refusal)
		}
	}
}

func TestRefusal(t *testing.T) {
	got := exec.Refusal(fault.New("asset.unknown", "There is no such asset.", "asset", "krw", "at", 3), 2)
	if got.GetCode() != "asset.unknown" || got.GetMessage() != "There is no such asset." || got.GetAction() != 2 ||
		len(got.GetFields()) != 2 || got.GetFields()[1].GetName() != "at" || got.GetFields()[1].GetValue() != "3" {
		t.Errorf("%v", got)
	}
}

func TestRestoreRefusesAFrontierThatDoesNotFit(t *testing.T) {
	hash := make([]byte, 32)
	for _, test := range []struct {
		size     uint64
		frontier [][]byte
		good     bool
	}{
		{0, nil, true}, {1, [][]byte{hash}, true}, {4, [][]byte{hash}, true}, {7, [][]byte{hash, hash, hash}, true},
		{0, [][]byte{hash}, false}, {1, nil, false}, {7, [][]byte{hash}, false}, {4, [][]byte{hash, hash}, false},
	} {
		l, err := exec.Restore(exec.Rules{}, 9, 1234, state.NewTree(), test.size, test.frontier, exec.NewWindow())
		if (err == nil) != test.good {
			t.Errorf("size %d with %d hashes: %v", test.size, len(test.frontier), err)
		}
		if err == nil && (l.HistorySize() != test.size || l.Height() != 9 || l.Time() != 1234) {
			t.Errorf("size %d: restored %d outcomes, height %d, time %d", test.size, l.HistorySize(), l.Height(), l.Time())
		}
	}
}

// tiny is the least a ledger runs with: a module that writes one key at genesis or refuses to.
type tiny struct{ refusal error }

func (tiny) Name() string             { return "tiny" }
func (tiny) Handlers() []exec.Handler { return nil }
func (tiny) Check(state.Reader) error { return nil }
func (tiny) Authorise(*state.View, tx.Address, *txv1.Body, []tx.Key, int64) (bool, error) {
	return false, nil
}
func (tiny) Parameters(state.Getter) *networkv1.Parameters    { return &networkv1.Parameters{} }
func (tiny) Misbehaved(*state.View, exec.Misbehaviour, int64) {}
func (tiny) CountVoids(v *state.View, sealer tx.Address, n uint64) {
	v.Set([]byte("v"), []byte{byte(n)})
}
func (tiny) Key(a tx.Address) []byte                  { return a[:] }
func (tiny) Members(state.Reader) []*networkv1.Member { return nil }
func (m tiny) Genesis(v *state.View, _ *ledgerv1.Genesis) error {
	v.Set([]byte("k"), []byte("value"))
	return m.refusal
}

func TestGenesis(t *testing.T) {
	l := exec.New(exec.Rules{Modules: []exec.Module{tiny{}}, Accounts: tiny{}, Network: tiny{}})
	changes, err := l.Genesis(&ledgerv1.Genesis{Time: 77})
	if err != nil || len(changes) != 1 || l.Tree().Len() != 1 || l.Time() != 77 || l.Height() != 0 || l.HistorySize() != 0 {
		t.Errorf("%d changes, %d entries, time %d, %v", len(changes), l.Tree().Len(), l.Time(), err)
	}
	broken := exec.New(exec.Rules{Modules: []exec.Module{tiny{errors.New("no members")}}})
	before := broken.AppHash()
	if _, err := broken.Genesis(&ledgerv1.Genesis{}); err == nil || !strings.Contains(err.Error(), "tiny") || !strings.Contains(err.Error(), "no members") {
		t.Errorf("error %v, want it to name module and reason", err)
	}
	if broken.AppHash() != before {
		t.Error("a refused genesis left something")
	}
}

// Only batches without voids leave the sealer's count alone.
func TestVoidsAreCountedPerBatch(t *testing.T) {
	l := exec.New(exec.Rules{Modules: []exec.Module{tiny{}}, Accounts: tiny{}, Network: tiny{}})
	if r := l.Execute(exec.Block{Height: 1, Batches: []exec.Batch{{}, {}}}); len(r.Changes) != 0 {
		t.Error("empty batches were counted")
	}
	if r := l.Execute(exec.Block{Height: 1, Batches: []exec.Batch{{Bad: errors.New("bad")}}}); len(r.Changes) != 1 || r.Changes[0].Value[0] != 1 {
		t.Error("a bad batch was not counted as one")
	}
}
