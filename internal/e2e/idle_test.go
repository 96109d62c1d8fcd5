//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// After an idle hour a payment is committed within a second, and there were no blocks in between. The hour passes by a
// build of dure whose time.Now is ahead by as much as a file says.
func TestIdleHour(t *testing.T) {
	n := newNetwork(t)
	n.binary = filepath.Join(t.TempDir(), "dure")
	shift := filepath.Join(t.TempDir(), "shift")
	moveClock(t, shift, 0)
	if err := build(n.binary, "-overlay", clockOverlay(t, shift)); err != nil {
		t.Fatal(err)
	}
	n.up()
	n.pay("1")
	var before status
	since := time.Now()
	eventually(t, time.Minute, func() bool { // the blocks that sign the payment have come
		if s := n.status(); s != before {
			before, since = s, time.Now()
		}
		return time.Since(since) > 2*time.Second
	}, "blocks keep coming")

	for hours := 1; hours <= 8; hours += 7 { // an hour, then the rest of a night
		moveClock(t, shift, time.Duration(hours)*time.Hour)
		began := time.Now()
		id := n.pay("1")
		took := time.Since(began)
		t.Logf("%d h idle: committed in %v", hours, took.Round(time.Millisecond))
		if took > time.Second {
			t.Errorf("after %d idle hours a payment took %v", hours, took)
		}
		n.newTimes(id, before.Height, time.Duration(hours)*time.Hour)
		eventually(t, time.Minute, func() bool {
			if s := n.status(); s != before {
				before, since = s, time.Now()
			}
			return time.Since(since) > 2*time.Second
		}, "blocks keep coming")
	}
}

// newTimes checks that the payment is in one of the next few blocks and has the moved clock's time.
func (n *network) newTimes(id string, idle int64, moved time.Duration) {
	n.t.Helper()
	var answer struct {
		Transaction struct {
			Outcome struct {
				Height string
				Time   time.Time
			}
		}
	}
	post(n.t, n.url(1)+"/dure.api.v1.LedgerService/GetTransaction", fmt.Sprintf(`{"id":%q}`, id), &answer)
	var height int64
	if err := json.Unmarshal([]byte(answer.Transaction.Outcome.Height), &height); err != nil {
		n.t.Fatal(err)
	}
	if height > idle+3 {
		n.t.Errorf("idle at %d, paid at %d: blocks in between", idle, height)
	}
	if at := answer.Transaction.Outcome.Time; time.Until(at) < moved-time.Minute {
		n.t.Errorf("the block's time %v is not the moved clock's", at)
	}
}

func moveClock(t *testing.T, file string, by time.Duration) {
	t.Helper()
	if err := os.WriteFile(file+".new", []byte(fmt.Sprint(int64(by/time.Second))), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * clockPoll) // until the running members have read it
}

// clockPoll is how often the moved clock's file is read.
const clockPoll = 20 * time.Millisecond

// clockOverlay writes a build overlay: package time with a shift, and a file of dure that keeps it up to date.
func clockOverlay(t *testing.T, shift string) string {
	t.Helper()
	dir := t.TempDir()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	std := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	source, err := os.ReadFile(std)
	if err != nil {
		t.Fatal(err)
	}
	const reading = "sec, nsec, mono := runtimeNow()"
	if strings.Count(string(source), reading) != 1 {
		t.Fatalf("package time reads its clock in another way now; adapt this test to %s", std)
	}
	changed := strings.Replace(string(source), reading, reading+"\n\tsec += Shift", 1) +
		"\n// Shift is how many seconds Now is ahead.\nvar Shift int64\n"
	poller := fmt.Sprintf(`package main

import (
	"os"
	"strconv"
	"time"
)

func init() {
	read := func() {
		if raw, err := os.ReadFile(%q); err == nil {
			if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
				time.Shift = n
			}
		}
	}
	read()
	go func() {
		for {
			time.Sleep(%d)
			read()
		}
	}()
}
`, shift, clockPoll)
	main, err := filepath.Abs("../../cmd/dure/moved_clock.go")
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{std: filepath.Join(dir, "time.go"), main: filepath.Join(dir, "moved_clock.go")}
	raw, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	for name, content := range map[string]string{replace[std]: changed, replace[main]: poller, overlay: string(raw)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return overlay
}
