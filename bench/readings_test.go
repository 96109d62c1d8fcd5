package bench_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/dureledger/dure/bench"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/internal/simnet"
)

// TestReadings runs a short benchmark on a real network and looks at what it reports.
func TestReadings(t *testing.T) {
	net := simnet.Start(t, 2)
	n := bench.Network{
		APIs: []string{net.URL(0), net.URL(1)}, PID: func(int) int { return os.Getpid() }, Indexing: 2,
		Genesis: net.Genesis, Issuer: simnet.Signer(0),
	}
	var said bytes.Buffer
	report, err := bench.Readings{Seconds: 2, Kind: accountv1.KeyKind_KEY_KIND_P256, Devices: 12, Each: 16, Proofs: 5}.Run(t.Context(), n, &said)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if report.Committed != report.Offered || report.Committed == 0 || report.Accepted+report.Late+report.Quarantined != report.Committed ||
		!report.Checks.VerdictsAgree || !report.Checks.HeadsAgree || !report.Checks.SameRootEverywhere || report.Checks.ReadingsProven == 0 {
		t.Errorf("%v", report)
	}
	raw, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"members", "committed_per_s", "latency_ms", "verify_per_core_s", "limit_per_s", "of_limit", "member_cpu_us", "client_cpu_us",
		"kind", "devices", "each", "verdicts_agree", "heads_agree", "same_root_everywhere", "readings_sampled", "readings_proven"} {
		if !strings.Contains(string(raw), `"`+name+`":`) {
			t.Errorf("the report has no %s", name)
		}
	}
}

func TestReadingsRefuses(t *testing.T) {
	network := bench.Network{APIs: []string{"http://127.0.0.1:1"}, Indexing: 1}
	for _, p := range []bench.Readings{
		{}, {Seconds: 1, Devices: 1}, {Seconds: 1, Devices: 1, Kind: accountv1.KeyKind_KEY_KIND_SECP256K1},
		{Seconds: 1, Devices: bench.MaxDevices + 1, Kind: accountv1.KeyKind_KEY_KIND_P256}, {Seconds: 1, Devices: 1, Each: 257, Kind: accountv1.KeyKind_KEY_KIND_P256},
	} {
		if _, err := p.Run(t.Context(), network, io.Discard); err == nil {
			t.Errorf("%+v was run", p)
		}
	}
}
