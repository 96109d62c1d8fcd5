package consensus

import (
	"bytes"
	"crypto/sha256"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// value is a metric's value among those of a registry; labels are name, value pairs that it must have.
func value(t *testing.T, registry *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
	metrics:
		for _, m := range family.GetMetric() {
			has := map[string]string{}
			for _, l := range m.GetLabel() {
				has[l.GetName()] = l.GetValue()
			}
			for i := 0; i < len(labels); i += 2 {
				if has[labels[i]] != labels[i+1] {
					continue metrics
				}
			}
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	t.Fatalf("%s %v is not measured", name, labels)
	return 0
}

// A member whose batch is bad is counted by name, and so is what is not taken of it afterwards.
func TestBadSealerIsCountedByName(t *testing.T) {
	e := loneEngine(t, "127.0.0.1:0", fullDisk{})
	registry := prometheus.NewRegistry()
	e.measure(registry)
	name := e.Tip().memberName(testSealer)
	if name == stranger {
		t.Fatal("the sealer is no member")
	}
	bad, good := sealedNoise(t), testBatch(t, 1)
	if err := e.accept(sha256.Sum256(bad), bad); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("the error does not name the member: %v", err)
	}
	if err := e.accept(good.hash, good.raw); err != nil {
		t.Error(err)
	}
	for reason, want := range map[string]float64{refusedBad: 1, refusedCaught: 1, refusedQuota: 0, refusedExpired: 0} {
		if got := value(t, registry, "dure_reactor_batches_refused_total", "sealer", name, "reason", reason); got != want {
			t.Errorf("%s: %v, want %v", reason, got, want)
		}
	}
	if got := value(t, registry, "dure_reactor_batches_received_total", "sealer", name); got != 0 {
		t.Errorf("%v counted as good", got)
	}
}

// Who floods is counted for every frame and named in the log now and then.
func TestFloodingPeerIsNamed(t *testing.T) {
	registry, log := prometheus.NewRegistry(), &bytes.Buffer{}
	m := newReactorMetrics(registry, &Reactor{}, slog.New(slog.NewTextHandler(log, nil)))
	m.connected("id", "Member 7")
	for range 1000 {
		m.drop("id")
	}
	if got := value(t, registry, "dure_reactor_frames_dropped_total", "peer", "Member 7"); got != 1000 {
		t.Errorf("%v frames", got)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "Member 7") {
		t.Errorf("%d lines:\n%s", n, log)
	}
	m.left("id")
	m.drop("id")
	if got := value(t, registry, "dure_reactor_frames_dropped_total", "peer", stranger); got != 1 {
		t.Errorf("%v frames of strangers", got)
	}
}

// Codes that others could make up do not make the metric grow.
func TestCodesAreBounded(t *testing.T) {
	registry := prometheus.NewRegistry()
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "x"}, []string{"code"})
	registry.MustRegister(vec)
	codes := newByCode(vec)
	for i := range maxCodes + 50 {
		codes.add(1, "code."+string(rune('a'+i)))
	}
	if got := value(t, registry, "x", "code", "other"); got != 50 {
		t.Errorf("%v others", got)
	}
}

// Two nodes of one process have registries of their own, CometBFT's metrics included.
func TestNodesOfOneProcessDoNotCollide(t *testing.T) {
	before := prometheus.DefaultRegisterer
	for range 2 {
		registry := prometheus.NewRegistry()
		first, _, _, _, _, _, _ := cometMetrics(registry)("test")
		first.Height.Set(7)
		if got := value(t, registry, "cometbft_consensus_height", "chain_id", "test"); got != 7 {
			t.Errorf("height %v", got)
		}
	}
	if prometheus.DefaultRegisterer != before {
		t.Error("the process's registerer is not put back")
	}
}
