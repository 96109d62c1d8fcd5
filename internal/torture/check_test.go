package torture

import (
	"strings"
	"testing"
	"time"
)

// moves builds a history of group 0 from lines: what happened, when it was invoked and when it returned.
func transfer(verdict string, from, to int, amount uint64, invoked, returned int64) *call {
	return &call{Op: opTransfer, ID: "x", Verdict: verdict, From: from, To: to, Amount: amount, Invoked: invoked, Returned: returned}
}

func balances(invoked, returned int64, amounts ...uint64) *call {
	return &call{Op: opRead, Verdict: isOK, Balances: amounts, Invoked: invoked, Returned: returned}
}

func claim(id, winner string, invoked, returned int64) *call {
	c := &call{Op: opClaim, ID: id, Key: "k", Verdict: isOK, Invoked: invoked, Returned: returned}
	if winner != "" {
		c.Verdict, c.Code, c.Winner = isRefused, "tx.once_used", winner
	}
	return c
}

// The checker accepts what one ledger could have answered, and nothing else.
func TestLinearizable(t *testing.T) {
	start := make([]uint64, groups*groupSize)
	for i := range start {
		start[i] = 100
	}
	for _, c := range []struct {
		name  string
		calls []*call
		ok    bool
	}{
		{"one after the other", []*call{transfer(isOK, 0, 1, 60, 1, 2), balances(3, 4, 40, 160, 100), transfer(isFailed, 0, 2, 60, 5, 6)}, true},
		{"a read beside a write may miss it", []*call{transfer(isOK, 0, 1, 60, 1, 9), balances(2, 3, 100, 100, 100), balances(4, 5, 40, 160, 100)}, true},
		{"an undecided write may come late", []*call{transfer(isOK, 0, 1, 60, 1, forever), balances(5, 6, 100, 100, 100)}, true},
		{"a stale read", []*call{transfer(isOK, 0, 1, 60, 1, 2), balances(3, 4, 100, 100, 100)}, false},
		{"a read that goes back", []*call{transfer(isOK, 0, 1, 60, 1, 9), balances(2, 3, 40, 160, 100), balances(4, 5, 100, 100, 100)}, false},
		{"half of a transfer", []*call{transfer(isOK, 0, 1, 60, 1, 9), balances(2, 3, 40, 100, 100)}, false},
		{"money spent twice", []*call{transfer(isOK, 0, 1, 60, 1, 9), transfer(isOK, 0, 2, 60, 1, 9)}, false},
		{"refused though there was enough", []*call{transfer(isFailed, 0, 1, 60, 1, 9)}, false},
		{"a race for a once key", []*call{claim("a", "", 1, 9), claim("b", "a", 2, 3)}, true},
		{"two winners", []*call{claim("a", "", 1, 9), claim("b", "", 2, 3)}, false},
		{"the loser is told before the winner tries", []*call{claim("b", "a", 1, 2), claim("a", "", 3, 4)}, false},
		{"the loser is told of a third", []*call{claim("a", "", 1, 2), claim("b", "c", 3, 4)}, false},
	} {
		if err := linearizable(c.calls, start); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What the audit holds against the history.
func TestAnswers(t *testing.T) {
	e := entry{id: "a", status: isOK, height: 7, seq: 3}
	for _, c := range []struct {
		name    string
		call    call
		entries []entry
		says    string
	}{
		{"as answered", call{ID: "a", Verdict: isOK, Height: 7, Seq: 3}, []entry{e}, ""},
		{"lost", call{ID: "a", Verdict: isOK, Height: 7, Seq: 3}, nil, "LOST"},
		{"changed", call{ID: "a", Verdict: isFailed, Height: 7, Seq: 3}, []entry{e}, "was answered as"},
		{"elsewhere", call{ID: "a", Verdict: isOK, Height: 6, Seq: 3}, []entry{e}, "was answered as"},
		{"refused and there", call{ID: "a", Verdict: isRefused}, []entry{e}, "was refused"},
		{"refused", call{ID: "a", Verdict: isRefused}, nil, ""},
		{"undecided", call{ID: "a", Verdict: isUndecided}, []entry{e}, ""},
	} {
		a := &audit{history: &history{calls: []*call{&c.call}}}
		if err := a.answers(c.entries); !says(err, c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestLedger(t *testing.T) {
	known := map[string]*call{"a": {From: 0, To: 1, Amount: 600}, "b": {From: 0, To: 1, Amount: 600}}
	first := entry{id: "a", status: isOK, height: 5}
	for _, c := range []struct {
		name   string
		second entry
		says   string
	}{
		{"failed", entry{id: "b", status: isFailed, height: 6, seq: 1}, ""},
		{"twice", entry{id: "a", status: isOK, height: 6, seq: 1}, "twice"},
		{"nobody's", entry{id: "c", status: isOK, height: 6, seq: 1}, "nobody's"},
		{"a gap", entry{id: "b", status: isFailed, height: 6, seq: 2}, "number 2"},
		{"more than there was", entry{id: "b", status: isOK, height: 6, seq: 1}, "which had 400"},
	} {
		l := newLedger(cast())
		if err := l.apply([]entry{first, c.second}, known); !says(err, c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if before, after := l.at(0, 4), l.at(0, 5); before != 1000 || after != 400 {
			t.Errorf("%s: account 0 has %d, then %d", c.name, before, after)
		}
	}
}

// A member that shows less than it acknowledged, or goes back, or shows what no height had.
func TestReads(t *testing.T) {
	glance := func(height int64, amount uint64, invoked, returned int64) *call {
		return &call{Op: opGlance, Member: 2, Height: height, Balances: []uint64{amount}, Invoked: invoked, Returned: returned}
	}
	write := &call{Op: opTransfer, ID: "a", Member: 2, Verdict: isOK, Height: 5, Invoked: 1, Returned: 2}
	for _, c := range []struct {
		name  string
		calls []*call
		says  string
	}{
		{"fresh", []*call{write, glance(5, 400, 3, 4)}, ""},
		{"beside the write", []*call{write, glance(4, 1000, 1, 4)}, ""},
		{"behind what it acknowledged", []*call{write, glance(4, 1000, 3, 4)}, "showed height 4"},
		{"back", []*call{glance(6, 400, 3, 4), glance(5, 400, 5, 6)}, "showed height 5"},
		{"wrong", []*call{glance(4, 400, 3, 4)}, "where it has 1000"},
	} {
		l := newLedger(cast())
		if err := l.apply([]entry{{id: "a", status: isOK, height: 5}}, map[string]*call{"a": {From: 0, To: 1, Amount: 600}}); err != nil {
			t.Fatal(err)
		}
		a := &audit{ledger: l, history: &history{calls: c.calls}}
		if err := a.reads(); !says(err, c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func says(err error, what string) bool {
	if what == "" || err == nil {
		return what == "" && err == nil
	}
	return strings.Contains(err.Error(), what)
}

// The same seed gives the same faults; every fault comes before one comes again.
func TestSchedule(t *testing.T) {
	a, b, other := NewSchedule(7, 4), NewSchedule(7, 4), NewSchedule(8, 4)
	same := true
	seen := map[string]int{}
	for range 18 {
		x, y := a.Next(), b.Next()
		if x.String() != y.String() || x.Hold != y.Hold {
			t.Fatalf("%v for %v is not %v for %v", x, x.Hold, y, y.Hold)
		}
		same = same && x.String() == other.Next().String()
		seen[x.group()]++
		if stops := x.stops(4); stops != (len(x.Members) > 1) {
			t.Errorf("%v stops a network of four: %v", x, stops)
		}
	}
	for name, times := range seen {
		if times != 2 {
			t.Errorf("%s came %d times in two bags", name, times)
		}
	}
	if same {
		t.Error("another seed gives the same faults")
	}
	if f := NewSchedule(1, 4, Cut).Next(); f.Kind != Cut || f.Hold < time.Second {
		t.Errorf("%v", f)
	}
}
