//go:build e2e

package e2e

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/client/light"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// meter is a device in this process, behind a real gateway.
type meter struct {
	serial string
	key    crypto.Signer
	signer tx.Signer

	mu      sync.Mutex
	runs    [32]byte
	image   []byte // what it is served when it fetches
	install error
}

func newMeter(t *testing.T, i int) *meter {
	t.Helper()
	kind := accountv1.KeyKind_KEY_KIND_ED25519
	if i%2 == 1 {
		kind = accountv1.KeyKind_KEY_KIND_P256
	}
	secret := sha256.Sum256(fmt.Appendf(nil, "e2e meter %d", i))
	key, err := reading.Key(kind, secret[:])
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tx.NewSigner(kind, secret[:])
	if err != nil {
		t.Fatal(err)
	}
	return &meter{serial: fmt.Sprintf("GM-%02d", i), key: key, signer: signer}
}

func (m *meter) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// start connects it until stop is called.
func (m *meter) start(g *gatewayPlace, dir string, anchor *light.Anchor, roots *x509.CertPool) (stop func()) {
	g.t.Helper()
	d, err := device.Open(device.Config{
		Dir: dir, Network: g.id, Address: m.signer.Key().Address(), Key: m.key, Signer: m.signer, Gateway: fmt.Sprintf("127.0.0.1:%d", g.port),
		Log: slog.New(slog.NewTextHandler(g.t.Output(), nil)).With("serial", m.serial),
		TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, Anchor: anchor,
		Measure: func(context.Context) (runs [32]byte, err error) { m.set(func() { runs = m.runs }); return runs, nil },
		Update: &device.Update{
			Fetch: func(context.Context, client.Update) (file string, err error) {
				file = filepath.Join(dir, "image")
				m.set(func() { err = os.WriteFile(file, m.image, 0o600) })
				return file, err
			},
			Install: func(_ context.Context, u client.Update, _ string) (err error) {
				m.set(func() {
					if err = m.install; err == nil {
						m.runs = u.Digest
					}
				})
				return err
			},
		},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-ended, d.Close()); err != nil {
			g.t.Error(err)
		}
	})
}

// The devices of a list are enrolled, and get a firmware in waves. The second wave stops, as one device cannot install it, one is
// served a forged image and one is not there; when that is mended the same command goes on where it was.
func TestUpdateInWaves(t *testing.T) {
	t.Parallel()
	g := newGatewayPlace(t)
	info, err := g.client.NetworkInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := light.FromGenesis(info.GetGenesis())
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := os.ReadFile(g.file("gw.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)

	one, two := []byte("meter firmware 1"), []byte("meter firmware 2")
	writeFile(t, g.file("one.bin"), one)
	writeFile(t, g.file("two.bin"), two)
	g.dure("device", "model", "meter-2", "--title", "Gas meter, second series", "--by", "maker")
	g.dure("device", "firmware", "meter-2", "1", g.file("one.bin"), "--version", "1.0.0", "--by", "maker")
	g.dure("device", "firmware", "meter-2", "2", g.file("two.bin"), "--version", "2.0.0", "--follows", "1", "--by", "maker")

	meters := map[string]*meter{}
	list := "serial,owner,csr\n"
	for i := range 20 {
		m := newMeter(t, i)
		m.runs, m.image = sha256.Sum256(one), two
		der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, m.key)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, g.file(m.serial+".csr"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
		list += fmt.Sprintf("%s,alice,%s.csr\n", m.serial, m.serial)
		meters[m.serial] = m
	}
	writeFile(t, g.file("meters.csv"), []byte(list))
	enrol := []string{"device", "enrol", "--list", g.file("meters.csv"), "--model", "meter-2", "--firmware", "1", "--sponsor", "bank", "--by", "maker"}
	if out := g.dure(append(enrol, "--report", g.file("enrolled.csv"))...); !strings.Contains(out, "enrolled now  20") {
		t.Error(out)
	}
	if out := g.dure(enrol...); !strings.Contains(out, "enrolled before  20") {
		t.Error(out)
	}

	update := []string{"device", "update", "meter-2", "--to", "2", "--image", g.file("two.bin"), "--waves", "10%,50%,100%", "--stop-above", "2%", "--wait", "20s", "--by", "maker"}
	if out, code := g.run("device", "update", "meter-2", "--to", "2", "--image", g.file("one.bin"), "--by", "maker"); code == 0 || !strings.Contains(out, "is registered with") {
		t.Errorf("another image than is registered: %s", out)
	}
	var plan struct {
		Waves []struct{ Devices []string }
	}
	if err := json.Unmarshal([]byte(g.dure(append(update, "--dry-run", "--json")...)), &plan); err != nil {
		t.Fatal(err)
	}
	second := plan.Waves[1].Devices
	if len(plan.Waves[0].Devices) != 2 || len(second) != 8 || len(plan.Waves[2].Devices) != 10 {
		t.Fatalf("waves %v", plan.Waves)
	}
	broken, forged, absent := meters[second[0]], meters[second[1]], meters[second[2]]
	broken.install, forged.image = errors.New("the flash is full"), []byte("not what was commanded")
	stops := map[string]func(){}
	start := func(m *meter) {
		stops[m.serial] = m.start(g, g.file("device-"+m.serial), anchor, roots)
		t.Cleanup(stops[m.serial])
	}
	for _, m := range meters {
		if m != absent {
			start(m)
		}
	}

	out, code := g.run(update...)
	for _, want := range []string{"wave 1, up to 10%: 2 devices, ok 2, failed 0, silent 0", "wave 2, up to 50%: 10 devices, ok 7, failed 2, silent 1", "the flash is full", "not the one commanded",
		absent.serial + " (" + absent.signer.Key().Address().String() + "): it does not answer", "Stopped after wave 2"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code != 1 || strings.Contains(out, "wave 3") {
		t.Errorf("exit %d\n%s", code, out)
	}
	for _, serial := range plan.Waves[2].Devices {
		meters[serial].set(func() {
			if meters[serial].runs != sha256.Sum256(one) {
				t.Errorf("%s of the third wave was updated", serial)
			}
		})
	}

	broken.set(func() { broken.install = nil })
	forged.set(func() { forged.image = two })
	start(absent)
	out = g.dure(update...)
	if !strings.Contains(out, "wave 2, up to 50%: 3 devices told") || !strings.Contains(out, "wave 3, up to 100%: 20 devices, ok 20, failed 0, silent 0") {
		t.Errorf("run again:\n%s", out)
	}
	if out := g.dure(update...); !strings.Contains(out, "ok 20") || strings.Contains(out, "told") {
		t.Errorf("run once more:\n%s", out)
	}
	maker := g.key("maker").Address.String()
	if dom := browse(t, g.url(0)+"/devices/"+maker+"/meter-2"); !strings.Contains(dom, absent.serial) || !strings.Contains(dom, "펌웨어 갱신") || !strings.Contains(dom, "100<small>%") {
		t.Errorf("the page of the model:\n%s", dom)
	}
	commands := g.dure("device", "commands", broken.signer.Key().Address().String())
	if !strings.Contains(commands, "installing: the flash is full") || !strings.Contains(commands, "installed firmware 2") || !slices.Contains(strings.Fields(commands), "failed") {
		t.Error(commands)
	}
}

func writeFile(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
