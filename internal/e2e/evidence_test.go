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

// deviceShown is what the tests look at of dure --json device show.
type deviceShown struct {
	State, Level, Nonce, Hardware, Attester string
	Doubts                                  []struct{ Until, Finding string }
}

func (n *network) device(name string) (d deviceShown) {
	n.t.Helper()
	if err := json.Unmarshal([]byte(n.dure("--json", "device", "show", name)), &d); err != nil {
		n.t.Fatal(err)
	}
	return d
}

// makeCar opens the accounts of a maker, its car and a gateway, and enrols the car.
func makeCar(n *network, firmware string, more ...string) {
	n.t.Helper()
	for _, key := range []string{"maker", "car", "relay"} {
		n.dure("key", "new", key)
		n.dure("account", "open", key, "--sponsor", "bank")
	}
	n.dure("device", "model", "sedan-3", "--title", "Sedan, third series", "--by", "maker")
	n.dure(append([]string{"device", "firmware", "sedan-3", "1", firmware, "--version", "1.0.0", "--by", "maker"}, more...)...)
	n.dure("device", "enrol", "car", "--model", "sedan-3", "--serial", "KM8-0081", "--firmware", "1", "--owner", "alice", "--by", "maker")
}

func imageFile(t *testing.T, content byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "image.bin")
	if err := os.WriteFile(file, bytes.Repeat([]byte{content}, 100_000), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A car that cannot reach a node signs a token, a gateway passes it on, and the maker's word about its key makes it worth more.
func TestTokenThroughAGateway(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.up()
	image, dir := imageFile(t, 1), t.TempDir()
	makeCar(n, image)
	evidence := func(image, boot string) string {
		file := filepath.Join(dir, boot+".cose")
		n.dure("device", "challenge", "car", "--by", "bank")
		n.dure("device", "attest", image, "--boot", boot, "--by", "car", "--out", file)
		return n.dure("device", "present", "car", file, "--by", "relay")
	}
	if out := evidence(image, "1"); !strings.Contains(out, "good: firmware 1") || !strings.Contains(out, "self_reported") {
		t.Error(out)
	}
	n.dure("device", "vouch", "car", "--in", "secure-element", "--by", "maker")
	if out := evidence(image, "2"); !strings.Contains(out, "key_in_hardware") {
		t.Error(out)
	}
	if d := n.device("car"); d.Hardware != "secure_element" || d.Level != "key_in_hardware" {
		t.Errorf("%+v", d)
	}
	if out, code := n.run("device", "present", "car", filepath.Join(dir, "2.cose"), "--by", "relay"); code == 0 || !strings.Contains(out, "Nobody has asked") {
		t.Errorf("taken twice: %s", out)
	}
	if out := evidence(imageFile(t, 2), "3"); !strings.Contains(out, "SUSPENDED") {
		t.Error(out)
	}
	n.dure("device", "vouch", "car", "--in", "none", "--by", "maker")
	if d := n.device("car"); d.State != "suspended" || d.Level != "self_reported" {
		t.Errorf("%+v", d)
	}
	n.sameRoots()
}

// The commands of docs/devices.md for a TPM, with one that measures a real file: a good boot, a forged one, a repaired one, and an old quote
// shown again.
func TestMeasuredBoot(t *testing.T) {
	t.Parallel()
	chip := newTPM(t)
	n := newNetwork(t)
	n.up()
	image, forged := imageFile(t, 1), imageFile(t, 2)
	makeCar(n, image, "--pcr", "sha256:0,8", "--pcr-digest", expected(t, image))
	n.dure("device", "attester", "car", filepath.Join(chip.dir, "ak.pem"), "--by", "maker")

	evidence := func(name string) string {
		n.dure("device", "challenge", "car", "--by", "bank")
		quote, signature := chip.quote(n.device("car").Nonce, name)
		return n.dure("device", "present", "car", "--quote", quote, "--signature", signature, "--by", "relay")
	}
	chip.boot(image)
	if out := evidence("first"); !strings.Contains(out, "good: firmware 1") || !strings.Contains(out, "measured_boot") {
		t.Error(out)
	}
	chip.boot(forged)
	if out := evidence("forged"); !strings.Contains(out, "SUSPENDED") {
		t.Error(out)
	}
	if d := n.device("car"); d.State != "suspended" || len(d.Doubts) != 1 || d.Doubts[0].Finding != "unregistered" {
		t.Errorf("%+v", d)
	}
	// What runs says that all is well, and shows what was good once.
	n.dure("device", "challenge", "car", "--by", "bank")
	if out, code := n.run("device", "attest", image, "--boot", "9", "--by", "car"); code == 0 || !strings.Contains(out, "TPM") {
		t.Errorf("it reported itself: %s", out)
	}
	old := filepath.Join(chip.dir, "first")
	if out, code := n.run("device", "present", "car", "--quote", old+".msg", "--signature", old+".sig", "--by", "relay"); code == 0 || !strings.Contains(out, "another challenge") {
		t.Errorf("an old quote was taken: %s", out)
	}
	if _, code := n.run("device", "rely", "car"); code != 3 {
		t.Error("relied on")
	}
	chip.boot(image)
	if out := evidence("repaired"); !strings.Contains(out, "readmitted") {
		t.Error(out)
	}
	if d := n.device("car"); d.State != "active" || d.Level != "measured_boot" || d.Doubts[0].Until == "" {
		t.Errorf("%+v", d)
	}
	n.sameRoots()
}
