//go:build e2e

package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/internal/torture"
)

// Bounded runs of what `make torture` does for as long as it is told. The members of the first are joined by proxies,
// those of the second by network namespaces.
func TestTorture(t *testing.T) {
	for _, c := range []struct {
		name string
		torture.Config
	}{
		{"killed, frozen, badly joined", torture.Config{
			Rounds: 5, Kinds: []torture.Kind{torture.KillAgain, torture.Freeze, torture.Bad, torture.Kill}, Seed: 4}},
		{"parted", torture.Config{Rounds: 3, Kinds: []torture.Kind{torture.Cut, torture.Bad}, Seed: 1, Namespaces: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.Namespaces && os.Geteuid() != 0 {
				t.Fatal("network namespaces need root")
			}
			c.Dir, c.Binary, c.Rate, c.Recovery = t.TempDir(), binary, 200, 10*time.Second
			c.Progress = func(r torture.Round) { t.Log(r) }
			r, err := torture.Run(t.Context(), c.Config)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range r.Violations() {
				t.Error(v)
			}
		})
	}
}

// A member whose clock is an hour ahead, or behind, says so in its log and sends clients elsewhere; the others go on.
func TestWrongClock(t *testing.T) {
	clock := &movedClock{file: filepath.Join(t.TempDir(), "shift")}
	clock.move(t, 0)
	people := []torture.Holder{{Signer: torture.MemberSigner(100), Amount: 1_000_000}, {Signer: torture.MemberSigner(101), Amount: 1}}
	net, err := torture.New(torture.Setup{Dir: t.TempDir(), Binary: movedBinary(t), Env: map[int][]string{3: {clock.env()}}, Accounts: people})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := net.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := net.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	payWithin := func(limit time.Duration, members ...int) error {
		c := net.Client(members...)
		name, err := c.Network(t.Context())
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		s, err := client.NewTransaction(name).Transfer(people[0].Address(), people[1].Address(), torture.Asset, "1").Sign(time.Now(), people[0].Signer)
		if err != nil {
			return err
		}
		o, err := c.Submit(ctx, s)
		return errors.Join(err, client.Check(o))
	}
	pay := func(members ...int) error { return payWithin(20*time.Second, members...) }
	mustPay := func(members ...int) {
		t.Helper()
		if err := pay(members...); err != nil {
			t.Fatal(err)
		}
	}
	mustPay(3)
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		before := strings.Count(net.Log(3), "clock differs")
		clock.move(t, off)
		eventually(t, time.Minute, func() bool {
			mustPay(0, 1, 2)
			return strings.Count(net.Log(3), "clock differs") > before
		}, "the member with its clock off by %v does not say so:\n%s", off, net.Log(3))
		// A client goes on asking until its time is over. If that ends in the middle of a call, it cannot know what became of that one.
		var refusal *client.Refusal
		eventually(t, time.Minute, func() bool { return errors.As(payWithin(2*time.Second, 3), &refusal) }, "the member with its clock off by %v takes payments", off)
		if refusal.Code != "node.wrong_clock" {
			t.Errorf("%v: %v", off, refusal)
		}
		mustPay(3, 0)
		clock.move(t, 0)
		eventually(t, time.Minute, func() bool {
			mustPay(0, 1, 2)
			return pay(3) == nil
		}, "the member is not asked again after its clock was set right")
	}
	for i := range 3 {
		if log := net.Log(i); strings.Contains(log, "clock differs") {
			t.Errorf("member %d takes its clock for wrong:\n%s", i, log)
		}
	}
}
