//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/device"
	"github.com/dureledger/dure/client/keystore"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// gatewayPlace is a network with a gateway process and two cars that report to a feed of alice's.
type gatewayPlace struct {
	*network
	dir     string
	client  *client.Client
	id      string
	address map[string]tx.Address
	port    int
	cmd     *exec.Cmd
	log     *output
}

func newGatewayPlace(t *testing.T) *gatewayPlace {
	n := newNetwork(t)
	n.up()
	g := &gatewayPlace{network: n, dir: t.TempDir(), address: map[string]tx.Address{}}
	c, err := client.Dial(client.Config{Addresses: []string{n.url(0), n.url(1)}})
	if err != nil {
		t.Fatal(err)
	}
	g.client = c
	if g.id, err = c.Network(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, kind := range map[string]string{"maker": "ed25519", "gateway-1": "ed25519", "car-81": "p256", "car-82": "ed25519"} {
		n.dure("key", "new", name, "--kind", kind)
		n.dure("account", "open", name, "--sponsor", "bank")
	}
	n.dure("device", "model", "sedan-3", "--title", "Sedan, third series", "--by", "maker")
	n.dure("device", "firmware", "sedan-3", "1", strings.Repeat("a1", 32), "--version", "1.0.0", "--by", "maker")
	for _, car := range []string{"car-81", "car-82"} {
		n.dure("device", "enrol", car, "--model", "sedan-3", "--serial", car, "--firmware", "1", "--owner", "alice", "--by", "maker")
		n.dure("device", "cert", car, "-o", filepath.Join(g.dir, car))
		g.address[car] = g.key(car).Address
	}
	g.openFeed()
	gatewayCertificate(t, g.dir)
	g.port = freeRange(t)
	g.start()
	t.Cleanup(func() {
		if g.cmd != nil {
			_ = g.cmd.Process.Kill()
			_ = g.cmd.Wait()
		}
		if t.Failed() {
			t.Log(g.log.String())
		}
	})
	return g
}

// gatewayCertificate makes gw.pem and gw-key.pem in a folder, for 127.0.0.1.
func gatewayCertificate(t *testing.T, dir string) {
	t.Helper()
	openssl := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=gateway",
		"-addext", "subjectAltName=IP:127.0.0.1", "-keyout", filepath.Join(dir, "gw-key.pem"), "-out", filepath.Join(dir, "gw.pem"))
	if out, err := openssl.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func (g *gatewayPlace) file(name string) string { return filepath.Join(g.dir, name) }

func (g *gatewayPlace) store() (*keystore.Store, string) {
	g.t.Helper()
	store, err := keystore.Open(filepath.Join(g.network.dir, "client", "keys"))
	if err != nil {
		g.t.Fatal(err)
	}
	passphrase, err := os.ReadFile(filepath.Join(g.network.dir, "client", "passphrase"))
	if err != nil {
		g.t.Fatal(err)
	}
	return store, strings.TrimSpace(string(passphrase))
}

func (g *gatewayPlace) key(name string) keystore.Entry {
	g.t.Helper()
	store, _ := g.store()
	entry, err := store.Get(name)
	if err != nil {
		g.t.Fatal(err)
	}
	return entry
}

func (g *gatewayPlace) openFeed() {
	g.t.Helper()
	store, passphrase := g.store()
	alice, err := store.Unlock("alice", passphrase)
	if err != nil {
		g.t.Fatal(err)
	}
	operator := alice.Key().Address()
	admit := &streamv1.Admit{Feed: "speed.ring"}
	for _, a := range g.address {
		admit.Devices = append(admit.Devices, a[:])
	}
	outcome, err := g.client.Do(g.t.Context(), client.NewTransaction(g.id).Append(
		&txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamOpen{StreamOpen: &streamv1.Open{Feed: "speed.ring", Terms: &streamv1.Terms{
			Title: "Speed on the ring", Unit: "km/h", Decimals: 1, Most: 3000, LateMs: 3_600_000, AheadMs: 60_000, StaleMs: 3_600_000, MinSources: 1, AppealMs: 60_000,
		}}}}, &txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamAdmit{StreamAdmit: admit}}), alice)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// start runs dure gateway until it lets devices in.
func (g *gatewayPlace) start() {
	g.t.Helper()
	g.log = &output{}
	g.cmd = g.command("gateway", "--listen", fmt.Sprintf("127.0.0.1:%d", g.port), "--cert", g.file("gw.pem"), "--cert-key", g.file("gw-key.pem"),
		"--coap", fmt.Sprintf("127.0.0.1:%d", g.coapPort()), "--metrics", fmt.Sprintf("127.0.0.1:%d", g.port+1), "--as", "gateway-1", "--node", g.url(0)+","+g.url(1))
	g.cmd.Stdout, g.cmd.Stderr = g.log, g.log
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	eventually(g.t, 30*time.Second, func() bool { return strings.Contains(g.log.String(), "devices may come") }, "the gateway did not start: %s", g.log)
}

// mosquitto runs a stock client as a car. It says little about refusals: look at the ledger.
func (g *gatewayPlace) mosquitto(tool, version, car string, args ...string) string {
	g.t.Helper()
	all := []string{"-V", version, "-h", "127.0.0.1", "-p", fmt.Sprint(g.port), "--cafile", g.file("gw.pem"), "-d"}
	if car != "" {
		all = append(all, "--cert", g.file(car+".pem"), "--key", g.file(car+"-key.pem"))
	}
	ctx, cancel := context.WithTimeout(g.t.Context(), 30*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, tool, append(all, args...)...).CombinedOutput()
	return string(out)
}

// publish sends a file as a reading of a car's.
func (g *gatewayPlace) publish(version, car, file string) string {
	g.t.Helper()
	return g.mosquitto("mosquitto_pub", version, car, "-i", g.address[car].String(), "-t", "dure/1/"+g.address[car].String()+"/reading", "-q", "1", "-f", file)
}

// reading signs one.
func (g *gatewayPlace) reading(car, value string, boot, sequence int, more ...string) string {
	g.t.Helper()
	file := g.file(fmt.Sprintf("%s-%d-%d-%d.cbor", car, boot, sequence, time.Now().UnixNano()))
	g.dure(append([]string{"device", "reading", "speed.ring", value, "--unit", "km/h", "--boot", fmt.Sprint(boot), "--sequence", fmt.Sprint(sequence), "--by", car, "-o", file}, more...)...)
	return file
}

// record is what the ledger has of a car, in order: start, number and verdict, without what was refused.
func (g *gatewayPlace) record(car string) string {
	g.t.Helper()
	address := g.address[car]
	var out []string
	if err := g.client.Indexed(g.t.Context(), 0); err != nil {
		g.t.Fatal(err)
	}
	for t, err := range g.client.Transactions(g.t.Context(), &apiv1.ListTransactionsRequest{Account: address.String(), Status: client.StatusOK}) {
		if err != nil {
			g.t.Fatal(err)
		}
		_, raw, err := g.client.FindRaw(g.t.Context(), t.GetId())
		if err != nil {
			g.t.Fatal(err)
		}
		decoded, err := tx.Decode(g.id, raw, 1<<20)
		if err != nil {
			g.t.Fatal(err)
		}
		var here []string
		for _, source := range decoded.Body.GetActions()[0].GetStreamAnchor().GetSources() {
			if tx.Address(source.GetDevice()) != address {
				continue
			}
			verdicts, err := client.Verdicts(t.GetOutcome(), 0)
			if err != nil {
				g.t.Fatal(err)
			}
			here = append(here, words(g.t, source.GetReadings(), verdicts[address])...)
		}
		out = append(here, out...)
	}
	return strings.Join(out, ", ")
}

func words(t *testing.T, messages [][]byte, verdicts []byte) (out []string) {
	t.Helper()
	for i, raw := range messages {
		r, err := reading.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if verdict := streamv1.Verdict(verdicts[i] >> 4); verdict != streamv1.Verdict_VERDICT_REFUSED {
			out = append(out, fmt.Sprintf("%d.%d %s", r.Boot, r.Sequence, strings.ToLower(strings.TrimPrefix(verdict.String(), "VERDICT_"))))
		}
	}
	return out
}

func (g *gatewayPlace) metrics() string {
	g.t.Helper()
	answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/metrics", g.port+1))
	if err != nil {
		g.t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(page)
}

// The commands of docs/devices.md with mosquitto's clients: what is acknowledged is on the ledger, what is refused is not.
func TestGatewayWithStockClients(t *testing.T) {
	t.Parallel()
	g := newGatewayPlace(t)
	first := g.reading("car-81", "52.3", 4, 17)
	if out := g.publish("5", "car-81", first); !strings.Contains(out, "PUBACK (Mid: 1, RC:0)") {
		t.Error(out)
	}
	if got := g.record("car-81"); got != "4.17 accepted" {
		t.Errorf("after its PUBACK: %s", got)
	}
	if out := g.publish("5", "car-81", first); !strings.Contains(out, "RC:0") {
		t.Errorf("sent again: %s", out)
	}
	steps := []struct{ name, out, want string }{
		{"a number used again", g.publish("5", "car-81", g.reading("car-81", "99", 4, 17)), "RC:131"},
		{"back-dated", g.publish("5", "car-81", g.reading("car-81", "50", 4, 18, "--at", time.Now().Add(-2*time.Hour).Format(time.RFC3339))), "RC:0"},
		{"after a gap", g.publish("5", "car-81", g.reading("car-81", "50", 4, 21)), "RC:0"},
		{"MQTT 3.1.1", g.publish("mqttv311", "car-81", g.reading("car-81", "51", 4, 22)), "received PUBACK"},
		{"MQTT 3.1.1, refused", g.publish("mqttv311", "car-81", g.reading("car-81", "51", 4, 2)), "connection was lost"},
		{"another's reading", g.mosquitto("mosquitto_pub", "5", "car-81", "-i", g.address["car-81"].String(), "-t", "dure/1/"+g.address["car-81"].String()+"/reading", "-q", "1",
			"-f", g.reading("car-82", "51", 1, 1)), "RC:135"},
		{"another's client id", g.mosquitto("mosquitto_pub", "5", "car-82", "-i", g.address["car-81"].String(), "-t", "dure/1/"+g.address["car-81"].String()+"/reading", "-q", "1",
			"-f", g.reading("car-81", "51", 4, 23)), "CONNACK (135)"},
		{"a foreign topic", g.mosquitto("mosquitto_pub", "5", "car-82", "-i", g.address["car-82"].String(), "-t", "dure/1/"+g.address["car-81"].String()+"/reading", "-q", "1",
			"-f", g.reading("car-81", "51", 4, 23)), "RC:135"},
		{"no certificate", g.mosquitto("mosquitto_pub", "5", "", "-i", g.address["car-81"].String(), "-t", "dure/1/"+g.address["car-81"].String()+"/reading", "-q", "1",
			"-f", g.reading("car-81", "51", 4, 23)), "certificate required"},
		{"QoS 2", g.mosquitto("mosquitto_pub", "5", "car-81", "-i", g.address["car-81"].String(), "-t", "dure/1/"+g.address["car-81"].String()+"/reading", "-q", "2",
			"-f", g.reading("car-81", "51", 4, 23)), "QoS not supported"},
		{"a wildcard", g.mosquitto("mosquitto_sub", "5", "car-81", "-i", g.address["car-81"].String(), "-t", "dure/1/+/outcome", "-W", "1"), "135"},
	}
	for _, s := range steps {
		if !strings.Contains(s.out, s.want) {
			t.Errorf("%s: %s", s.name, s.out)
		}
	}
	if got := g.record("car-81"); got != "4.17 accepted, 4.18 late, 4.21 accepted, 4.22 accepted" {
		t.Errorf("on the ledger: %s", got)
	}
	if got := g.record("car-82"); got != "" {
		t.Errorf("on the ledger: %s", got)
	}

	// Evidence of a forged firmware suspends the car: what it says from then on is kept apart, and who asks before relying is told no.
	g.dure("device", "challenge", "car-81", "--by", "bank")
	if out := g.mosquitto("mosquitto_sub", "5", "car-81", "-i", g.address["car-81"].String(), "-t", "dure/1/"+g.address["car-81"].String()+"/challenge", "-C", "1", "-W", "10"); !strings.Contains(out, "(64 bytes)") {
		t.Errorf("not told of its challenge: %s", out)
	}
	if out := g.dure("device", "attest", strings.Repeat("ff", 32), "--boot", "4", "--by", "car-81"); !strings.Contains(out, "SUSPENDED") {
		t.Error(out)
	}
	g.publish("5", "car-81", g.reading("car-81", "53", 4, 23))
	if got := g.record("car-81"); !strings.HasSuffix(got, "4.23 quarantined") {
		t.Errorf("on the ledger: %s", got)
	}
	if out, code := g.run("device", "rely", "car-81"); code != 3 {
		t.Errorf("relied on: %s", out)
	}
	if page := g.metrics(); !strings.Contains(page, `dure_gateway_readings_total{reason="suspended",verdict="quarantined"} 1`) {
		t.Error(page)
	}
	if err := g.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Wait(); err != nil {
		t.Errorf("the gateway ended badly: %v", err)
	}
	g.cmd = nil
}

// A gateway that is killed again and again while a car reports loses and doubles nothing.
func TestGatewayKilled(t *testing.T) {
	t.Parallel()
	g := newGatewayPlace(t)
	store, passphrase := g.store()
	key, err := store.DeviceKey("car-82", passphrase)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := store.Unlock("car-82", passphrase)
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(g.file("gw.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	d, err := device.Open(device.Config{
		Dir: g.file("car"), Network: g.id, Address: g.address["car-82"], Key: key, Signer: signer,
		Gateway: net.JoinHostPort("127.0.0.1", fmt.Sprint(g.port)), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	const many = 60
	var want bytes.Buffer
	for i := range many {
		if _, err := d.Report("speed.ring", reading.Decimal{Mantissa: int64(i)}, "km/h", time.Now()); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&want, ", 1.%d accepted", i+1)
	}
	for left := range 3 {
		least := many - 12*(left+1)
		eventually(t, time.Minute, func() bool { return d.Waiting() <= least }, "%d readings are left", d.Waiting())
		if err := g.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = g.cmd.Wait()
		g.start()
	}
	eventually(t, 2*time.Minute, func() bool { return d.Waiting() == 0 }, "not all readings are sent")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := g.record("car-82"); got != want.String()[2:] {
		t.Errorf("on the ledger: %s", got)
	}
}
