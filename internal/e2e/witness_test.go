//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/dureledger/dure/client/light"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	"github.com/dureledger/dure/ledger/proof"
)

// Two witnesses run as processes; a receipt carries what they sign and is verified where there is no network.
func TestWitnessesRun(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	n.env = []string{"DURE_WITNESS_PERIOD=1"}
	n.up()
	id := n.pay("250")
	names := []string{"auditor", "archive"}
	var known []string
	var processes []*exec.Cmd
	for _, name := range names {
		n.dure("key", "new", name)
		known = append(known, strings.TrimSpace(n.dure("witness", "key", "--name", name+".example", "--key", name)))
		cmd := n.command("witness", "run", "--name", name+".example", "--key", name, "--every", "200ms",
			"--node", n.url(0)+","+n.url(1)+","+n.url(2), "--genesis", filepath.Join(n.dir, "genesis.json"))
		out := &output{}
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			if t.Failed() {
				t.Log(out)
			}
		})
		processes = append(processes, cmd)
	}
	file, genesis := filepath.Join(t.TempDir(), "r.dure"), filepath.Join(n.dir, "genesis.json")
	eventually(t, time.Minute, func() bool {
		_, code := n.run("receipt", "get", id, "-o", file, "--witnessed", "--least", "2", "--node", n.url(1))
		return code == 0
	}, "no receipt is witnessed")

	t.Run("offline", func(t *testing.T) {
		cmd := exec.Command("unshare", "--net", "--map-root-user", n.binary, "receipt", "verify", file, "--genesis", genesis,
			"--witness", known[0], "--witness", known[1], "--least", "2")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "auditor.example, 20") || !strings.Contains(string(out), "archive.example, 20") {
			t.Errorf("%v\n%s", err, out)
		}
	})
	t.Run("states that none is known", func(t *testing.T) {
		if out := n.dure("receipt", "verify", file, "--genesis", genesis); !strings.Contains(out, "none that you named has cosigned (cosigned by 2") {
			t.Error(out)
		}
	})
	t.Run("refuses fewer", func(t *testing.T) {
		n.dure("key", "new", "other")
		other := strings.TrimSpace(n.dure("witness", "key", "--name", "other.example", "--key", "other"))
		args := []string{"receipt", "verify", file, "--genesis", genesis, "--witness", known[0], "--witness", known[1], "--witness", other}
		if out, code := n.run(args...); code != 3 || !strings.Contains(out, "fewer of the witnesses") {
			t.Errorf("exit %d\n%s", code, out)
		}
		n.dure(append(args, "--least", "2")...)
	})
	t.Run("every byte flipped", func(t *testing.T) { flippedWitnessed(t, file, genesis, known) })

	t.Run("chosen by vote", func(t *testing.T) {
		n.dure("network", "propose", "--by", "bank", "--set", "witnesses="+strings.Join(known, ","), "--set", "least_witnesses=2")
		n.dure("network", "vote", "1", "--by", "city")
		n.dure("network", "vote", "1", "--by", "broker")
		if out := n.dure("network", "show"); !strings.Contains(out, known[0]) || !strings.Contains(out, known[1]) {
			t.Error(out)
		}
		asked := filepath.Join(t.TempDir(), "r.dure")
		n.dure("receipt", "get", id, "-o", asked, "--witnessed")
		n.dure("receipt", "verify", asked, "--genesis", genesis, "--witness", known[0], "--witness", known[1])
	})

	for _, cmd := range processes {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("a witness ended badly: %v", err)
		}
	}
	var status struct {
		Witnessed struct{ Cosignatures int }
	}
	if err := json.Unmarshal([]byte(n.dure("status", "--json")), &status); err != nil || status.Witnessed.Cosignatures < 1 {
		t.Errorf("status does not say how the newest checkpoint is witnessed: %+v, %v", status, err)
	}
}

func flippedWitnessed(t *testing.T, file, genesisFile string, known []string) {
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	genesis, err := os.ReadFile(genesisFile)
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := light.FromGenesis(genesis)
	if err != nil {
		t.Fatal(err)
	}
	policy := proof.Policy{Threshold: len(known)}
	for _, key := range known {
		w, err := proof.ParseWitness(key)
		if err != nil {
			t.Fatal(err)
		}
		policy.Witnesses = append(policy.Witnesses, w)
	}
	if _, err := anchor.VerifyWitnessed(raw, policy); err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		if _, err := anchor.VerifyWitnessed(raw, policy); err == nil {
			t.Errorf("byte %d changed is accepted", i)
		}
		raw[i] ^= 1
	}
}

// forger is a node that shows what it is given: files of client/light/testdata/witness, all signed by validators' keys.
type forger struct {
	apiv1connect.UnimplementedLedgerServiceHandler

	mu      sync.Mutex
	network string
	answer  *apiv1.GetCheckpointResponse
	got     int
}

func (f *forger) GetStatus(context.Context, *connect.Request[apiv1.GetStatusRequest]) (*connect.Response[apiv1.GetStatusResponse], error) {
	return connect.NewResponse(&apiv1.GetStatusResponse{Network: f.network}), nil
}

func (f *forger) GetCheckpoint(context.Context, *connect.Request[apiv1.GetCheckpointRequest]) (*connect.Response[apiv1.GetCheckpointResponse], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return connect.NewResponse(f.answer), nil
}

func (f *forger) AddCosignature(context.Context, *connect.Request[apiv1.AddCosignatureRequest]) (*connect.Response[apiv1.AddCosignatureResponse], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got++
	return connect.NewResponse(&apiv1.AddCosignatureResponse{}), nil
}

func (f *forger) show(t *testing.T, name string, consistency [][]byte) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "..", "client", "light", "testdata", "witness", name))
	if err != nil {
		t.Fatal(err)
	}
	c, err := proof.DecodeCheckpoint(file)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.network, f.answer = c.Network, &apiv1.GetCheckpointResponse{Checkpoint: file, Consistency: consistency}
}

// A witness that is shown a second history, signed with the leaked keys of all validators, does not sign, says so, and
// keeps what it was shown; it goes on when the history is its own again.
func TestWitnessRefusesAFork(t *testing.T) {
	t.Parallel()
	f := &forger{}
	_, handler := apiv1connect.NewLedgerServiceHandler(f)
	server := httptest.NewServer(handler)
	defer server.Close()
	home, genesis := t.TempDir(), filepath.Join("..", "..", "client", "light", "testdata", "witness", "genesis.json")
	dure := func(args ...string) (string, int) {
		cmd := exec.Command(binary, args...)
		cmd.Env = append(os.Environ(), "DURE_HOME="+home, "DURE_PASSPHRASE=a passphrase for tests")
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := dure("key", "new", "auditor"); code != 0 {
		t.Fatal(out)
	}
	witness := func(run string) (string, int) {
		return dure("witness", run, "--name", "auditor.example", "--key", "auditor", "--node", server.URL, "--genesis", genesis)
	}
	f.show(t, "first.txt", nil)
	if out, code := witness("once"); code != 0 || f.got != 1 {
		t.Fatalf("exit %d, %d cosignatures\n%s", code, f.got, out)
	}
	last, err := filepath.Glob(filepath.Join(home, "cosigned-auditor-*.txt"))
	if err != nil || len(last) != 1 {
		t.Fatal(last, err)
	}
	var vectors []struct {
		Shown, Code string
		Consistency [][]byte
	}
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(genesis), "vectors.json"))
	if err == nil {
		err = json.Unmarshal(raw, &vectors)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		if v.Code != "witness.second_history" {
			continue
		}
		f.show(t, v.Shown, v.Consistency)
		for _, run := range []string{"once", "run"} { // run ends by itself
			out, code := witness(run)
			if code != 3 || f.got != 1 || !strings.Contains(out, "SECOND HISTORY") {
				t.Errorf("%s of %s: exit %d, %d cosignatures\n%s", run, v.Shown, code, f.got, out)
			}
		}
		if _, err := os.Stat(last[0] + ".second"); err != nil {
			t.Error(err)
		}
	}
	f.show(t, "next.txt", vectors[1].Consistency)
	if out, code := witness("once"); code != 0 || f.got != 2 {
		t.Errorf("exit %d, %d cosignatures\n%s", code, f.got, out)
	}
}
