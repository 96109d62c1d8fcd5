package simnet_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/node"
)

// harm is what happens to a file.
type harm func(raw []byte) []byte // nil: it is gone

func gone([]byte) []byte         { return nil }
func cut(raw []byte) []byte      { return raw[:len(raw)*2/3] }
func flipped(raw []byte) []byte  { return flipAt(raw, len(raw)/2) }
func flipTail(raw []byte) []byte { return flipAt(raw, len(raw)-20) }

func flipAt(raw []byte, i int) []byte {
	raw = bytes.Clone(raw)
	raw[i] ^= 1
	return raw
}

// TestDamage damages one file, or folder, of a node's home in turn. docs/damage.md is this table for operators; the test
// of the same name in internal/e2e tries every file at many places.
func TestDamage(t *testing.T) {
	net := simnet.Start(t, 1)
	for i := range 30 {
		pay(t, net.Client(0), i%3, 3, "1")
	}
	net.StopNode(0)
	net.StartNode(0) // so that the databases have tables and journals
	net.Ready()
	for i := range 30 {
		pay(t, net.Client(0), i%3, 3, "1")
	}
	before, err := net.Client(0).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	net.StopNode(0)

	const ledger, cons = "data/ledger/", "data/consensus/data/"
	for _, c := range []struct {
		file string // a pattern; the last file that fits
		what harm
		says string // part of the refusal; empty if the node starts and is as it was
	}{
		{ledger + "history/nodes", gone, ""},
		{ledger + "history/nodes", cut, ""},
		{ledger + "meta/history", gone, ""},
		{ledger + "meta/history", flipped, ""},
		{ledger + "meta/user-network", flipped, "meta/user-network is damaged"},
		{ledger + "state", gone, ""},
		{ledger + "state/*.sst", cut, "Move that folder away and start again"},
		{ledger + "state/*.sst", flipped, "Move that folder away and start again"},
		{ledger + "state/MANIFEST-*", gone, "Move that folder away and start again"},
		{ledger + "state/marker.manifest.*", gone, "marker.manifest file is missing"},
		{ledger + "blocks/*.seg", gone, "blocks that were on the disk are gone"},
		{ledger + "blocks/*.seg", flipped, ".seg is damaged at byte"},
		{ledger + "blocks/*.seg", cut, "blocks that were on the disk are gone"},
		{"data/ledger", gone, ""},
		{cons + "blockstore.db", gone, "docs/damage.md"},
		{cons + "blockstore.db/*.log", flipped, "blockstore.db"},
		{cons + "blockstore.db/*.ldb", cut, "blockstore.db"},
		{cons + "state.db", gone, "docs/damage.md"},
		{cons + "state.db/CURRENT", cut, "state.db"},
		{cons + "state.db/*.ldb", gone, "state.db"},
		{cons + "evidence.db", gone, ""},
		{cons + "cs.wal", gone, ""},
		{cons + "cs.wal/wal", flipTail, ""},
		{cons + "priv_validator_state.json", cut, "keeps this validator from signing twice"},
		{cons + "priv_validator_state.json", higher, "but what was signed is of height"},
		{"data/index.db", gone, ""},
		{"data/index.db", cut, ""},
		{"genesis.json", cut, "genesis.json cannot be used"},
		{"genesis.json", renamed, "The genesis file is damaged or another one"},
		{"keys/node.key", gone, "restore it from a backup"},
		{"keys/validator.key", otherKey, "is not the one on the member's card"},
		{"member.json", cut, ""},
		{"config.yaml", gone, "config.yaml there and whole"},
	} {
		t.Run(c.file+" "+c.says, func(t *testing.T) {
			home := filepath.Join(t.TempDir(), "home")
			if err := os.CopyFS(home, os.DirFS(string(net.Home(0)))); err != nil {
				t.Fatal(err)
			}
			hurt(t, filepath.Join(home, c.file), c.what)
			startsOrSays(t, home, c.says, before)
		})
	}
}

// higher says that more was signed: the validator's state of a round that never was.
func higher(raw []byte) []byte {
	return regexp.MustCompile(`"round": \d+`).ReplaceAll(raw, []byte(`"round": 99`))
}
func renamed(raw []byte) []byte { return bytes.Replace(raw, []byte("won"), []byte("wan"), 1) }

// otherKey changes a key's first hex digit.
func otherKey(raw []byte) []byte {
	raw = bytes.Clone(raw)
	if raw[0]++; raw[0] != '1' {
		raw[0] = '0'
	}
	return raw
}

func hurt(t *testing.T, pattern string, what harm) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is %s, %v", pattern, err)
	}
	file := files[len(files)-1]
	info, err := os.Stat(file)
	if err == nil && info.IsDir() {
		err = os.RemoveAll(file)
	} else if err == nil {
		var raw []byte
		if raw, err = os.ReadFile(file); err == nil {
			switch hurt := what(raw); {
			case hurt == nil:
				err = os.Remove(file)
			case bytes.Equal(hurt, raw):
				t.Fatalf("%s is as it was", file)
			default:
				err = os.WriteFile(file, hurt, 0o600)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// startsOrSays starts a node on home. It must show what it showed before, or refuse with what it should say.
func startsOrSays(t *testing.T, home, says string, before *apiv1.GetStatusResponse) {
	t.Helper()
	config, err := node.Load(node.Home(home).Config(), func(string) (string, bool) { return "", false }, nil)
	if err != nil {
		t.Fatal(err)
	}
	config.APIListen, config.P2PListen = "127.0.0.1:0", "127.0.0.1:0"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	n, err := node.Start(ctx, node.Home(home), config, slog.New(slog.DiscardHandler), "test")
	if says != "" {
		if err == nil {
			t.Fatal("it started", n.Stop())
		}
		if !strings.Contains(err.Error(), says) || !advice.MatchString(err.Error()) || strings.Contains(err.Error(), "goroutine") {
			t.Errorf("it says: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}()
	c, err := client.Dial(client.Config{Addresses: []string{"http://" + n.Address()}})
	if err != nil {
		t.Fatal(err)
	}
	now, err := c.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if now.GetStateRoot() != before.GetStateRoot() || now.GetHistoryRoot() != before.GetHistoryRoot() {
		t.Errorf("it shows %v, before %v", now, before)
	}
	pay(t, c, 0, 1, "1")
}

var advice = regexp.MustCompile(`backup|docs/damage\.md|copy it from|Move `)
