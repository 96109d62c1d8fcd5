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

// The commands of docs/devices.md for a reading over MQTT, as they are written there but for the address and the port: PUBACK, and the reading is found.
func TestReadingOfTheGuide(t *testing.T) {
	t.Parallel()
	g := newGatewayPlace(t)
	guide, err := os.ReadFile("../../docs/devices.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(guide), "    dure device cert car-81 -o car-81\n")
	commands, _, ends := strings.Cut(rest, "\n\n")
	if !ok || !ends || !strings.Contains(commands, "mosquitto_pub -V 5 ") {
		t.Fatal("docs/devices.md has no commands for a reading over MQTT")
	}
	work := t.TempDir()
	pem, err := os.ReadFile(g.file("gw.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "gw.pem"), pem, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(g.binary, filepath.Join(work, "dure")); err != nil {
		t.Fatal(err)
	}
	script := strings.NewReplacer("0x…", g.address["car-81"].String(), "8883", fmt.Sprint(g.port)).Replace("set -e\ndure device cert car-81 -o car-81\n" + commands)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	sh := exec.CommandContext(ctx, "sh", "-c", script)
	sh.Dir, sh.Env = work, slices.Concat(g.command().Env, []string{"PATH=" + work + ":" + os.Getenv("PATH")})
	out, err := sh.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	_, after, _ := strings.Cut(string(out), "PUBACK (Mid: 1, RC:0)")
	if !strings.Contains(after, "52.3") { // by dure stream show
		t.Errorf("%s\n%s", script, out)
	}
	if got := g.record("car-81"); got != "4.17 accepted" {
		t.Errorf("on the ledger: %s", got)
	}
}
