//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shellBlock is a block of commands in Markdown.
var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// A user's first minute: the commands of the README do what it says, as they are written there.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	checkTargets(t, string(readme))
	_, tries, ok := strings.Cut(string(readme), "## Four things to try")
	if !ok {
		t.Fatal("the README has no four things to try")
	}
	n, work := readmeNetwork(t, readme)
	id := ""
	for i, want := range [][]string{
		{"Transferred 12,500 krw from alice", "512,500 krw"},
		{"Recorded README.md by alice", "ORIGINAL: README.md", "ALTERED: README.md"},
		{"outcome      ok", "the genesis keys of 4 validators"},
		{"52.5 km/h for city.speed", "52.5   accepted"},
	} {
		blocks := shellBlock.FindAllStringSubmatch(tries, -1)
		if len(blocks) != 4 {
			t.Fatalf("%d blocks of commands, want 4", len(blocks))
		}
		out := shell(t, n, work, strings.NewReplacer("TRANSACTION", id, "8883", fmt.Sprint(n.mqtt)).Replace(blocks[i][1]))
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("block %d does not print %q:\n%s", i+1, text, out)
			}
		}
		if id == "" {
			id = regexp.MustCompile(`[0-9a-f]{64}`).FindString(out)
		}
	}
}

// readmeNetwork starts a network in a folder that looks like the repository to the README's commands.
func readmeNetwork(t *testing.T, readme []byte) (n *network, work string) {
	t.Helper()
	n, work = newNetwork(t), t.TempDir()
	n.dir, n.mqtt = filepath.Join(work, "dev"), freeRange(t)
	if err := os.WriteFile(filepath.Join(work, "README.md"), readme, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(work, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(n.binary, filepath.Join(work, "bin", "dure")); err != nil {
		t.Fatal(err)
	}
	n.up()
	return n, work
}

// shell runs commands in work, one after the other whatever they return: record check returns 3 for an altered file.
func shell(t *testing.T, n *network, work, commands string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(commands, "/tmp/", t.TempDir()+"/"))
	cmd.Dir, cmd.Env = work, append(os.Environ(), n.env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("%s\nended with %v", commands, err)
	}
	return string(out)
}

// checkTargets looks for every make target that the README names.
func checkTargets(t *testing.T, readme string) {
	t.Helper()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)(?:^|`+"`"+`)make ([a-z0-9-]+)`).FindAllStringSubmatch(readme, -1) {
		if !strings.Contains(string(makefile), "\n"+m[1]+":") {
			t.Errorf("the README says make %s, which is no target", m[1])
		}
	}
}
