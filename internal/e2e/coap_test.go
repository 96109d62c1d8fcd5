//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
)

// coapPort is where the gateway of a place listens for CoAP.
func (g *gatewayPlace) coapPort() int { return g.port + 2 }

// coap runs libcoap's client as a car. It exits with 0 when it is refused: look at the ledger.
func (g *gatewayPlace) coap(port int, car, method, path string, args ...string) string {
	g.t.Helper()
	all := []string{"-v", "6", "-B", "30", "-m", method, "-R", g.file("gw.pem")}
	if car != "" {
		all = append(all, "-c", g.file(car+".pem"), "-j", g.file(car+"-key.pem"))
	}
	all = append(append(all, args...), fmt.Sprintf("coaps://127.0.0.1:%d%s", port, path))
	ctx, cancel := context.WithTimeout(g.t.Context(), 45*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "coap-client-openssl", all...).CombinedOutput()
	return string(out)
}

// postReading sends a file as a reading of a car's.
func (g *gatewayPlace) postReading(car, file string, args ...string) string {
	g.t.Helper()
	return g.coap(g.coapPort(), car, "post", "/reading", append([]string{"-t", "18", "-f", file}, args...)...)
}

// transactionIn is the id in an answer.
func transactionIn(t *testing.T, out string) string {
	t.Helper()
	_, object, _ := strings.Cut(out[max(strings.LastIndex(out, `{"of"`), 0):], "{")
	object, _, _ = strings.Cut(object, "}")
	var a struct{ Transaction string }
	if err := json.Unmarshal([]byte("{"+object+"}"), &a); err != nil || a.Transaction == "" {
		t.Fatalf("no answer in %s: %v", out, err)
	}
	return a.Transaction
}

// relay stands between a client and the gateway. The first of the gateway's answers that is sent in a session, after the handshake, gets lost.
func relay(t *testing.T, to int) (port int, lost *atomic.Int32) {
	t.Helper()
	front, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	back, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: to})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		front.Close()
		back.Close()
	})
	var client atomic.Pointer[net.UDPAddr]
	lost = &atomic.Int32{}
	go func() {
		b := make([]byte, 65_536)
		for {
			n, from, err := front.ReadFromUDP(b)
			if err != nil {
				return
			}
			client.Store(from)
			_, _ = back.Write(b[:n])
		}
	}()
	go func() {
		b := make([]byte, 65_536)
		for {
			n, err := back.Read(b)
			if err != nil {
				return
			}
			if n > 0 && b[0] == 23 && lost.CompareAndSwap(0, 1) { // application data (RFC 6347)
				continue
			}
			_, _ = front.WriteToUDP(b[:n], client.Load())
		}
	}()
	return front.LocalAddr().(*net.UDPAddr).Port, lost
}

// The commands of docs/devices.md with libcoap's client: what is answered with 2.04 is on the ledger, what is refused is not.
func TestGatewayWithStockCoAPClient(t *testing.T) {
	t.Parallel()
	g := newGatewayPlace(t)
	first := g.reading("car-81", "52.3", 4, 17)
	id := transactionIn(t, g.postReading("car-81", first))
	if got := g.record("car-81"); got != "4.17 accepted" {
		t.Errorf("after its answer: %s", got)
	}
	if again := transactionIn(t, g.postReading("car-81", first)); again != id {
		t.Errorf("sent again it is in %s, not in %s", again, id)
	}

	// The answer is lost, so the client sends its request once more.
	port, lost := relay(t, g.coapPort())
	if out := g.coap(port, "car-81", "post", "/reading", "-t", "18", "-f", g.reading("car-81", "53", 4, 18)); !strings.Contains(out, "accepted") || lost.Load() != 1 {
		t.Errorf("after a lost answer: %s", out)
	}

	for name, s := range map[string]struct{ out, want string }{
		"a number used again": {g.postReading("car-81", g.reading("car-81", "99", 4, 17)), "[reading.replayed]"},
		"another's reading":   {g.postReading("car-81", g.reading("car-82", "51", 1, 1)), "[reading.bad_signature]"},
		"malformed":           {g.postReading("car-81", g.file("gw.pem")), "[reading.malformed]"},
		"another format":      {g.coap(g.coapPort(), "car-81", "post", "/reading", "-t", "50", "-f", g.reading("car-81", "51", 4, 30)), "4.15"},
		"no certificate":      {g.postReading("", g.reading("car-81", "51", 4, 31)), ""},
		"no challenge":        {g.coap(g.coapPort(), "car-81", "get", "/challenge"), "4.04"},
		"what there is":       {g.coap(g.coapPort(), "car-81", "get", "/.well-known/core"), "</reading>"},
	} {
		if !strings.Contains(s.out, s.want) {
			t.Errorf("%s: %s", name, s.out)
		}
	}
	if out := g.postReading("car-81", g.reading("car-81", "50", 4, 19, "--at", time.Now().Add(-2*time.Hour).Format(time.RFC3339))); !strings.Contains(out, `"late"`) {
		t.Errorf("back-dated: %s", out)
	}
	if out := g.postReading("car-81", g.reading("car-81", "51", 4, 20), "-b", "64"); !strings.Contains(out, "accepted") {
		t.Errorf("in blocks of 64 bytes: %s", out)
	}
	g.postReading("car-81", g.reading("car-81", "51", 4, 21), "-N")
	if out := g.postReading("car-82", g.reading("car-82", "51", 1, 1)); !strings.Contains(out, "accepted") {
		t.Errorf("with an Ed25519 certificate: %s", out)
	}
	eventually(t, 20*time.Second, func() bool {
		return g.record("car-81") == "4.17 accepted, 4.18 accepted, 4.19 late, 4.20 accepted, 4.21 accepted"
	}, "on the ledger: %s", g.record("car-81"))
	if got := g.record("car-82"); got != "1.1 accepted" {
		t.Errorf("on the ledger: %s", got)
	}

	// Both doors know the same devices and readings.
	if out := g.publish("5", "car-81", first); !strings.Contains(out, "RC:0") {
		t.Errorf("over MQTT after CoAP: %s", out)
	}

	// The receipt of what was taken, fetched by the device in blocks, verifies with nothing but the genesis file.
	for _, size := range []string{"1024", "128"} {
		file := g.file("receipt-" + size + ".dure")
		g.coap(g.coapPort(), "car-81", "get", "/receipt/"+id, "-b", size, "-o", file)
		if _, err := os.Stat(file); err != nil {
			t.Fatal(err)
		}
		if out, code := g.run("receipt", "verify", file); code != 0 || !strings.Contains(out, id) {
			t.Errorf("in blocks of %s bytes: %d %s", size, code, out)
		}
	}

	// A device hears that it is asked, and answers with a transaction of its own.
	g.dure("device", "challenge", "car-82", "--by", "bank")
	if out := g.coap(g.coapPort(), "car-82", "get", "/challenge", "-s", "2"); !regexp.MustCompile("'[0-9a-f]{64}'").MatchString(out) {
		t.Errorf("not told: %s", out)
	}
	if page := g.metrics(); !strings.Contains(page, "dure_gateway_coap_devices") || !strings.Contains(page, `dure_gateway_answers_total{code="",of="reading",result="taken"}`) {
		t.Error(page)
	}
}

// command has alice tell a car something, and returns the transaction.
func (g *gatewayPlace) commanded(car, kind string) string {
	g.t.Helper()
	g.dure("device", "command", car, kind, "--expires", "1h", "--by", "alice")
	d, err := g.client.Device(g.t.Context(), g.address[car])
	if err != nil || len(d.GetCommands()) == 0 {
		g.t.Fatal(d, err)
	}
	return d.GetCommands()[len(d.GetCommands())-1].GetTransaction()
}

// A stock client is told commands, fetches the receipt that proves one, and answers with a transaction: its owner reads that on the ledger. Killed in the
// middle, it is let in again from the same port.
func TestCommandsWithStockCoAPClient(t *testing.T) {
	t.Parallel()
	g := newGatewayPlace(t)
	first := g.commanded("car-81", "unlock")
	eventually(t, 20*time.Second, func() bool { return strings.Contains(g.coap(g.coapPort(), "car-81", "get", "/command"), first) }, "it is not told")
	if out := g.coap(g.coapPort(), "car-82", "get", "/command"); strings.Contains(out, first) {
		t.Errorf("another is told: %s", out)
	}

	port := fmt.Sprint(freeUDP(t))
	watch := &output{}
	observer := exec.CommandContext(t.Context(), "coap-client-openssl", "-v", "6", "-m", "get", "-s", "120", "-B", "120", "-p", port, "-R", g.file("gw.pem"), "-c", g.file("car-81.pem"),
		"-j", g.file("car-81-key.pem"), fmt.Sprintf("coaps://127.0.0.1:%d/command", g.coapPort()))
	observer.Stdout, observer.Stderr = watch, watch
	if err := observer.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, func() bool { return strings.Contains(watch.String(), first) }, "the observer is not told: %s", watch)
	second := g.commanded("car-81", "lock")
	eventually(t, 20*time.Second, func() bool { return strings.Contains(watch.String(), second) }, "the observer is not told of another: %s", watch)
	if err := observer.Process.Kill(); err != nil { // as by a loss of power: it says nothing
		t.Fatal(err)
	}
	_ = observer.Wait()

	file := g.file("command.dure")
	g.coap(g.coapPort(), "car-81", "get", "/receipt/"+first, "-p", port, "-o", file)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal("from the same port: ", err)
	}
	info, err := g.client.NetworkInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := light.FromGenesis(info.GetGenesis())
	if err != nil {
		t.Fatal(err)
	}
	v, err := anchor.VerifyReceipt(raw)
	if err != nil || !v.OK() {
		t.Fatal(v, err)
	}
	id := v.Outcome.GetEvents()[0].GetDeviceCommanded().GetCommand()
	store, passphrase := g.store()
	signer, err := store.Unlock("car-81", passphrase)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := client.NewTransaction(g.id).AnswerCommand(g.address["car-81"], [16]byte(id), true, "unlocked").Sign(time.Now(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(g.file("answer.bin"), signed.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := g.coap(g.coapPort(), "car-81", "post", "/tx", "-t", "42", "-f", g.file("answer.bin"), "-p", port); !strings.Contains(out, signed.ID) {
		t.Errorf("its answer: %s", out)
	}
	if out := g.dure("device", "commands", "car-81"); !strings.Contains(out, "unlocked") {
		t.Errorf("on the ledger: %s", out)
	}
	if out := g.coap(g.coapPort(), "car-81", "get", "/command", "-p", port); strings.Contains(out, first) || !strings.Contains(out, second) {
		t.Errorf("what is open still: %s", out)
	}
}
