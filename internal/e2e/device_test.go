//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The commands of docs/devices.md: a maker registers what its cars may run, a car's firmware is forged, every member has
// suspended it in the block of its evidence, and after a repair it is readmitted. Every step has a receipt.
func TestForgedFirmware(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.up()
	images := t.TempDir()
	image := func(name string, content byte) string {
		file := filepath.Join(images, name)
		if err := os.WriteFile(file, bytes.Repeat([]byte{content}, 100_000), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	first, second, forged := image("1.bin", 1), image("2.bin", 2), image("forged.bin", 3)
	for _, key := range []string{"maker", "car"} {
		n.dure("key", "new", key)
		n.dure("account", "open", key, "--sponsor", "bank")
	}
	n.dure("device", "model", "sedan-3", "--title", "Sedan, third series", "--by", "maker")
	n.dure("device", "firmware", "sedan-3", "1", first, "--version", "1.0.0", "--by", "maker")
	n.dure("device", "firmware", "sedan-3", "2", second, "--version", "1.1.0", "--follows", "1", "--by", "maker")
	n.dure("device", "enrol", "car", "--model", "sedan-3", "--serial", "KM8-0081", "--firmware", "1", "--owner", "alice", "--by", "maker")
	if out := n.dure("device", "rely", "car"); !strings.Contains(out, "none had been given") {
		t.Error(out)
	}

	evidence := func(file, boot string) string {
		n.dure("device", "challenge", "car", "--by", "bank")
		return n.dure("device", "attest", file, "--boot", boot, "--by", "car")
	}
	if out := evidence(first, "1"); !strings.Contains(out, "good: firmware 1") {
		t.Error(out)
	}
	if out := evidence(second, "2"); !strings.Contains(out, "good: firmware 2") {
		t.Error(out)
	}
	n.dure("device", "fault", "sedan-3", "2", "CVE-2026-12345", "--text", "the radio accepts unsigned stations", "--by", "maker")
	for _, command := range []string{"show", "rely"} {
		if out := n.dure("device", command, "car"); !strings.Contains(out, "CVE-2026-12345, not mended yet") {
			t.Errorf("%s says nothing of the known fault: %s", command, out)
		}
	}
	out := evidence(forged, "3")
	if !strings.Contains(out, "SUSPENDED") {
		t.Error(out)
	}
	var car struct {
		Device string
		State  string
		Doubts []struct{ After, Until, Transaction string }
	}
	if err := json.Unmarshal([]byte(n.dure("--json", "device", "show", "car")), &car); err != nil {
		t.Fatal(err)
	}
	n.sameRoots()
	for member := range 4 {
		var answer struct{ Device struct{ State string } }
		post(t, n.url(member)+"/dure.api.v1.DeviceService/GetDevice", `{"device":"`+car.Device+`"}`, &answer)
		if answer.Device.State != "suspended" {
			t.Errorf("member %d: %s", member, answer.Device.State)
		}
	}
	if out, code := n.run("device", "rely", "car"); code != 3 || !strings.Contains(out, "DO NOT RELY") {
		t.Errorf("exit %d: %s", code, out)
	}
	if out, code := n.run("device", "readmit", "car", "--reason", "looks fine", "--by", "alice"); code == 0 {
		t.Errorf("its owner readmitted it: %s", out)
	}
	receipt := filepath.Join(images, "evidence.dure")
	n.dure("receipt", "get", car.Doubts[0].Transaction, "-o", receipt)
	if out := n.dure("receipt", "verify", receipt, "--genesis", filepath.Join(n.dir, "genesis.json")); !strings.Contains(out, "outcome      ok") {
		t.Error(out)
	}

	if out := evidence(second, "4"); !strings.Contains(out, "readmitted") {
		t.Error(out)
	}
	if _, code := n.run("device", "rely", "car"); code != 0 {
		t.Error("not relied on after its repair")
	}
	if out, code := n.run("device", "rely", "car", "--at", inDoubt(t, n)); code != 3 {
		t.Errorf("what it said while forged is relied on: %s", out)
	}
}

// inDoubt is a time within the car's doubt.
func inDoubt(t *testing.T, n *network) string {
	t.Helper()
	var car struct {
		Doubts []struct{ Since, Until string }
	}
	if err := json.Unmarshal([]byte(n.dure("--json", "device", "show", "car")), &car); err != nil {
		t.Fatal(err)
	}
	if len(car.Doubts) != 1 || car.Doubts[0].Until <= car.Doubts[0].Since {
		t.Fatalf("doubts %+v", car.Doubts)
	}
	return car.Doubts[0].Since
}
