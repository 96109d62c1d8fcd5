package devicec

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The example of README.md is a file that compiles, and does what it says.
func TestExample(t *testing.T) {
	example := string(read(t, "example", "meter.c"))
	if !strings.Contains(string(read(t, ".", "README.md")), "```c\n"+example+"```") {
		t.Error("README.md does not have example/meter.c as it is")
	}
	meter := filepath.Join(filepath.Dir(os.Getenv(checkerPath)), "meter")
	for receipt, want := range map[string]string{
		"receipt.dure":         "ok, 128 bytes, settled\n",
		"receipt-refused.dure": "ok, 128 bytes, not settled\n", // a good receipt, of a refusal
		"vectors.json":         "ok, 128 bytes, not settled\n",
	} {
		out, err := exec.Command(meter, filepath.Join(lightTestdata, "checkpoint-cosigned.txt"), filepath.Join(lightTestdata, receipt)).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%s: %q %v, want %q", receipt, out, err, want)
		}
	}
}

// Built without P-256, everything else works, and keys and signatures of that kind are refused.
func TestWithoutP256(t *testing.T) {
	folder := t.TempDir()
	if out, err := exec.Command("make", "-s", "-j2", filepath.Join(folder, "check"), "OUT="+folder, "DURE_P256=0", "CFLAGS=-O0").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv(checkerPath, filepath.Join(folder, "check"))
	c := newChecker(t)
	v, devices := readingVectors(t)
	for _, g := range v.Good {
		d, key, signature := devices[g.Kind], "", ""
		if g.Kind == "p256" {
			key, signature = "reading.bad_key", "reading.bad_signature"
		}
		if code, _ := c.ask('s', d.signFields(d.kind, g)...); code != key {
			t.Errorf("%s: signing: code %q, want %q", g.Name, code, key)
		}
		if code, _ := d.check(c, unhex(t, g.Message)); code != signature {
			t.Errorf("%s: checking: code %q, want %q", g.Name, code, signature)
		}
	}
}
