package simnet_test

import (
	"bytes"
	"crypto"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
	"github.com/dureledger/dure/node"
)

const speed = "fleet.speed"

// car is a device whose readings a test anchors.
type car struct {
	t        *testing.T
	net      *simnet.Network
	signer   tx.Signer
	key      crypto.Signer
	sequence uint64
}

// newCar enrols a device, opens a feed and admits it there.
func newCar(t *testing.T, net *simnet.Network, c *client.Client) *car {
	t.Helper()
	const seed = 5000
	key, err := reading.Key(accountv1.KeyKind_KEY_KIND_ED25519, txtest.Secret(seed))
	if err != nil {
		t.Fatal(err)
	}
	out := &car{t: t, net: net, signer: txtest.Ed25519(seed), key: key}
	member, device := simnet.Address(simnet.Signer(0)), simnet.Address(out.signer)
	do(t, c, draft(t, c).OpenAccount(member, out.signer.Key()), simnet.Signer(0))
	do(t, c, draft(t, c).RegisterModel(member, "car", "Car").
		RegisterFirmware(member, client.Firmware{Model: "car", Number: 1, Version: "1.0", Digest: [32]byte{1}}).
		EnrolDevice(member, device, member, "car", "1", 1).
		OpenFeed(member, speed, &streamv1.Terms{Title: "Speed", Unit: "km/h", Decimals: 1, Most: 2500, LateMs: 600_000, AheadMs: 30_000, StaleMs: 60_000,
			MinSources: 1, AppealMs: 600_000}).
		AdmitDevices(member, speed, device), simnet.Signer(0))
	return out
}

func do(t *testing.T, c *client.Client, d *client.Draft, signer tx.Signer) *apiv1.Outcome {
	t.Helper()
	o, err := c.Do(simnet.Within(t), d, signer)
	if err == nil {
		err = client.Check(o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// anchor anchors some readings and returns the outcome and what the device signed.
func (d *car) anchor(c *client.Client, n int) (*apiv1.Outcome, [][]byte) {
	d.t.Helper()
	device, member := simnet.Address(d.signer), simnet.Address(simnet.Signer(0))
	status, err := c.Status(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	var raw [][]byte
	for range n {
		d.sequence++
		value, err := reading.NewDecimal(500+int64(d.sequence%10), -1)
		if err != nil {
			d.t.Fatal(err)
		}
		signed, err := reading.Sign(status.GetNetwork(), device, &reading.Reading{Boot: 1, Sequence: d.sequence, Feed: speed, Unit: "km/h", Value: value,
			Time: time.Now().UnixMilli()}, d.key)
		if err != nil {
			d.t.Fatal(err)
		}
		raw = append(raw, signed)
	}
	key := d.signer.Key()
	source := &streamv1.Source{Device: device[:], Kind: key.Kind, PublicKey: key.Public, Readings: raw}
	return do(d.t, c, draft(d.t, c).AnchorReadings(member, &streamv1.Anchor{Sources: []*streamv1.Source{source}}), simnet.Signer(0)), raw
}

// holding lists the files below a folder that hold one of some readings, or its signature alone.
func holding(t *testing.T, dir string, raw [][]byte) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil //nolint:nilerr // databases remove files meanwhile
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil //nolint:nilerr // as above
		}
		for _, r := range raw {
			if bytes.Contains(content, r[len(r)-64:]) || bytes.Contains(content, r[:64]) {
				name, _ := filepath.Rel(dir, path)
				files = append(files, filepath.ToSlash(name))
				break
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func has(files []string, part string) bool {
	for _, f := range files {
		if strings.Contains(f, part) {
			return true
		}
	}
	return false
}

// When their time is over readings are in no file of the node any more. Outcomes, receipts and the roots stay as they were, and so they do in a
// node that is started again, that makes its index anew, that executes its ledger again, or that is restored.
func TestReadingsAreErased(t *testing.T) {
	t.Parallel() // it mostly waits
	net := simnet.StartWith(t, 4, map[string]string{"readings.keep": "8s", "snapshot.interval": "0"})
	const at = 3 // the member that is looked at
	c := net.Client(at)
	if status, err := c.Status(t.Context()); err != nil || status.GetReadingsKeepMs() != 8000 {
		t.Errorf("the node says of readings %d ms, %v", status.GetReadingsKeepMs(), err)
	}
	d := newCar(t, net, c)
	data := filepath.Join(string(net.Home(at)), "data")
	outcome, raw := d.anchor(c, 40)
	id := outcome.GetId()
	before := receipt(t, net, c, id)
	if before.Transaction == nil {
		t.Fatal("the first receipt has no transaction")
	}
	found := holding(t, data, raw)
	for _, part := range []string{"ledger/blocks/", "index.db", "cs.wal/", "blockstore.db/"} {
		if !has(found, part) {
			t.Errorf("readings are not in %s, so the test would not see that they are erased: %v", part, found)
		}
	}
	young := erased(t, net, c, data, raw)

	check := func(when string) {
		t.Helper()
		t.Run(when, func(t *testing.T) {
			c := net.Client(at)
			after := receipt(t, net, c, id)
			if after.Transaction != nil || !bytes.Equal(after.Raw, before.Raw) || after.TxHash != before.TxHash {
				t.Errorf("the receipt afterwards: %+v", after)
			}
			found, bytes, err := c.FindRaw(t.Context(), id)
			if err != nil || !found.GetErased() || len(bytes) != 0 || len(found.GetActions()) != 1 || found.GetNotAfter() == "" || len(found.GetOutcome().GetEvents()) == 0 {
				t.Errorf("the transaction afterwards: %v, %v", found, err)
			}
			if paid, _, err := c.FindRaw(t.Context(), young); err != nil || paid.GetErased() {
				t.Errorf("a payment was erased: %v", err)
			}
			if _, err := c.ReadingProof(t.Context(), simnet.Address(d.signer), 1, 1, 0); err == nil {
				t.Error("a reading is proved without what was signed")
			}
			pay(t, c, 0, 1, "1")
		})
	}
	check("erased")
	net.StopNode(at)
	net.StartNode(at)
	if left := holding(t, data, raw); len(left) > 0 {
		t.Errorf("after a restart readings are in %v", left)
	}
	check("started again")

	backup := filepath.Join(t.TempDir(), "b.tar")
	writeBackup(t, net.Home(at), backup)
	if left := holding(t, filepath.Dir(backup), raw); len(left) > 0 {
		t.Error("a backup made afterwards has readings")
	}
	net.StopNode(at)
	for _, name := range []string{"index.db", "index.db-wal", "index.db-shm"} {
		if err := os.RemoveAll(filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
	}
	net.StartNode(at)
	net.Ready()
	net.Eventually(func() bool {
		until, err := net.Client(at).ReadingsErased(t.Context(), speed)
		return err == nil && until != ""
	}, "the new index does not say that readings are missing")
	check("with a new index")

	net.StopNode(at)
	net.Move(at, restored(t, net.Home(at), backup))
	net.StartNode(at)
	check("restored")
	for i := range at {
		if left := holding(t, filepath.Join(string(net.Home(i)), "data"), raw); len(left) > 1 || len(left) == 1 && !strings.HasSuffix(left[0], "cs.wal/wal") {
			t.Errorf("member %d has readings in %v", i, left)
		}
	}
}

// erased waits until readings are in no file but the head of consensus's log, and returns the id of a payment made meanwhile.
func erased(t *testing.T, net *simnet.Network, c *client.Client, data string, raw [][]byte) (paid string) {
	t.Helper()
	var left []string
	net.Eventually(func() bool {
		paid = pay(t, c, 0, 1, "1").GetId()
		left = holding(t, data, raw)
		return len(left) == 0 || len(left) == 1 && strings.HasSuffix(left[0], "cs.wal/wal")
	}, "readings are still in %v", &left)
	return paid
}

func receipt(t *testing.T, net *simnet.Network, c *client.Client, id string) *verified {
	t.Helper()
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	file, v, err := c.Prove(t.Context(), id, anchor)
	if err != nil {
		t.Fatal(err)
	}
	r, err := proof.DecodeReceipt(file)
	if err != nil {
		t.Fatal(err)
	}
	return &verified{v, r.Outcome}
}

// verified is a verified receipt with the bytes of its outcome.
type verified struct {
	*light.Verified
	Raw []byte
}

// restored is a home with a backup in it and the keys of another.
func restored(t *testing.T, old node.Home, file string) node.Home {
	t.Helper()
	home := node.Home(filepath.Join(t.TempDir(), "again"))
	for _, name := range []string{"node", "validator"} {
		key, err := old.Key(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := home.SetKey(name, key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := node.Restore(home, file, nil, nil); err != nil {
		t.Fatal(err)
	}
	return home
}
