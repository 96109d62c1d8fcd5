package node_test

import (
	"context"
	"flag"
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/node"
)

// startAgain stops member 0 of a network and starts it with other settings.
func startAgain(t *testing.T, network *simnet.Network, flags map[string]string) *node.Node {
	t.Helper()
	network.StopNode(0)
	config, err := node.Load(network.Home(0).Config(), func(string) (string, bool) { return "", false }, flags)
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Start(context.Background(), network.Home(0), config, slog.New(slog.NewTextHandler(io.Discard, nil)), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func TestMetricsReferenceIsCurrent(t *testing.T) {
	const page = "../docs/metrics.md"
	metrics := startAgain(t, simnet.Start(t, 1), nil).Metrics()
	for _, m := range metrics {
		if m.Help == "" || m.Type == "" {
			t.Errorf("%s: help %q, type %q", m.Name, m.Help, m.Type)
		}
	}
	want := node.MetricsReference(metrics)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(raw) != want {
		t.Error("docs/metrics.md is not what the code says; run go test ./node -update")
	}
}
