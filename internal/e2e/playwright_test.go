//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// playwright runs a script of the folder playwright, with the packages of its lock file, for a user of the network, and returns what it prints.
func playwright(t *testing.T, n *network, script string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("playwright")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	out := ""
	for _, command := range [][]string{{"npm", "ci", "--no-audit", "--no-fund"}, append([]string{"node", script}, args...)} {
		cmd := exec.CommandContext(ctx, command[0], command[1:]...)
		cmd.Dir, cmd.Env, cmd.WaitDelay = dir, n.command().Env, 10*time.Second
		raw, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, raw)
		}
		out = string(raw)
	}
	return out
}

// savePictures looks at the pictures that a script took, and puts them into the documentation if that is asked for.
func savePictures(t *testing.T, shots, docs string, names ...string) {
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
			if err := os.WriteFile(filepath.Join(docs, name+".png"), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
