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

// TestRely asks a real network about some thousand readings and has every answer compared.
func TestRely(t *testing.T) {
	net := simnet.Start(t, 2)
	n := bench.Network{
		APIs: []string{net.URL(0), net.URL(1)}, PID: func(int) int { return os.Getpid() }, Indexing: 2,
		Genesis: net.Genesis, Issuer: simnet.Signer(0),
	}
	var said bytes.Buffer
	report, err := bench.Rely{
		Readings: 16_000, Kind: accountv1.KeyKind_KEY_KIND_ED25519, Devices: 24, Sources: 50, Forged: 2, Questions: 100, Seed: 7,
	}.Run(t.Context(), n, &said)
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	// Each has more than 512, among them a late one and one that is out of range.
	if report.Readings < 16_000 || report.Forged != 2 || report.Sources != 24 || report.Fill.Late < 24 || report.Fill.Quarantined < 24 ||
		report.Checks != (bench.RelyChecks{Readings: true, Devices: true, Values: true, Taints: true}) || report.TaintMS.P99 <= 0 {
		t.Errorf("%v", report)
	}
	raw, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fill", "readings", "sources", "questions", "forged", "reading_ms", "rely_ms", "value_ms", "taint_ms", "checks"} {
		if !strings.Contains(string(raw), `"`+name+`":`) {
			t.Errorf("the report has no %s", name)
		}
	}
}

func TestRelyRefuses(t *testing.T) {
	good := bench.Rely{Readings: 100, Kind: accountv1.KeyKind_KEY_KIND_P256, Devices: 10, Sources: 50, Questions: 1}
	for _, change := range []func(*bench.Rely){
		func(r *bench.Rely) { r.Readings = 9 }, func(r *bench.Rely) { r.Readings = bench.MaxFill + 1 }, func(r *bench.Rely) { r.Devices = 0 },
		func(r *bench.Rely) { r.Sources = 75 }, func(r *bench.Rely) { r.Sources = 1050 }, func(r *bench.Rely) { r.Forged = 11 }, func(r *bench.Rely) { r.Questions = 0 },
		func(r *bench.Rely) { r.Kind = accountv1.KeyKind_KEY_KIND_SECP256K1 },
	} {
		p := good
		change(&p)
		if _, err := p.Run(t.Context(), bench.Network{APIs: []string{"http://127.0.0.1:1"}, Indexing: 1}, io.Discard); err == nil {
			t.Errorf("%+v was run", p)
		}
	}
}

func TestDevicesRefuses(t *testing.T) {
	good := bench.Devices{Seconds: 1, Kind: accountv1.KeyKind_KEY_KIND_P256, Connected: 10, Rate: 5}
	for _, change := range []func(*bench.Devices){
		func(d *bench.Devices) { d.Seconds = 0 }, func(d *bench.Devices) { d.Connected = 0 }, func(d *bench.Devices) { d.Connected = bench.MaxConnected + 1 },
		func(d *bench.Devices) { d.Rate = 0 }, func(d *bench.Devices) { d.Reporting = 11 }, func(d *bench.Devices) { d.Forged = 11 },
		func(d *bench.Devices) { d.Kind = accountv1.KeyKind_KEY_KIND_SECP256K1 },
	} {
		p := good
		change(&p)
		if p.Check() == nil {
			t.Errorf("%+v may be run", p)
		}
	}
}
