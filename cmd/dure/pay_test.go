package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client/clienttest"
	"github.com/dureledger/dure/ledger/tx"
)

func anyone(name string) (party, error) {
	if name == "" || strings.HasPrefix(name, "no") {
		return party{}, errors.New("there is no such key")
	}
	return party{address: tx.Address([]byte(fmt.Sprintf("%-20.20s", name)))}, nil
}

func TestPayFile(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		rows    int
		faults  []string
	}{
		"plain":              {"to,amount\nbob,12.50\n", 1, nil},
		"byte order mark":    {"\ufeffto,amount\nbob,12.50\n", 1, nil},
		"carriage returns":   {"to,amount,memo\r\nbob,1,a\r\nann,2,b\r\n", 2, nil},
		"other order":        {"Memo, Amount ,TO\nhi,1,bob\n", 1, nil},
		"grouped amount":     {"to,amount\nbob,\"1,250.50\"\n", 1, nil},
		"no last newline":    {"to,amount\nbob,1", 1, nil},
		"memo over lines":    {"to,amount,memo\nbob,1,\"a\nb\"\nbob,x,\n", 0, []string{"line 4:"}},
		"empty":              {"", 0, []string{"heading"}},
		"heading only":       {"to,amount\n", 0, []string{"no rows"}},
		"no heading":         {"bob,12\n", 0, []string{"line 1", "not known"}},
		"column twice":       {"to,amount,to\n", 0, []string{"twice"}},
		"amount missing":     {"to,memo\n", 0, []string{"needed"}},
		"bad rows":           {"to,amount\nnobody,1\nbob,x\nbob,1\nbob,0\n", 0, []string{"line 2: to", "line 3: amount", "line 5: amount"}},
		"too many decimals":  {"to,amount\nbob,1.234\n", 0, []string{"line 2"}},
		"not UTF-8":          {"to,amount,memo\nbob,1,\xb0\xa1\n", 0, []string{"line 2", "UTF-8"}},
		"loose quote":        {"to,amount\nbob,1\nann,\"2\n", 0, []string{"line 3"}},
		"field too many":     {"to,amount\nbob,1,250\n", 0, []string{"line 2: 3 fields"}},
		"memo too long":      {"to,amount,memo\nbob,1," + strings.Repeat("x", 257) + "\n", 0, []string{"line 2: memo"}},
		"reference too long": {"to,amount,reference\nbob,1," + strings.Repeat("x", 65) + "\n", 0, []string{"line 2: reference"}},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := parsePayFile([]byte(c.content), 2, anyone)
			if c.faults == nil {
				if err != nil || len(file.Rows) != c.rows {
					t.Fatalf("%v, want %d rows", err, c.rows)
				}
				return
			}
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, fault := range c.faults {
				if !strings.Contains(err.Error(), fault) {
					t.Errorf("%q is not in %v", fault, err)
				}
			}
		})
	}
}

func FuzzPayFile(f *testing.F) {
	f.Add([]byte("to,amount,memo,reference\nbob,1.50,x,y\n"))
	f.Add([]byte("\ufeffTo;amount\n"))
	f.Add([]byte("to,amount\n\"bob\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := parsePayFile(content, 2, anyone)
		if err != nil {
			return
		}
		for i, row := range file.Rows {
			if _, err := tx.ParseAmount(row.Units); err != nil || row.Number != i+1 || row.Units == "0" || len(row.Memo) > maxMemo || len(row.Reference) > maxReference {
				t.Errorf("row %d: %+v", i, row)
			}
		}
	})
}

// TestPayOnce fixes the keys: a change would let an old file be paid again.
func TestPayOnce(t *testing.T) {
	base := payOnce("test-00", tx.Address{1}, [32]byte{2}, 3, 0)
	if got := fmt.Sprintf("%x", base); got != "bc8f9ab13385bf665b78446650c703955e3ba7d5518a596cebd26289ad3092c3" {
		t.Errorf("the once key changed: %s", got)
	}
	for _, other := range [][32]byte{
		payOnce("test-01", tx.Address{1}, [32]byte{2}, 3, 0), payOnce("test-00", tx.Address{2}, [32]byte{2}, 3, 0),
		payOnce("test-00", tx.Address{1}, [32]byte{3}, 3, 0), payOnce("test-00", tx.Address{1}, [32]byte{2}, 4, 0), payOnce("test-00", tx.Address{1}, [32]byte{2}, 3, 1),
	} {
		if other == base {
			t.Error("two different payments have one key")
		}
	}
}

func TestPayNotAfter(t *testing.T) {
	for now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC); now.Year() < 2027; now = now.Add(7 * time.Hour) {
		if ahead := payNotAfter(now).Sub(now); ahead <= payWindow || ahead > 2*payWindow || ahead > 30*24*time.Hour {
			t.Fatalf("at %s it is %s ahead", now, ahead)
		}
	}
}

// payroll writes a file of n payments to n new accounts.
func (s *stage) payroll(n int) []tx.Address {
	var b strings.Builder
	b.WriteString("to,amount,memo\n")
	var payees []tx.Address
	for i := range n {
		seed := slices.Repeat([]byte{byte(i), byte(i >> 8)}, 16)
		signer, err := tx.NewEd25519Signer(seed)
		if err != nil {
			s.t.Fatal(err)
		}
		s.ledger.Open(signer.Key())
		payees = append(payees, signer.Key().Address())
		fmt.Fprintf(&b, "%s,%d,salary %d\n", signer.Key().Address(), i+1, i)
	}
	s.write("payroll.csv", b.String())
	return payees
}

func (s *stage) wantPaid(payees []tx.Address) {
	s.t.Helper()
	total := 0
	for i, payee := range payees {
		if got := s.ledger.Balance("krw", payee); got != fmt.Sprint(i+1) {
			s.t.Errorf("payee %d has %s, want %d", i, got, i+1)
		}
		total += i + 1
	}
	if got := s.ledger.Balance("krw", s.key("alice").Key().Address()); got != fmt.Sprint(1000000-total) {
		s.t.Errorf("the payer has %s, want %d", got, 1000000-total)
	}
}

// TestPayInterrupted: Ctrl-C in the middle, then runs to the end: at once, and long after, when the ids are others.
func TestPayInterrupted(t *testing.T) {
	for name, later := range map[string]time.Duration{"at once": 0, "a month later": 31 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			payees := s.payroll(300)
			command := []string{"pay", "--batch", "payroll.csv", "--asset", "krw", "--chunk", "20", "--parallel", "2"}
			ctx, cancel := context.WithCancel(t.Context())
			s.ctx = ctx
			s.node.OnSubmit(5, cancel)
			s.do(command...).want(t, exitFailed, "Interrupted", "Run the same command again")
			if n := s.ledger.Len(); n == 0 || n == len(payees) {
				t.Fatalf("%d of %d rows were paid: not interrupted in the middle", n, len(payees))
			}
			s.ctx = t.Context()
			s.clock.move(later)
			s.do(append(command, "--report", "report.csv")...).want(t, exitOK, "paid now", "paid before")
			s.wantPaid(payees)
			rows, err := csv.NewReader(strings.NewReader(s.read("report.csv"))).ReadAll()
			if err != nil || len(rows) != len(payees)+1 {
				t.Errorf("report of %d rows: %v", len(rows), err)
			}
			s.do(command...).want(t, exitOK, "paid before  300")
			s.wantPaid(payees)
		})
	}
}

// TestPayThroughFaults: answers lost before and after the ledger took them, full pools.
func TestPayThroughFaults(t *testing.T) {
	s := newStage(t)
	payees := s.payroll(200)
	s.node.Script("SubmitMany", clienttest.DropAnswer, clienttest.PoolFull, clienttest.DropRequest, clienttest.None, clienttest.Unavailable, clienttest.DropAnswer)
	s.do("pay", "--batch", "payroll.csv", "--asset", "krw", "--chunk", "25").want(t, exitOK)
	s.wantPaid(payees)
}

// TestPayNodeLost: the node goes away for good; what is said is true, and the next run finishes.
func TestPayNodeLost(t *testing.T) {
	s := newStage(t)
	payees := s.payroll(100)
	s.node.OnSubmit(2, func() {
		s.node.Script("SubmitMany", slices.Repeat([]clienttest.Fault{clienttest.DropRequest}, 100000)...)
	})
	s.do("pay", "--batch", "payroll.csv", "--asset", "krw", "--chunk", "10", "--parallel", "1").want(t, exitUnreachable, "Run the same command again", "not known")
	s.node.Clear("SubmitMany")
	s.do("pay", "--batch", "payroll.csv", "--asset", "krw").want(t, exitOK)
	s.wantPaid(payees)
}
