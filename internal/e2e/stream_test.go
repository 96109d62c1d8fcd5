//go:build e2e

package e2e

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// car is a device in software, whose key the test has.
type car struct {
	name     string
	key      crypto.Signer
	account  tx.Key
	boot     uint64
	sequence uint64
}

// newCar makes a key and imports it into the keystore of the network's user.
func (n *network) newCar(name string) *car {
	n.t.Helper()
	secret := sha256.Sum256([]byte("e2e " + name))
	file := filepath.Join(n.t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(hex.EncodeToString(secret[:])), 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.dure("key", "import", name, file, "--secret", "ed25519")
	key, err := reading.Key(accountv1.KeyKind_KEY_KIND_ED25519, secret[:])
	if err != nil {
		n.t.Fatal(err)
	}
	signer, err := tx.NewEd25519Signer(secret[:])
	if err != nil {
		n.t.Fatal(err)
	}
	n.dure("account", "open", name, "--sponsor", "bank")
	return &car{name: name, key: key, account: signer.Key(), boot: 1}
}

// read is the car's next reading of fleet.speed, taken now.
func (c *car) read(t *testing.T, network, unit string, speed int64) []byte {
	t.Helper()
	c.sequence++
	value, err := reading.NewDecimal(speed, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := reading.Sign(network, c.account.Address(), &reading.Reading{
		Boot: c.boot, Sequence: c.sequence, Feed: "fleet.speed", Unit: unit, Value: value, Time: time.Now().UnixMilli(),
	}, c.key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// fleet is what the test of streams drives around.
type fleet struct {
	*network
	client *client.Client
	id     string // of the network
	cars   []*car
}

// anchor has bob anchor a reading of each car.
func (f *fleet) anchor(speeds ...int64) {
	f.t.Helper()
	var sources []*streamv1.Source
	for i, c := range f.cars {
		sources = append(sources, f.source(c, c.read(f.t, f.id, "km/h", speeds[i])))
	}
	f.anchorThese(sources...)
}

func (f *fleet) source(c *car, raw ...[]byte) *streamv1.Source {
	address := c.account.Address()
	return &streamv1.Source{Device: address[:], Kind: c.account.Kind, PublicKey: c.account.Public, Readings: raw}
}

func (f *fleet) anchorThese(sources ...*streamv1.Source) {
	f.t.Helper()
	bob := f.signer("bob")
	outcome, err := f.client.Do(f.t.Context(), client.NewTransaction(f.id).AnchorReadings(bob.Key().Address(), &streamv1.Anchor{Sources: sources}), bob)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// attest asks a car for evidence, which it gives after another start.
func (f *fleet) attest(c *car, image string) {
	f.t.Helper()
	f.dure("device", "challenge", c.name, "--by", "bank")
	c.boot++
	c.sequence = 0
	f.dure("device", "attest", image, "--boot", fmt.Sprint(c.boot), "--by", c.name)
}

// indexed waits until what is committed can be listed by the first member.
func (f *fleet) indexed() {
	f.t.Helper()
	eventually(f.t, time.Minute, func() bool {
		var s struct{ Height, IndexHeight string }
		post(f.t, f.url(0)+"/dure.api.v1.LedgerService/GetStatus", `{}`, &s)
		var list struct{ Transactions []struct{ Id string } }
		post(f.t, f.url(0)+"/dure.api.v1.LedgerService/ListTransactions", `{"pageSize":1}`, &list)
		return s.Height != "" && len(list.Transactions) == 1 && s.IndexHeight >= s.Height
	}, "the index does not catch up")
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	n := newNetwork(t)
	n.up()
	c, err := client.Dial(client.Config{Addresses: []string{n.url(0)}})
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{network: n, client: c}
	if f.id, err = c.Network(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.dure("asset", "transfer", "krw", "100000", "--from", "alice", "--to", "insurer")
	n.dure("device", "model", "sedan-3", "--title", "Sedan, third series", "--by", "alice")
	return f
}

// The commands of docs/streams.md: a feed pays cars for their speed. One car's firmware is forged; the feed stops to answer, everything that
// leaned on it is listed, and only the other car is paid. One reading is proven offline.
func TestFleetIsPaid(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	good, forged := filepath.Join(t.TempDir(), "1.bin"), filepath.Join(t.TempDir(), "forged.bin")
	for file, content := range map[string]byte{good: 1, forged: 2} {
		if err := os.WriteFile(file, bytes.Repeat([]byte{content}, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.dure("device", "firmware", "sedan-3", "1", good, "--version", "1.0.0", "--by", "alice")
	f.cars = []*car{f.newCar("car-81"), f.newCar("car-82")}
	for i, c := range f.cars {
		f.dure("device", "enrol", c.name, "--model", "sedan-3", "--serial", fmt.Sprint("KM8-", i), "--firmware", "1", "--owner", "alice", "--by", "alice")
	}
	f.dure("stream", "open", "fleet.speed", "--title", "Fleet speed", "--unit", "km/h", "--decimals", "1", "--least", "0", "--most", "250",
		"--min-sources", "2", "--max-deviation", "20", "--premium", "10 krw", "--dispute", "1s", "--confirmed", "--by", "insurer")
	f.dure("stream", "admit", "fleet.speed", "car-81", "car-82", "--by", "insurer")
	f.dure("stream", "fund", "fleet.speed", "1000", "--by", "insurer")
	if out, code := f.run("stream", "value", "fleet.speed"); code != 3 || !strings.Contains(out, "NO ANSWER") {
		t.Errorf("without readings: exit %d\n%s", code, out)
	}

	f.anchor(50, 54)
	for _, c := range f.cars {
		f.attest(c, good)
	}
	if out := f.dure("stream", "value", "fleet.speed"); !strings.HasPrefix(out, "50.0 km/h\n") || !strings.Contains(out, "car-82") {
		t.Error(out)
	}
	proven := time.Now()
	f.settles(2)
	if out := f.dure("stream", "show", "fleet.speed"); !strings.Contains(out, "980 krw") {
		t.Errorf("after two premiums:\n%s", out)
	}

	f.anchor(60, 64)
	f.anchorThese(f.source(f.cars[1], f.cars[1].read(t, f.id, "mph", 40)))
	f.attest(f.cars[0], forged)
	f.attest(f.cars[1], good)
	if out, code := f.run("stream", "value", "fleet.speed"); code != 3 || !strings.Contains(out, "NO ANSWER") || !strings.Contains(out, "suspended") {
		t.Errorf("with a forged car: exit %d\n%s", code, out)
	}
	f.indexed()
	if out := f.dure("stream", "value", "fleet.speed", "--at", proven.UTC().Format(time.RFC3339Nano)); !strings.HasPrefix(out, "50.0 km/h\n") {
		t.Errorf("before it was forged:\n%s", out)
	}
	f.settles(1)
	if got := f.balance(f.cars[0].account.Address().String()) + " " + f.balance(f.cars[1].account.Address().String()); got != "10 20" {
		t.Errorf("the cars have %s krw", got)
	}
	f.tainted()
	f.proves(f.cars[1])
	f.quarantined()
	f.page()
	f.sameRoots()
}

// settles waits until cars are paid.
func (f *fleet) settles(cars int) {
	f.t.Helper()
	out := ""
	eventually(f.t, 30*time.Second, func() bool {
		var code int
		out, code = f.run("stream", "settle", "fleet.speed", "car-81", "car-82", "--by", "bob")
		return code == 0
	}, "nothing is paid")
	if strings.Count(out, "paid         1 readings") != cars {
		f.t.Errorf("%d cars should be paid:\n%s", cars, out)
	}
}

func (f *fleet) tainted() {
	f.t.Helper()
	f.indexed()
	if out := f.dure("stream", "taint", "car-81"); !strings.Contains(out, "IN DOUBT") || !strings.Contains(out, "ANCHORS: 1") || !strings.Contains(out, "PAYMENTS: 1") {
		f.t.Error(out)
	}
	if out := f.dure("stream", "taint", "car-82"); !strings.Contains(out, "in doubt for no time") {
		f.t.Error(out)
	}
	if out := f.dure("stream", "readings", "fleet.speed", "--tainted", "--json"); strings.Count(out, "\n") != 1 || !strings.Contains(out, f.cars[0].account.Address().String()) {
		f.t.Errorf("tainted:\n%s", out)
	}
	if out := f.dure("stream", "readings", "fleet.speed", "--device", "car-82"); strings.Count(out, "accepted") != 2 || strings.Count(out, "confirmed") != 3 {
		f.t.Errorf("of a good car:\n%s", out)
	}
	if out := f.dure("stream", "list", "--device", "car-81"); !strings.Contains(out, "Fleet speed") {
		f.t.Error(out)
	}
}

// proves fetches the proof of a car's reading and checks it offline, whole and with a byte changed.
func (f *fleet) proves(c *car) {
	f.t.Helper()
	file := filepath.Join(f.t.TempDir(), "reading.durr")
	genesis := filepath.Join(f.dir, "genesis.json")
	f.dure("stream", "reading", c.name, "2", "1", "-o", file)
	offline := f.command("stream", "verify", file, "--genesis", genesis, "--node", "http://127.0.0.1:1")
	if out, err := offline.CombinedOutput(); err != nil || !strings.Contains(string(out), "verdict      accepted") || !strings.Contains(string(out), "64 \"km/h\"") {
		f.t.Errorf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		f.t.Fatal(err)
	}
	raw[len(raw)/10] ^= 1
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		f.t.Fatal(err)
	}
	if out, code := f.run("stream", "verify", file, "--genesis", genesis); code != 3 {
		f.t.Errorf("a changed file: exit %d\n%s", code, out)
	}
}

// quarantined has the reading in another unit appealed and accepted.
func (f *fleet) quarantined() {
	f.t.Helper()
	if out := f.dure("stream", "show", "fleet.speed"); !strings.Contains(out, "In quarantine: 1") || !strings.Contains(out, "unit") {
		f.t.Error(out)
	}
	f.dure("stream", "appeal", "fleet.speed", "car-82", "2", "2", "--reason", "sold to the states", "--by", "alice")
	f.dure("stream", "decide", "fleet.speed", "car-82", "2", "2", "--accept", "--reason", "so it is", "--by", "insurer")
	if out := f.dure("stream", "show", "fleet.speed"); strings.Contains(out, "In quarantine") {
		f.t.Error(out)
	}
}

// page is what people see of the feed.
func (f *fleet) page() {
	f.t.Helper()
	dom := browse(f.t, f.url(1)+"/feed/fleet.speed?lang=en")
	for _, want := range []string{"Fleet speed", "No answer", "In doubt", "Forfeited", f.cars[0].account.Address().String()} {
		if !strings.Contains(dom, want) {
			f.t.Errorf("the feed's page does not show %q", want)
		}
	}
}
