//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A person makes an account in a browser on the network of dure up, signs in at its shop by a member's provider, and at the services that
// docs/integrate-sign-in.md makes by the provider of a member that joined the running network: with nothing that the others do after their vote. They withdraw,
// and erase. Consents and services are on the ledger; nothing personal is in any file of the network, at any member, at the end.
func TestSignIn(t *testing.T) {
	n := newNetwork(t)
	n.binary = movedBinary(t)
	clock := &movedClock{file: filepath.Join(t.TempDir(), "shift")}
	clock.move(t, 0)
	n.env = []string{clock.env()}
	n.signin = freeRange(t)
	n.up()
	n.joined()
	env, script := n.guide()
	shots := t.TempDir()
	begin := time.Now()
	for _, pair := range env {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	out := playwright(t, n, "signin.mjs", fmt.Sprint(n.signin), n.localhost(guidePort), n.localhost(guidePortJS), script, shots)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var measured struct {
		Account string `json:"account"`
		P50     int    `json:"p50_ms"`
		P95     int    `json:"p95_ms"`
		Ledger  struct {
			P50 int `json:"p50_ms"`
			P95 int `json:"p95_ms"`
		} `json:"ledger"`
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &measured); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	t.Logf("from the click to the signed-in page: %d ms, 95 %% within %d ms; at a service on the ledger %d ms, %d ms; all took %s",
		measured.P50, measured.P95, measured.Ledger.P50, measured.Ledger.P95, time.Since(begin).Round(time.Second))
	if shown := n.dure("account", "show", measured.Account); !strings.Contains(shown, "webauthn") {
		t.Errorf("the account on the ledger:\n%s", shown)
	}
	// The document that the person kept says what they agreed to, and the ledger that they withdrew it since.
	document := filepath.Join(shots, "consent.json")
	if out, code := n.run("signin", "consent", document, "--by", "bank"); code != 3 || !strings.Contains(out, "WITHDRAWN") || !strings.Contains(out, "profile") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	if out, code := n.run("signin", "consent", document, "--by", "city"); code != 3 || !strings.Contains(out, "UNKNOWN") {
		t.Errorf("of another member: exit %d:\n%s", code, out)
	}
	// The service in Go is signed out by nobody but the provider. What the member that admitted it takes away is refused at the provider of another.
	if status := statusOf(t, func() (*http.Response, error) {
		return http.PostForm(n.localhost(guidePort)+"/backchannel", url.Values{"logout_token": {"e30.e30.forged"}})
	}); status != http.StatusBadRequest {
		t.Errorf("a forged logout token: %d", status)
	}
	ask := func() int {
		return statusOf(t, func() (*http.Response, error) { return http.Get(n.localhost(guidePort) + "/login") })
	}
	if status := ask(); status != http.StatusOK {
		t.Errorf("signing in at the service: %d", status)
	}
	n.dure("org", "service", "remove", "clinic", "--reason", "ended", "--by", "city")
	// The node of the other member's provider may have the block a little later.
	eventually(t, 10*time.Second, func() bool { return ask() == http.StatusBadRequest }, "people can still sign in at a service that was removed")
	savePictures(t, shots, "../../docs/sign-in", "sign-in", "passkey", "consent", "service", "me")
	n.severalKeys(clock) // the last: it moves the clock
	n.down()
	says(t, n.dir, "홍길동", "1012345678", "1234-5678", "110123456789")
	says(t, n.dir, "성춘향", "1023456789", "2345-6789", "220987654321")
}

// statusOf is the status of an answer.
func statusOf(t *testing.T, ask func() (*http.Response, error)) int {
	t.Helper()
	resp, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// Ports after those of dure up: of the guide's two services, and of the provider of the member that joins.
const (
	guidePort = 5 + iota
	guidePortJS
	joinedPort
)

func (n *network) localhost(port int) string {
	return fmt.Sprintf("http://localhost:%d", n.signin+port)
}

// joined is a member that joins as docs/operate.md says, and runs a provider. After the vote the others do nothing for it.
func (n *network) joined() {
	n.t.Helper()
	api, p2p := freeRange(n.t), freeRange(n.t)
	node := fmt.Sprintf("http://127.0.0.1:%d", api)
	l := &lone{network: n, home: filepath.Join(n.t.TempDir(), "home")}
	n.dure("key", "new", "harbour")
	n.dure("join", "--genesis", filepath.Join(n.dir, "genesis.json"), "--name", "Harbour", "--member", "harbour", "--home", l.home,
		"--api-listen", strings.TrimPrefix(node, "http://"), "--p2p-listen", fmt.Sprintf("127.0.0.1:%d", p2p))
	proposal := regexp.MustCompile(`proposal\s+(\d+)`).FindStringSubmatch(n.dure("network", "propose", "--by", "bank", "--add-member", filepath.Join(l.home, "member.json")))
	if proposal == nil {
		n.t.Fatal("no proposal")
	}
	for _, voter := range []string{"broker", "city"} {
		n.dure("network", "vote", proposal[1], "--by", voter)
	}
	l.start()
	eventually(n.t, time.Minute, func() bool {
		s, err := statusAt(node)
		return err == nil && s == n.statusOf(0)
	}, "the member that joined does not catch up: %s", l.out)

	settings := filepath.Join(n.t.TempDir(), "harbour.json")
	if err := os.WriteFile(settings, fmt.Appendf(nil, `{"name": "두레항만 Dure Harbour", "issuer": %q, "operator": {"url": "http://127.0.0.1:%d"}, "bank": {"url": "http://127.0.0.1:%d"}, "services": []}`,
		n.localhost(joinedPort), n.signin+2, n.signin+3), 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.background(n.localhost(joinedPort)+"/healthz", n.command("signin", "serve", "--node", node, "--settings", settings, "--dir", filepath.Join(n.dir, "signin", "harbour"), "--as", "harbour",
		"--listen", fmt.Sprintf("127.0.0.1:%d", n.signin+joinedPort)))
}

// background runs a command until the test ends, and waits until it answers at an address.
func (n *network) background(address string, cmd *exec.Cmd) {
	n.t.Helper()
	log := &output{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		if n.t.Failed() {
			n.t.Log(log)
		}
	})
	eventually(n.t, 20*time.Second, func() bool {
		resp, err := http.Get(address)
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	}, "%s did not start: %s", address, log)
}

// guide follows docs/integrate-sign-in.md: the service is on the ledger, and the one in Go answers. It returns the environment and the file of the one in
// JavaScript.
func (n *network) guide() (env []string, script string) {
	n.t.Helper()
	raw, err := os.ReadFile("../../docs/integrate-sign-in.md")
	if err != nil {
		n.t.Fatal(err)
	}
	text := string(raw)
	for from, to := range map[int]int{9000: guidePort, 9001: guidePortJS} {
		text = strings.NewReplacer(fmt.Sprintf("localhost:%d", from), strings.TrimPrefix(n.localhost(to), "http://"), fmt.Sprintf("127.0.0.1:%d", from), fmt.Sprintf("127.0.0.1:%d", n.signin+to),
			fmt.Sprintf("listen(%d", from), fmt.Sprintf("listen(%d", n.signin+to)).Replace(text)
	}
	blocks := shellBlock.FindAllStringSubmatch(text, 2)
	program, js := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(text), regexp.MustCompile("(?s)```js\n(.*?)```").FindStringSubmatch(text)
	if len(blocks) != 2 || program == nil || js == nil {
		n.t.Fatal("the guide has not two blocks of commands, a program in Go and one in JavaScript")
	}
	dir := n.t.TempDir()
	sh := exec.Command("sh", "-ec", blocks[0][1]+blocks[1][1])
	sh.Dir, sh.Env = dir, slices.Concat(n.command().Env, []string{"PATH=" + filepath.Dir(n.binary) + ":" + os.Getenv("PATH")})
	out, err := sh.CombinedOutput()
	client := regexp.MustCompile(`client id\s+(0x[0-9a-fA-F]{40})`).FindSubmatch(out)
	if err != nil || client == nil {
		n.t.Fatalf("%v:\n%s", err, out)
	}
	source, built, script := filepath.Join(dir, "main.go"), filepath.Join(dir, "clinic"), filepath.Join(dir, "clinic.mjs")
	for path, content := range map[string]string{source: program[1], script: js[1]} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			n.t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-o", built, source)
	build.Dir = "../.." // its libraries are in this module
	if out, err := build.CombinedOutput(); err != nil {
		n.t.Fatalf("%v:\n%s", err, out)
	}
	env = []string{"ISSUER=" + n.localhost(joinedPort), "CLIENT=" + string(client[1]), "KEY=" + filepath.Join(dir, "clinic.pem")}
	cmd := exec.Command(built)
	cmd.Env = append(os.Environ(), env...)
	n.background(n.localhost(guidePort)+"/", cmd)
	return env, script
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
