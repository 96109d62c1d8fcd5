//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A person makes an account in a browser on the network of dure up, signs in at its shop and at the service that docs/integrate-sign-in.md makes,
// by the providers of two members, withdraws and erases. Nothing personal is in any file of the network, at any member, at the end.
func TestSignIn(t *testing.T) {
	n := newNetwork(t)
	n.binary = movedBinary(t)
	clock := &movedClock{file: filepath.Join(t.TempDir(), "shift")}
	clock.move(t, 0)
	n.env = []string{clock.env()}
	n.signin = freeRange(t)
	for !free(n.signin, 5) {
		n.signin = freeRange(t)
	}
	n.up()
	n.guide()
	shots := t.TempDir()
	begin := time.Now()
	out := playwright(t, n, "signin.mjs", fmt.Sprint(n.signin), guideURL(n), shots)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var measured struct {
		Account string `json:"account"`
		P50     int    `json:"p50_ms"`
		P95     int    `json:"p95_ms"`
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &measured); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	t.Logf("from the click to the signed-in page: %d ms, 95 %% within %d ms; all took %s", measured.P50, measured.P95, time.Since(begin).Round(time.Second))
	if shown := n.dure("account", "show", measured.Account); !strings.Contains(shown, "webauthn") {
		t.Errorf("the account on the ledger:\n%s", shown)
	}
	savePictures(t, shots, "../../docs/sign-in", "sign-in", "passkey", "consent", "me")
	n.severalKeys(clock) // the last: it moves the clock
	n.down()
	says(t, n.dir, "홍길동", "1012345678", "1234-5678", "110123456789")
	says(t, n.dir, "성춘향", "1023456789", "2345-6789", "220987654321")
}

func guidePort(n *network) int     { return n.signin + 5 }
func guideURL(n *network) string   { return fmt.Sprintf("http://localhost:%d", guidePort(n)) }
func cityIssuer(n *network) string { return fmt.Sprintf("http://localhost:%d", n.signin+1) }

// guide follows docs/integrate-sign-in.md to a service that answers.
func (n *network) guide() {
	n.t.Helper()
	raw, err := os.ReadFile("../../docs/integrate-sign-in.md")
	if err != nil {
		n.t.Fatal(err)
	}
	text := strings.NewReplacer("localhost:9000", strings.TrimPrefix(guideURL(n), "http://"), "127.0.0.1:9000", fmt.Sprintf("127.0.0.1:%d", guidePort(n))).Replace(string(raw))
	command := shellBlock.FindStringSubmatch(text)
	program := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(text)
	if command == nil || program == nil {
		n.t.Fatal("the guide has no command and no program")
	}
	sh := exec.Command("sh", "-c", command[1])
	sh.Env = append(os.Environ(), "PATH="+filepath.Dir(n.binary)+":"+os.Getenv("PATH"))
	out, err := sh.Output()
	if err != nil {
		n.t.Fatalf("%v:\n%s", err, out)
	}
	entry, secret, ok := strings.Cut(string(out), "Its secret, shown this once: ")
	if !ok {
		n.t.Fatalf("no secret:\n%s", out)
	}
	n.addService(entry)
	dir := n.t.TempDir()
	source, built := filepath.Join(dir, "main.go"), filepath.Join(dir, "clinic")
	if err := os.WriteFile(source, []byte(program[1]), 0o600); err != nil {
		n.t.Fatal(err)
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", built, source)
	build.Dir = "../.." // its libraries are in this module
	if out, err := build.CombinedOutput(); err != nil {
		n.t.Fatalf("%v:\n%s", err, out)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd, log := exec.CommandContext(ctx, built), &output{}
	cmd.Env = append(os.Environ(), "ISSUER="+cityIssuer(n), "SECRET="+strings.TrimSpace(secret))
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { cancel(); _ = cmd.Wait() })
	eventually(n.t, 20*time.Second, func() bool {
		resp, err := http.Get(guideURL(n) + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	}, "the service of the guide did not start: %s", log)
}

// addService puts an entry into the settings of the city's provider and ends that, so that dure up starts it again.
func (n *network) addService(entry string) {
	n.t.Helper()
	path := filepath.Join(n.dir, "signin", "city.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		n.t.Fatal(err)
	}
	settings, one := map[string]any{}, map[string]any{}
	if err := json.Unmarshal(raw, &settings); err != nil {
		n.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(entry), &one); err != nil {
		n.t.Fatalf("%v:\n%s", err, entry)
	}
	settings["services"] = append(settings["services"].([]any), one)
	if raw, err = json.Marshal(settings); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		n.t.Fatal(err)
	}
	pid, err := exec.Command("pgrep", "-P", fmt.Sprint(n.cmd.Process.Pid), "-f", "signin serve .*city.json").Output()
	if err != nil {
		n.t.Fatal(err)
	}
	if out, err := exec.Command("kill", strings.TrimSpace(string(pid))).CombinedOutput(); err != nil {
		n.t.Fatalf("%v: %s", err, out)
	}
	eventually(n.t, 20*time.Second, func() bool {
		log, err := os.ReadFile(filepath.Join(n.dir, "signin", "city.log"))
		return err == nil && strings.Contains(string(log), "services=2")
	}, "the city's provider did not come back with the new service")
}

// says fails if a file below dir has one of the words.
func says(t *testing.T, dir string, words ...string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		raw, err := os.ReadFile(path)
		for _, w := range words {
			if bytes.Contains(raw, []byte(w)) {
				t.Errorf("%s has %s", path, w)
			}
		}
		return err
	})
	if err != nil || files < 20 {
		t.Errorf("%d files were looked at: %v", files, err)
	}
}
