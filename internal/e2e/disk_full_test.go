//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/node"
)

// One member's disk fills up under load, several times, with different amounts left. Its node stops and says so, the
// others go on; when there is space again it starts, catches up and has the same state.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	small := filepath.Join(dir, "small")
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=48m"); err != nil {
		t.Fatalf("this test mounts a small disk, which needs root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(small, syscall.MNT_DETACH) })
	api, p2p := freeRange(t), freeRange(t)
	var seats []node.Seat
	var addresses []string
	for i := range 4 {
		home := filepath.Join(dir, fmt.Sprint("member", i))
		if i == 3 {
			home = filepath.Join(small, "home")
		}
		seats = append(seats, node.Seat{
			Home: node.Home(home), Name: fmt.Sprint("Member ", i), Address: member(i), API: fmt.Sprintf("127.0.0.1:%d", api+i), P2P: fmt.Sprintf("127.0.0.1:%d", p2p+i),
		})
		addresses = append(addresses, "http://"+seats[i].API)
	}
	if _, err := node.CreateNetwork("full", seats, fund(member(0))); err != nil {
		t.Fatal(err)
	}
	members := make([]*process, 4)
	start := func(i int) {
		members[i] = (&loner{home: string(seats[i].Home)}).start(t)
		if !members[i].up(t) {
			t.Fatalf("member %d: %s", i, members[i].out)
		}
	}
	for i := range members {
		start(i)
		t.Cleanup(func() { members[i].kill() })
	}
	others, err := client.Dial(client.Config{Addresses: addresses[:3]})
	if err != nil {
		t.Fatal(err)
	}
	payAll(t, others)
	for _, left := range []int64{900 << 10, 300 << 10, 60 << 10, 4 << 10} {
		ballast := fillDisk(t, small, left)
		eventually(t, 60*time.Second, func() bool {
			payAll(t, others)
			select {
			case <-members[3].exited:
				return true
			default:
				return false
			}
		}, "the member with %d bytes left goes on: %s", left, members[3].out)
		said := members[3].out.String()
		if !strings.Contains(said, "dure: ") || !strings.Contains(said, "disk is full") || !strings.Contains(said, "start again") {
			t.Errorf("with %d bytes left the node said: %s", left, said)
		}
		if strings.Contains(said, "goroutine ") {
			t.Errorf("with %d bytes left a stack trace: %s", left, said)
		}
		payAll(t, others)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		start(3)
		agree(t, addresses)
	}
}

// fillDisk writes a file that leaves so many bytes free. Those who run on the disk go on writing meanwhile.
func fillDisk(t *testing.T, dir string, left int64) string {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		var stat syscall.Statfs_t
		if err := syscall.Statfs(dir, &stat); err != nil {
			t.Fatal(err)
		}
		size := int64(stat.Bavail)*stat.Bsize - left
		if size <= 0 {
			return f.Name()
		}
		if err = syscall.Fallocate(int(f.Fd()), 0, 0, size); err == nil {
			return f.Name()
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// payAll makes a payment of each person, at once.
func payAll(t *testing.T, c *client.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	network, err := c.Network(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var txs []*client.Signed
	for i := range people {
		for range 10 {
			s, err := client.NewTransaction(network).Transfer(person(i).Key().Address(), person((i+1)%people).Key().Address(), "krw", "1").Sign(time.Now(), person(i))
			if err != nil {
				t.Fatal(err)
			}
			txs = append(txs, s)
		}
	}
	for _, r := range c.SubmitMany(ctx, txs) {
		if r.Err != nil || client.Check(r.Outcome) != nil {
			t.Fatal(r.Outcome, r.Err)
		}
	}
}

// agree waits until all have one height and state.
func agree(t *testing.T, addresses []string) {
	t.Helper()
	eventually(t, time.Minute, func() bool {
		seen := map[string]bool{}
		for _, address := range addresses {
			c, err := client.Dial(client.Config{Addresses: []string{address}})
			if err != nil {
				t.Fatal(err)
			}
			s, err := c.Status(t.Context())
			seen[fmt.Sprint(s.GetHeight(), s.GetStateRoot(), s.GetHistoryRoot(), err)] = true
		}
		return len(seen) == 1
	}, "the members do not agree")
}
