//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
)

var (
	errorSeed   = flag.Uint64("fileerror.seed", 1, "which operations TestFileErrors fails")
	errorRounds = flag.Int("fileerror.rounds", 1, "how many operations of each kind on each file TestFileErrors fails")
	errorSite   = flag.String("fileerror.site", "", "fail only what matches, as \"sync data/ledger\"")
)

// TestFileErrors fails operations of every kind on every file of a node, one a life: an input/output error, or a full
// disk. The node goes on, or ends and says why; what it had answered is there when it is started on a good disk.
func TestFileErrors(t *testing.T) {
	whole := newLoner(t)
	whole.fill(t)
	healthy := &errorfs{}
	if says := whole.suffer(t, healthy); says != "" {
		t.Fatal(says)
	}
	random := rand.New(rand.NewPCG(*errorSeed, 0))
	sites := slices.SortedFunc(maps.Keys(healthy.count), func(a, b site) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.op, b.op)) })
	if len(sites) < 40 {
		t.Fatalf("only %d kinds of operations: %v", len(sites), sites)
	}
	only := regexp.MustCompile(*errorSite)
	limit := make(chan struct{}, 3)
	var done sync.WaitGroup
	for _, s := range sites {
		for round := range *errorRounds {
			nth, errno := 1+random.IntN(healthy.count[s]), syscall.EIO
			if slices.Contains(full, s.op) && (round+random.IntN(2))%2 == 1 {
				errno = syscall.ENOSPC
			}
			if !only.MatchString(s.op + " " + s.file) {
				continue
			}
			limit <- struct{}{}
			done.Add(1)
			go func() {
				defer done.Done()
				defer func() { <-limit }()
				e, says := whole.fail(t, s, nth, errno)
				what := fmt.Sprintf("%s %s, number %d of %d, %v", s.op, s.file, e.nth, healthy.count[s], errno)
				if says == "" && e.hurt() == "" {
					says = "it did not come to that"
				}
				if says != "" {
					t.Errorf("%s: %s", what, says)
				}
			}()
		}
	}
	done.Wait()
}

// lives is how many a failure has to happen in.
const lives = 5

// fail fails the nth operation at a site. How often a node does something in a life depends on how fast the machine is: where it was
// less often than nth, another life fails the last one that this life had.
func (l *loner) fail(t *testing.T, s site, nth int, errno syscall.Errno) (e *errorfs, says string) {
	for range lives {
		e = &errorfs{fail: s, nth: nth, errno: errno}
		if says = l.suffer(t, e); says != "" || e.hurt() != "" {
			break
		}
		nth = min(nth, max(1, e.seen(s)))
	}
	return e, says
}

// adviceForDisk is what a node says in the end: what failed, where, and what to do about the disk.
var adviceForDisk = regexp.MustCompile(`(?m)^ *dure: .*/TestFileErrors.*(Free some space|\n.*The disk)`)

// full is what a full disk can refuse.
var full = []string{"create", "write", "sync", "truncate", "rename", "mkdir", "allocate"}

// suffer lives a short life on a failing disk, and another on the same files without failures. It says what is wrong.
func (l *loner) suffer(t *testing.T, e *errorfs) (wrong string) {
	copied := l.copyWith(t, "", damage{})
	e.folder = copied.home
	defer os.RemoveAll(e.folder)
	at, unmount := e.mount(t)
	copied.home = at
	p := copied.start(t)
	answered, ended := copied.live(t, p)
	out := p.out.String()
	switch {
	case regexp.MustCompile(`goroutine \d`).MatchString(out):
		wrong = "a stack trace\n" + out
	case ended && !adviceForDisk.MatchString(out) && !explained(out, at, e.hurt()):
		wrong = "ended without an explanation\n" + out
	}
	unmount()
	copied.home = e.folder
	p = copied.start(t)
	defer p.kill()
	if !p.up(t) {
		return wrong + "does not start on a good disk\n" + out + "\n" + p.out.String()
	}
	if err := copied.holds(p.client(t), append(l.paid[:len(l.paid):len(l.paid)], answered...)); err != nil {
		return wrong + err.Error() + "\n" + out + "\n" + p.out.String()
	}
	if err := l.pay(t, p); err != nil {
		return wrong + "cannot pay on a good disk: " + err.Error() + "\n" + p.out.String()
	}
	return wrong
}

// live pays until the node is ended, or ends by itself.
func (l *loner) live(t *testing.T, p *process) (answered []string, ended bool) {
	if !p.up(t) {
		return nil, true
	}
	defer p.kill()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c := p.client(t)
	for i := range 6 {
		network, err := c.Network(ctx)
		if err != nil {
			break
		}
		s, err := client.NewTransaction(network).Transfer(person(i%people).Key().Address(), person((i+1)%people).Key().Address(), "krw", fmt.Sprint(i+1)).Sign(time.Now(), person(i%people))
		if err != nil {
			t.Error(err)
			break
		}
		o, err := c.Submit(ctx, s)
		select {
		case <-p.exited:
			return answered, true
		default:
		}
		if err != nil || client.Check(o) != nil {
			break
		}
		answered = append(answered, o.GetId())
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	select {
	case <-p.exited:
		return answered, p.cmd.ProcessState.ExitCode() != 0
	case <-ctx.Done():
		t.Errorf("does not end: %s", p.out)
		return answered, true
	}
}

// holds checks that every payment has a valid receipt.
func (l *loner) holds(c *client.Client, paid []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	anchor, err := light.FromGenesis(l.genesis)
	if err != nil {
		return err
	}
	for i, id := range paid {
		if i%10 != 0 && i < len(paid)-12 {
			continue
		}
		if _, _, err := c.Prove(ctx, id, anchor); err != nil {
			return fmt.Errorf("payment %d of %d: %w", i+1, len(paid), err)
		}
	}
	return nil
}
