//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority makes certificates with openssl, as an operator would.
type authority struct {
	t   *testing.T
	dir string
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=Authority of "+t.Name(),
		"-keyout", a.file("ca.key"), "-out", a.file("ca.pem"))
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

func (a *authority) openssl(args ...string) {
	a.t.Helper()
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		a.t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// issue makes name.pem and name.key for the given days and subject alternative names.
func (a *authority) issue(name string, days int, names string) {
	a.t.Helper()
	key, csr, ext := a.file(name+".key.new"), a.file(name+".csr"), a.file(name+".ext")
	if err := os.WriteFile(ext, []byte("subjectAltName="+names+"\n"), 0o600); err != nil {
		a.t.Fatal(err)
	}
	a.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN="+name, "-keyout", key, "-out", csr)
	a.openssl("x509", "-req", "-in", csr, "-CA", a.file("ca.pem"), "-CAkey", a.file("ca.key"), "-CAcreateserial", "-days", fmt.Sprint(days),
		"-extfile", ext, "-out", a.file(name+".pem.new"))
	for _, f := range []string{".key", ".pem"} {
		if err := os.Rename(a.file(name+f+".new"), a.file(name+f)); err != nil {
			a.t.Fatal(err)
		}
	}
}

// Clients that are not ours talk TLS 1.3 to a node with a certificate of openssl's, and nothing older; the certificate is
// renewed without a restart; what is wrong with a certificate is said in words; a node may want its clients' too.
func TestTLS(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	m := n.members()[0]
	a := newAuthority(t)
	a.issue("node", 10, "IP:127.0.0.1")
	a.issue("teller", 10, "DNS:teller.example")
	port := n.api
	m.args = []string{"--api-tls-cert", a.file("node.pem"), "--api-tls-key", a.file("node.key")}
	url := fmt.Sprintf("https://127.0.0.1:%d", port)
	ca := a.file("ca.pem")
	curl := func(args ...string) (string, bool) {
		out, err := exec.Command("curl", append([]string{"-sS", "--max-time", "10", url + "/healthz"}, args...)...).CombinedOutput()
		return string(out), err == nil
	}
	m.start()
	eventually(t, time.Minute, func() bool { _, ok := curl("--cacert", ca); return ok }, "curl gets no answer: %s", m.out)
	if out, ok := curl(); ok {
		t.Errorf("curl without the authority: %s", out)
	}
	if out, ok := curl("--cacert", ca, "--tls-max", "1.2"); ok {
		t.Errorf("curl with TLS 1.2: %s", out)
	}
	session := exec.Command("openssl", "s_client", "-connect", fmt.Sprintf("127.0.0.1:%d", port), "-CAfile", ca, "-verify_return_error")
	out, err := session.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Verify return code: 0 (ok)") || !strings.Contains(string(out), "TLSv1.3") {
		t.Errorf("openssl s_client: %v\n%s", err, out)
	}

	says := func(code int, words string, args ...string) {
		t.Helper()
		out, got := n.run(append([]string{"status", "--patience", "1s"}, args...)...)
		if got != code || !strings.Contains(out, words) {
			t.Errorf("dure status %v: exit %d, want %q in\n%s", args, got, words, out)
		}
	}
	says(0, "", "--node", url, "--ca", ca)
	says(4, "authority that this machine does not know", "--node", url)
	says(4, "is for other names than \"localhost\" (127.0.0.1)", "--node", fmt.Sprintf("https://localhost:%d", port), "--ca", ca)
	stranger := exec.Command("openssl", "s_client", "-connect", fmt.Sprintf("127.0.0.1:%d", port), "-tls1_2")
	if out, err := stranger.CombinedOutput(); err == nil {
		t.Errorf("openssl s_client with TLS 1.2:\n%s", out)
	}

	a.issue("node", -1, "IP:127.0.0.1") // renewed, badly
	eventually(t, 20*time.Second, func() bool {
		out, code := n.run("status", "--patience", "1s", "--node", url, "--ca", ca)
		return code == 4 && strings.Contains(out, "the node's certificate expired at")
	}, "an expired certificate: %s", m.out)
	a.issue("node", 10, "IP:127.0.0.1,DNS:localhost")
	eventually(t, 20*time.Second, func() bool {
		_, code := n.run("status", "--patience", "1s", "--node", fmt.Sprintf("https://localhost:%d", port), "--ca", ca)
		return code == 0
	}, "the renewed certificate is not used: %s", m.out)

	m.stop()
	m.args = append(m.args, "--api-tls-client-ca", ca)
	m.start()
	mine := []string{"--cacert", ca, "--cert", a.file("teller.pem"), "--key", a.file("teller.key")}
	eventually(t, time.Minute, func() bool { _, ok := curl(mine...); return ok }, "curl with a certificate gets no answer: %s", m.out)
	if out, ok := curl("--cacert", ca); ok {
		t.Errorf("curl without a certificate: %s", out)
	}
	says(0, "", "--node", url, "--ca", ca, "--cert", a.file("teller.pem"), "--cert-key", a.file("teller.key"))
	says(4, "wants a certificate of its clients", "--node", url, "--ca", ca)
	other := newAuthority(t)
	other.issue("teller", 10, "DNS:teller.example")
	says(4, "does not accept this client's certificate", "--node", url, "--ca", ca, "--cert", other.file("teller.pem"), "--cert-key", other.file("teller.key"))
}
