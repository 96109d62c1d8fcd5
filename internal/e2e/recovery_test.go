//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The commands of docs/recovery.md, as they are written there, on a demonstration network. Where the guide says that an hour passes, it does:
// by the clock of TestIdleHours. Beside them runs the watch that the guide recommends.
func TestRecoveryGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/recovery.md")
	if err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	n := newNetwork(t)
	n.binary, n.dir = movedBinary(t), filepath.Join(work, "dev")
	clock := &movedClock{file: filepath.Join(work, "shift")}
	clock.move(t, 0)
	n.env = []string{clock.env()}
	if err := os.Mkdir(filepath.Join(work, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(n.binary, filepath.Join(work, "bin", "dure")); err != nil {
		t.Fatal(err)
	}
	n.up()
	heard := n.hear(t, "alice")
	steps := regexp.MustCompile("(?s)(An hour later [^`]*)?```sh\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	want := [][]string{
		{"the sponsor alone", "3d", "No recovery waits."},
		{"2 of bob, shop", "1h"},
		{"more guardians agree", "A recovery waits.", "agreed to recover alice", "can be finished"},
		{"Ended the recovery of alice", "RECOVERY to the key", "ended by alice"},
		{"Began to recover alice", "can be finished"},
		{"now acts by the key", "acts by key"},
		{"Froze bob", "appealed against its freeze", "freeze in force", "the report of a suspected crime", "none yet"},
		{"Answered the appeal of bob", "unfrozen", "appealed: That was not my account"},
		{"is now sponsored by city"},
	}
	if len(steps) != len(want) {
		t.Fatalf("%d blocks of commands, want %d", len(steps), len(want))
	}
	for i, step := range steps {
		if step[1] != "" {
			if out := shell(t, n, work, "bin/dure account recover finish alice --by bob"); !strings.Contains(out, "account.too_early") {
				t.Errorf("an hour too early:\n%s", out)
			}
			clock.move(t, time.Hour)
		}
		out := shell(t, n, work, step[2])
		for _, text := range want[i] {
			if !strings.Contains(out, text) {
				t.Errorf("block %d does not print %q:\n%s\n%s", i+1, text, step[2], out)
			}
		}
	}
	eventually(t, 10*time.Second, func() bool {
		said := heard.String()
		return strings.Contains(said, "object: dure account recover object") && strings.Contains(said, "ended by alice") && strings.Contains(said, "recovered to the key")
	}, "the watch did not tell of the recoveries: %s", heard)
}

// hear runs dure account watch until the test ends.
func (n *network) hear(t *testing.T, account string) *output {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	heard := &output{}
	watch := exec.CommandContext(ctx, n.binary, "account", "watch", account, "--cursor", "0", "--node", n.url(0))
	watch.Env = slices.Concat(n.command().Env, n.env)
	watch.Stdout, watch.Stderr = heard, heard
	if err := watch.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = watch.Wait()
	})
	return heard
}
