package ports_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/dureledger/dure/internal/ports"
)

// Rows do not overlap, not with those of another process either, leave out ports on which somebody listens, and are given again when they were
// given back.
func TestRows(t *testing.T) {
	if os.Getenv("DURE_TEST_ROWS") != "" { // the other process
		give(t, map[int]bool{}, func(port int) { fmt.Println("row", port) })
		return
	}
	taken := map[int]bool{}
	backs := give(t, taken, func(int) {})
	other := exec.Command(os.Args[0], "-test.run", "^TestRows$")
	other.Env = append(os.Environ(), "DURE_TEST_ROWS=1")
	out, err := other.Output()
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(out)) {
		var port int
		if n, _ := fmt.Sscanf(line, "row %d", &port); n == 1 {
			rows++
			if taken[port] {
				t.Errorf("two processes have port %d", port)
			}
		}
	}
	if rows != 20 {
		t.Errorf("the other process has %d rows", rows)
	}

	backs[3].giveBack()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", backs[3].port))
	if err != nil {
		t.Fatal(err)
	}
	if port, _, err := ports.Row(10); err != nil || port == backs[3].port {
		t.Errorf("port %d, on which somebody listens, %v", port, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if port, _, err := ports.Row(10); err != nil || port != backs[3].port {
		t.Errorf("port %d instead of %d, which was given back, %v", port, backs[3].port, err)
	}
	if _, _, err := ports.Row(1000); err == nil {
		t.Error("a row longer than there is")
	}
}

type row struct {
	port     int
	giveBack func()
}

// give takes 20 rows of 10 ports and notes the ports.
func give(t *testing.T, taken map[int]bool, each func(port int)) (rows []row) {
	t.Helper()
	for range 20 {
		port, giveBack, err := ports.Row(10)
		if err != nil {
			t.Fatal(err)
		}
		for p := port; p < port+10; p++ {
			if taken[p] {
				t.Errorf("port %d is given twice", p)
			}
			taken[p] = true
		}
		each(port)
		rows = append(rows, row{port, giveBack})
	}
	return rows
}
