//go:build e2e

package e2e

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/client/hardware"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
)

// softToken is a PKCS#11 token in software (softhsm2), in a folder of its own.
type softToken struct{ dir, module, pinFile string }

const tokenPIN = "471147"

func newSoftToken(t *testing.T) softToken {
	t.Helper()
	s := softToken{dir: t.TempDir(), module: "/usr/lib/softhsm/libsofthsm2.so"}
	s.pinFile = filepath.Join(s.dir, "pin")
	for name, content := range map[string]string{"softhsm2.conf": "directories.tokendir = " + s.dir + "/tokens\n", "pin": tokenPIN + "\n"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(s.dir, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", filepath.Join(s.dir, "softhsm2.conf"))
	if out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "meters", "--so-pin", "000000", "--pin", tokenPIN).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s
}

func (s softToken) uri(object string) string {
	return "pkcs11:token=meters;object=" + object + "?module-path=" + s.module + "&pin-source=file:" + s.pinFile
}

func (p *tpm) uri(handle string) string {
	return "tpm:" + handle + "?device=" + filepath.Join(p.dir, "sock")
}

// The commands of docs/devices.md for keys in hardware: made in a token and in a TPM, they sign readings, evidence and the connection to the gateway.
func TestKeysInHardware(t *testing.T) {
	token, chip := newSoftToken(t), newTPM(t)
	g := newGatewayPlace(t)
	for _, c := range []struct{ name, uri, kind, in string }{
		{"meter-1", chip.uri("0x81010005"), "p256", "tpm"},
		{"meter-2", token.uri("meter-2"), "p256", "secure-element"},
		{"meter-3", token.uri("meter-3"), "ed25519", "secure-element"},
	} {
		out := g.dure("key", "new", c.name, "--in", c.uri, "--kind", c.kind)
		if !strings.Contains(out, c.uri) || strings.Contains(out, tokenPIN) {
			t.Error(out)
		}
		g.dure("account", "open", c.name, "--sponsor", "bank")
		g.dure("device", "enrol", c.name, "--model", "sedan-3", "--serial", c.name, "--firmware", "1", "--owner", "alice", "--by", "maker")
		g.dure("device", "vouch", c.name, "--in", c.in, "--by", "maker")
		g.dure("stream", "admit", "speed.ring", c.name, "--by", "alice")
		g.address[c.name] = g.key(c.name).Address

		g.dure("device", "cert", c.name, "-o", g.file(c.name))
		if _, err := os.Stat(g.file(c.name + "-key.pem")); err == nil {
			t.Error("the key was written to a file")
		}
		file := g.reading(c.name, "52.3", 1, 1)
		if out := g.dure("device", "send", file, "--gateway", fmt.Sprintf("127.0.0.1:%d", g.port), "--gateway-ca", g.file("gw.pem"), "--by", c.name); !strings.Contains(out, "is accepted") {
			t.Error(out)
		}
		if got := g.record(c.name); got != "1.1 accepted" {
			t.Errorf("%s on the ledger: %s", c.name, got)
		}
		g.dure("device", "challenge", c.name, "--by", "bank")
		if out := g.dure("device", "attest", strings.Repeat("a1", 32), "--boot", "1", "--by", c.name); !strings.Contains(out, "key_in_hardware") {
			t.Error(out)
		}
		g.dure("device", "challenge", c.name, "--by", "bank")
		g.dure("device", "attest", strings.Repeat("a1", 32), "--boot", "2", "--by", c.name, "--out", g.file(c.name+".cose"))
		if out := g.dure("device", "present", c.name, g.file(c.name+".cose"), "--by", "gateway-1"); !strings.Contains(out, "key_in_hardware") {
			t.Error(out)
		}
	}
	if out := g.dure("stream", "readings", "speed.ring"); strings.Count(out, " 52.3 ") != 3 {
		t.Error(out)
	}
	if out := g.dure("stream", "show", "speed.ring"); !strings.Contains(out, "meter-3") {
		t.Error(out)
	}
	g.refusals(token, chip)
	g.cosigns()
	g.reports(chip)
}

// refusals: what is wrong with a token or TPM is said, and no PIN with it.
func (g *gatewayPlace) refusals(token softToken, chip *tpm) {
	g.t.Helper()
	refused := func(want string, args ...string) {
		g.t.Helper()
		if out, code := g.run(args...); code == 0 || !strings.Contains(out, want) || strings.Contains(out, tokenPIN) {
			g.t.Errorf("dure %s: exit %d, %s", strings.Join(args, " "), code, out)
		}
	}
	refused("key.exists", "key", "new", "again", "--in", token.uri("meter-2"))
	refused("key.exists", "key", "new", "again", "--in", chip.uri("0x81010005"))
	refused("key.exists", "key", "add", "again", chip.uri("0x81010005"))
	refused("key.not_found", "key", "add", "again", token.uri("nobody"))
	refused("key.not_found", "key", "add", "again", chip.uri("0x81010009"))
	refused("key.unsupported", "key", "add", "again", chip.uri(attestationKey)) // signs what the TPM says alone
	refused("key.unsupported", "key", "new", "again", "--in", chip.uri("0x81010009"), "--kind", "ed25519")
	refused("key.bad_uri", "key", "add", "again", strings.Replace(token.uri("meter-2"), "pin-source=file:"+token.pinFile, "pin-value="+tokenPIN, 1))
	refused("key.in_hardware", "key", "export", "meter-1")
	refused("key.in_hardware", "key", "export", "meter-1", "--plain", "hex")
	refused("key.unreachable", "key", "add", "again", strings.Replace(token.uri("meter-2"), "meters", "other", 1))
	refused("DURE_PIN", "key", "add", "again", strings.TrimSuffix(token.uri("meter-2"), "&pin-source=file:"+token.pinFile))

	sign := []string{"device", "cert", "meter-2", "-o", g.file("unused")}
	if err := os.WriteFile(token.pinFile, []byte("1234"), 0o600); err != nil {
		g.t.Fatal(err)
	}
	refused("key.wrong_pin", sign...)
	if err := os.WriteFile(token.pinFile, []byte(tokenPIN), 0o600); err != nil {
		g.t.Fatal(err)
	}
	if err := os.Rename(token.dir+"/tokens", token.dir+"/away"); err != nil {
		g.t.Fatal(err)
	}
	refused("key.unreachable", sign...)
	if err := os.Rename(token.dir+"/away", token.dir+"/tokens"); err != nil {
		g.t.Fatal(err)
	}
	g.pinOfTPM(chip, refused)

	// Another key in the place of one that was stored.
	g.dure("key", "new", "swapped", "--in", chip.uri("0x81010007"))
	chip.run("evictcontrol", "-c", "0x81010007", "-Q")
	refused("key.not_found", "device", "cert", "swapped", "-o", g.file("unused"))
	g.dure("key", "new", "new-one", "--in", chip.uri("0x81010007"))
	refused("key.other_key", "device", "cert", "swapped", "-o", g.file("unused"))
}

// pinOfTPM: a key with a PIN, of which wrong ones lock the TPM.
func (g *gatewayPlace) pinOfTPM(chip *tpm, refused func(string, ...string)) {
	g.t.Helper()
	pin := g.file("tpm-pin")
	write := func(text string) {
		if err := os.WriteFile(pin, []byte(text), 0o600); err != nil {
			g.t.Fatal(err)
		}
	}
	write("8150")
	g.dure("key", "new", "locked", "--in", chip.uri("0x81010006")+"&pin-source=file:"+pin)
	sign := []string{"device", "cert", "locked", "-o"}
	g.dure(append(sign, g.file("locked"))...)
	write("1")
	chip.run("dictionarylockout", "-s", "-n", "2", "-t", "1000", "-l", "1000")
	for _, want := range []string{"key.wrong_pin", "key.wrong_pin", "key.pin_locked"} {
		refused(want, append(sign, g.file("unused"))...)
	}
	chip.run("dictionarylockout", "-c")
	write("8150")
	g.dure(append(sign, g.file("unlocked"))...)
}

// cosigns: a witness whose Ed25519 key is in a token; P-256 cannot.
func (g *gatewayPlace) cosigns() {
	g.t.Helper()
	genesis, file := filepath.Join(g.network.dir, "genesis.json"), g.file("c.txt")
	verifier := strings.TrimSpace(g.dure("witness", "key", "--name", "meter.example", "--key", "meter-3"))
	g.dure("checkpoint", "get", "--genesis", genesis, "-o", file)
	g.dure("checkpoint", "cosign", file, "--key", "meter-3", "--name", "meter.example", "--genesis", genesis)
	g.dure("checkpoint", "verify", file, "--genesis", genesis, "--witness", verifier)
	if out, code := g.run("checkpoint", "cosign", file, "--key", "meter-1", "--name", "meter.example", "--genesis", genesis); code == 0 || !strings.Contains(out, "Ed25519") {
		g.t.Error(out)
	}
}

// reports: the Go SDK with a key in the TPM, which is away for a while.
func (g *gatewayPlace) reports(chip *tpm) {
	g.t.Helper()
	key, err := hardware.Open(chip.uri("0x81010005"), nil)
	if err != nil {
		g.t.Fatal(err)
	}
	defer key.Close()
	signer, err := key.Signer()
	if err != nil {
		g.t.Fatal(err)
	}
	pem, err := os.ReadFile(g.file("gw.pem"))
	if err != nil {
		g.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	if err := os.Mkdir(g.file("meter"), 0o700); err != nil {
		g.t.Fatal(err)
	}
	if err := os.WriteFile(g.file("meter/starts"), []byte("2\n"), 0o600); err != nil { // as the commands above counted
		g.t.Fatal(err)
	}
	d, err := device.Open(device.Config{
		Dir: g.file("meter"), Network: g.id, Address: g.address["meter-1"], Key: key, Signer: signer,
		Gateway: net.JoinHostPort("127.0.0.1", fmt.Sprint(g.port)), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Measure: func(context.Context) (d [32]byte, _ error) {
			for i := range d {
				d[i] = 0xa1
			}
			return d, nil
		},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithCancel(g.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	report := func() error {
		_, err := d.Report("speed.ring", reading.Decimal{Mantissa: 50}, "km/h", time.Now())
		return err
	}
	sent := func() bool {
		select {
		case err := <-ended:
			g.t.Fatalf("the device stopped: %v", err)
		default:
		}
		return d.Waiting() == 0
	}
	if err := report(); err != nil {
		g.t.Fatal(err)
	}
	eventually(g.t, time.Minute, sent, "the first reading is not sent") // the connection is signed for with the key as well
	chip.off()
	if err := report(); fault.Code(err) != "key.unreachable" {
		g.t.Errorf("without its TPM: %v", err)
	}
	chip.on()
	if err := report(); err != nil {
		g.t.Fatal(err)
	}
	eventually(g.t, time.Minute, sent, "not all readings are sent")
	if got := g.record("meter-1"); got != "1.1 accepted, 3.1 accepted, 3.2 accepted" {
		g.t.Errorf("on the ledger: %s", got)
	}
	g.dure("device", "challenge", "meter-1", "--by", "bank")
	eventually(g.t, time.Minute, func() bool { d := g.network.device("meter-1"); return d.Nonce == "" && d.Level == "key_in_hardware" }, "the challenge was not answered")
	cancel()
	if err := <-ended; err != nil {
		g.t.Error(err)
	}
}

// A token whose sessions end, as when it is pulled out and plugged in, goes on; a PIN that is wrong then is tried once.
func TestTokenThatWasAway(t *testing.T) {
	token := newSoftToken(t)
	key, err := hardware.Make(token.uri("k"), accountv1.KeyKind_KEY_KIND_P256, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	library := pkcs11.New(token.module)
	defer library.Destroy()
	slots, err := library.GetSlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	var ours uint
	for _, slot := range slots {
		if info, err := library.GetTokenInfo(slot); err == nil && info.Label == "meters" {
			ours = slot
		}
	}
	sign := func() error {
		_, err := key.Sign(nil, make([]byte, 32), crypto.SHA256)
		return err
	}
	if err := sign(); err != nil {
		t.Fatal(err)
	}
	if err := library.CloseAllSessions(ours); err != nil {
		t.Fatal(err)
	}
	if err := sign(); err != nil {
		t.Errorf("after its sessions ended: %v", err)
	}
	session, err := library.OpenSession(ours, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err == nil {
		err = library.SetPIN(session, tokenPIN, "815081")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := library.CloseAllSessions(ours); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := sign(); fault.Code(err) != "key.wrong_pin" {
			t.Errorf("with another PIN: %v", err)
		}
	}
}
