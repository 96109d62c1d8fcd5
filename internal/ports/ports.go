// Package ports gives tests ports of this machine that no other test is given: neither in this process nor in one that runs beside it, as `go test`
// runs those of several packages. A node that is stopped in a test, or is started only late in it, finds its port as it was.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
)

// Ports lie below those that connections are given (32,768 and on). A block belongs to the process that listens on its gate, which ends with the
// process whatever becomes of it.
const (
	first  = 10_000
	block  = 128 // ports
	blocks = 150
	gate   = first + block*blocks
)

// owned is a block of this process, and which of its ports are given.
type owned struct {
	base  int
	given [block]bool
}

var (
	mu    sync.Mutex
	mine  []*owned
	gates []net.Listener // open until the process ends
)

// Row finds n ports in a row that nobody listens on, at most 128, and returns the first of them. They are this caller's until it gives them back.
func Row(n int) (port int, giveBack func(), err error) {
	if n < 1 || n > block {
		return 0, nil, fmt.Errorf("ports: a row of %d; it has 1 to %d", n, block)
	}
	mu.Lock()
	defer mu.Unlock()
	for i := 0; ; i++ {
		if i == len(mine) && !claim() {
			return 0, nil, errors.New("ports: this machine has no free ports")
		}
		if at, ok := mine[i].row(n); ok {
			mine[i].mark(at, n, true)
			return mine[i].base + at, func() {
				mu.Lock()
				defer mu.Unlock()
				mine[i].mark(at, n, false)
			}, nil
		}
	}
}

// Addresses are n addresses of this machine with ports of Row.
func Addresses(n int) (addresses []string, giveBack func(), err error) {
	port, giveBack, err := Row(n)
	for i := range n {
		addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port+i))
	}
	return addresses, giveBack, err
}

// Free says whether nobody listens on n ports in a row.
func Free(port, n int) bool {
	for p := port; p < port+n; p++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", p))
		if err != nil || l.Close() != nil {
			return false
		}
	}
	return true
}

// claim makes one more block this process's. The caller holds mu.
func claim() bool {
	for _, k := range rand.Perm(blocks) {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", gate+k)); err == nil {
			gates, mine = append(gates, l), append(mine, &owned{base: first + block*k})
			return true
		}
	}
	return false
}

// row finds n ports that are not given and on which nobody listens. The caller holds mu.
func (o *owned) row(n int) (at int, ok bool) {
	for at := 0; at+n <= block; at++ {
		if !slices.Contains(o.given[at:at+n], true) && Free(o.base+at, n) {
			return at, true
		}
	}
	return 0, false
}

// mark notes that n ports are given, or are not any more. The caller holds mu.
func (o *owned) mark(at, n int, given bool) {
	for i := at; i < at+n; i++ {
		o.given[i] = given
	}
}
