//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The TypeScript SDK pays, watches and verifies on the network of dure up, and a person does in the wallet that its nodes serve, with a passkey in a
// real browser. Where people have time to object, it passes by the clock of TestIdleHours. The last
// member's node answers by account.
func TestWallet(t *testing.T) {
	n := newNetwork(t)
	n.binary = movedBinary(t)
	clock := &movedClock{file: filepath.Join(t.TempDir(), "shift")}
	clock.move(t, 0)
	n.env = []string{clock.env()}
	members := n.members()
	members[3].args = []string{"--api-access", "consortium"}
	for _, m := range members {
		m.start()
	}
	for _, m := range members {
		m.ready()
	}
	shots := t.TempDir()
	origins := make([]string, 4)
	for i := range origins {
		origins[i] = fmt.Sprintf("http://localhost:%d", n.api+i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	calls := [][]string{{"npm", "run", "e2e"}}
	if _, err := os.Stat("../../web/node_modules"); err != nil {
		calls = append([][]string{{"npm", "ci", "--no-audit", "--no-fund"}}, calls...)
	}
	for _, args := range calls {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir, cmd.WaitDelay = "../../web", 10*time.Second
		cmd.Env = slices.Concat(n.command().Env, n.env, []string{"DURE_BINARY=" + n.binary, "DURE_NODES=" + strings.Join(origins, ","), "DURE_PICTURES=" + shots})
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	savePictures(t, shots, "../../docs/wallet", "start", "waiting", "home", "receive", "pay", "confirm", "payment", "refused", "settings-en", "credential", "credential-show",
		"keys", "key-add", "proposal-approve", "guardians", "outside", "help", "recovery")
}
