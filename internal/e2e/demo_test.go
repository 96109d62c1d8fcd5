//go:build e2e

package e2e

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var pictures = flag.Bool("pictures", false, "write the pictures of docs/devices.md and docs/wallet.md anew")

// maxPicture is how large a picture of the documentation may be, in bytes.
const maxPicture = 150_000

// The story of a forged firmware plays on the network of dure up, and the operator's pages tell it before, during and after, in both languages, on a
// desk and on a phone.
func TestDemoCar(t *testing.T) {
	n := newNetwork(t)
	n.mqtt = freeRange(t)
	n.up()
	dir, shots := t.TempDir(), t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "story.mjs"} {
		content, err := os.ReadFile(filepath.Join("playwright", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	for _, args := range [][]string{{"npm", "ci", "--no-audit", "--no-fund"}, {"node", "story.mjs", n.binary, shots}} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir, cmd.Env, cmd.WaitDelay = dir, n.command().Env, 10*time.Second
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	keepPictures(t, shots, "devices", "device-before", "device-during", "device-after", "feed-during", "model-during")
}

// keepPictures checks the pictures that a folder of docs/ has and, with -pictures, takes them anew.
func keepPictures(t *testing.T, shots, folder string, names ...string) {
	t.Helper()
	for _, name := range names {
		picture, err := os.ReadFile(filepath.Join(shots, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if len(picture) > maxPicture {
			t.Errorf("%s has %d bytes, more than %d", name, len(picture), maxPicture)
		}
		if *pictures {
			if err := os.WriteFile(filepath.Join("../../docs", folder, name+".png"), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Without a network the demonstration says how to get one.
func TestDemoCarAlone(t *testing.T) {
	n := newNetwork(t)
	if out, code := n.run("demo", "car"); code != 1 || !strings.Contains(out, "make up") {
		t.Errorf("without settings: exit %d, %s", code, out)
	}
	n.mqtt = freeRange(t)
	n.up()
	n.down()
	if out, code := n.run("demo", "car", "--patience", "1s"); code != 4 || !strings.Contains(out, "make up") {
		t.Errorf("without a node: exit %d, %s", code, out)
	}
}

// A story that does not happen as it is told fails: here the maker's key signs nothing, as its account is frozen.
func TestDemoCarFails(t *testing.T) {
	n := newNetwork(t)
	n.mqtt = freeRange(t)
	n.up()
	n.dure("account", "freeze", "carmaker", "--by", "broker", "--reason", "a test")
	if out, code := n.run("demo", "car"); code != 1 || !strings.Contains(out, "Scene 1, ") || strings.Contains(out, "has happened") {
		t.Errorf("exit %d, %s", code, out)
	}
}
