//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cometlight "github.com/cometbft/cometbft/light"
	"github.com/cometbft/cometbft/light/provider"
	lighthttp "github.com/cometbft/cometbft/light/provider/http"
	lightdb "github.com/cometbft/cometbft/light/store/db"

	"github.com/dureledger/dure/client/light"
)

// A receipt is verified where there is no network, and no byte of it can be changed.
func TestReceiptStandsAlone(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.up()
	id := n.pay("250")
	file, genesis := filepath.Join(t.TempDir(), "r.dure"), filepath.Join(n.dir, "genesis.json")
	n.dure("receipt", "get", id, "-o", file)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("receipt of %d bytes", len(raw))
	if len(raw) >= 4096 {
		t.Errorf("the receipt has %d bytes", len(raw))
	}

	t.Run("without a network", func(t *testing.T) {
		cmd := exec.Command("unshare", "--net", "--map-root-user", n.binary, "receipt", "verify", file, "--genesis", genesis)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("every byte flipped", func(t *testing.T) { flipped(t, raw, genesis) })
	t.Run("refused by the command", func(t *testing.T) {
		bad := filepath.Join(t.TempDir(), "bad.dure")
		raw[len(raw)/2] ^= 1
		if err := os.WriteFile(bad, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, code := n.run("receipt", "verify", bad, "--genesis", genesis); code != 3 {
			t.Errorf("exit %d\n%s", code, out)
		}
	})
	t.Run("against a checkpoint", func(t *testing.T) {
		checkpoint, later := filepath.Join(t.TempDir(), "c.dure"), filepath.Join(t.TempDir(), "later.dure")
		n.dure("checkpoint", "get", "-o", checkpoint)
		n.pay("1")
		n.dure("receipt", "refresh", file, "--checkpoint", checkpoint, "-o", later)
		n.dure("receipt", "verify", later, "--checkpoint", checkpoint)
	})
}

func flipped(t *testing.T, raw []byte, genesisFile string) {
	genesis, err := os.ReadFile(genesisFile)
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := light.FromGenesis(genesis)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := anchor.VerifyReceipt(raw); err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for _, bit := range []byte{1, 0x80} {
			bad := append([]byte(nil), raw...)
			bad[i] ^= bit
			if _, err := anchor.VerifyReceipt(bad); err == nil {
				t.Errorf("byte %d changed by %#x is accepted", i, bit)
			}
		}
	}
}

// pay pays from alice to bob and returns the transaction's id.
func (n *network) pay(amount string) string {
	n.t.Helper()
	out := n.dure("asset", "transfer", "krw", amount, "--from", "alice", "--to", "bob", "--json")
	var o struct{ ID string }
	if err := json.Unmarshal([]byte(out), &o); err != nil || len(o.ID) != 64 {
		n.t.Fatalf("%v in %s", err, out)
	}
	return o.ID
}

// CometBFT's own light client believes our headers.
func TestForeignLightClient(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.up()
	for range 3 {
		n.pay("1")
	}
	var info struct{ Network string }
	post(t, n.url(0)+"/dure.api.v1.NetworkService/GetNetwork", "{}", &info)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var providers []provider.Provider
	for i := range 4 {
		p, err := lighthttp.New(info.Network, strings.Replace(n.url(i), "http://", "tcp://", 1)+"/cometbft")
		if err != nil {
			t.Fatal(err)
		}
		providers = append(providers, p)
	}
	first, err := providers[0].LightBlock(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cometlight.NewClient(ctx, info.Network,
		cometlight.TrustOptions{Period: time.Hour, Height: 1, Hash: first.Hash()},
		providers[0], providers[1:], lightdb.New(dbm.NewMemDB(), info.Network), cometlight.SequentialVerification())
	if err != nil {
		t.Fatal(err)
	}
	newest := n.status().Height
	block, err := c.VerifyLightBlockAtHeight(ctx, newest, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if block.Height != newest {
		t.Errorf("verified %d, want %d", block.Height, newest)
	}
}
