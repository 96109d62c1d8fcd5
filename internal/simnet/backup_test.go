package simnet_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/node"
)

// A backup of a running member, restored elsewhere while the others went on, catches up and proves what happened before it.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel() // it mostly waits
	net := simnet.Start(t, 4)
	c := net.Client(0)
	first := pay(t, c, 0, 1, "1")
	for range 5 {
		pay(t, c, 0, 1, "1")
	}
	sameRoots(t, net, 0, 1, 2, 3)
	file := filepath.Join(t.TempDir(), "b.tar")
	writeBackup(t, net.Home(3), file)
	pay(t, c, 0, 1, "2")
	net.StopNode(3)
	old := net.Home(3)

	t.Run("a stopped node", func(t *testing.T) {
		var b bytes.Buffer
		if err := node.BackupStopped(t.Context(), old, &b, nil); err != nil {
			t.Fatal(err)
		}
		if b.Len() < 1000 {
			t.Errorf("%d bytes", b.Len())
		}
	})
	t.Run("damage is refused", func(t *testing.T) { refuseDamage(t, file) })

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
	m, err := node.Restore(home, file, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Blocks < 6 || m.State > m.Outcomes || m.Outcomes > m.Blocks {
		t.Errorf("manifest %+v", m)
	}
	if _, err := node.Restore(home, file, nil, nil); err == nil || !strings.Contains(err.Error(), "has a ledger already") {
		t.Errorf("restored over a ledger: %v", err)
	}
	net.Move(3, home)
	net.StartNode(3)
	pay(t, c, 0, 1, "3")
	sameRoots(t, net, 0, 1, 2, 3)
	if !strings.Contains(net.Log(3), "does not vote yet") {
		t.Error("a validator without its signing state votes, or does not say that it does not")
	}
	anchor, err := light.FromGenesis(net.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := net.Client(3).Prove(t.Context(), first.GetId(), anchor); err != nil {
		t.Errorf("a receipt of before the backup: %v", err)
	}
}

func writeBackup(t *testing.T, home node.Home, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := node.BackupRunning(t.Context(), home, f, strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// refuseDamage flips a byte here and there, and cuts the end off: nothing may be restored.
func refuseDamage(t *testing.T, file string) {
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "bad.tar")
	home := node.Home(filepath.Join(t.TempDir(), "home"))
	refuse := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(bad, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := node.Restore(home, bad, nil, nil); err == nil {
			t.Fatalf("%s was restored", what)
		}
		if _, err := os.Stat(string(home)); err == nil {
			t.Fatalf("%s left something behind", what)
		}
	}
	for at := 0; at < len(good); at += len(good)/97 + 1 {
		content := bytes.Clone(good)
		content[at] ^= 0x20
		refuse("a changed byte", content)
	}
	last := bytes.Clone(good)
	last[len(last)-1] ^= 1
	refuse("a changed last byte", last)
	refuse("a shortened file", good[:len(good)-512])
	refuse("a longer file", append(bytes.Clone(good), 0))
}

// A home in which a restore was cut off does not start and says what to do.
func TestRestoreCutOff(t *testing.T) {
	net := simnet.Start(t, 1)
	pay(t, net.Client(), 0, 1, "1")
	file := filepath.Join(t.TempDir(), "b.tar")
	writeBackup(t, net.Home(0), file)
	net.StopNode(0)

	home := node.Home(filepath.Join(t.TempDir(), "again"))
	if err := os.MkdirAll(filepath.Join(string(home), "data.restoring", "ledger"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Start(t.Context(), home, &node.Config{}, slog.New(slog.DiscardHandler), "test"); err == nil || !strings.Contains(err.Error(), "dure restore") {
		t.Errorf("started: %v", err)
	}
	for _, name := range []string{"node", "validator"} {
		key, err := net.Home(0).Key(name)
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
	if err := home.SignAtOnce(); err != nil { // nobody else can make a block
		t.Fatal(err)
	}
	net.Move(0, home)
	net.StartNode(0)
	pay(t, net.Client(), 0, 1, "1")
}
