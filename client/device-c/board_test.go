//go:build e2e

package devicec

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A Cortex-M4, emulated, says of every vector what this machine says. It needs qemu-system-arm and gcc-arm-none-eabi.
func TestOnACortexM4(t *testing.T) {
	c := newChecker(t)
	var requests bytes.Buffer
	var want []string
	add := func(op byte, fields ...[]byte) {
		requests.Write(request(op, fields...))
		code, rest := c.ask(op, fields...)
		if code == "" {
			code = "ok"
		}
		want = append(want, strings.TrimSpace(code+" "+rest))
	}
	for _, v := range lightVectors(t) {
		op, fields := v.fields(t, read(t, lightTestdata, v.File))
		add(op, fields...)
	}
	v, devices := readingVectors(t)
	for _, g := range v.Good {
		add('s', devices[g.Kind].signFields(devices[g.Kind].kind, g)...)
		add('m', devices[g.Kind].checkFields(unhex(t, g.Message))...)
	}
	for _, r := range v.Refused {
		add('m', devices[r.Kind].checkFields(unhex(t, r.Message))...)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "requests")
	if err := os.WriteFile(file, requests.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	emulate := exec.Command("make", "-s", "-j2", "emulate", "OUT="+folder, "REQUESTS="+file)
	emulate.Stderr = os.Stderr
	out, err := emulate.Output()
	if err != nil {
		t.Fatalf("make emulate: %v\n%s", err, out)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(got) != len(want) {
		t.Fatalf("%d answers to %d requests", len(got), len(want))
	}
	for i := range got {
		if got := strings.TrimSpace(got[i]); got != want[i] {
			t.Errorf("request %d: the board says %s, this machine %s", i, got, want[i])
		}
	}
}
