package node_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/internal/simnet"
)

// What the dashboard and the alerts ask for is what a running node has.
func TestDashboardAsksForWhatIsThere(t *testing.T) {
	network := simnet.Start(t, 2)
	pay(t, network, "1", "ok")
	pay(t, network, "99000000", "failed")
	refused(t, network.URL(0))

	code, page := get(t, network.URL(0)+"/metrics")
	if code != http.StatusOK {
		t.Fatalf("/metrics: %d", code)
	}
	kinds := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(page, -1) {
		kinds[m[1]] = m[2]
		if !regexp.MustCompile(`(?m)^# HELP ` + m[1] + ` \S`).MatchString(page) {
			t.Errorf("%s has no help", m[1])
		}
	}
	asked := append(dashboardQueries(t, "../deploy/grafana/dure.json"), alertQueries(t, "../deploy/grafana/alerts.yml")...)
	if len(asked) < 50 {
		t.Fatalf("only %d queries found", len(asked))
	}
	for _, query := range asked {
		for _, name := range regexp.MustCompile(`\b(?:dure|cometbft|go|process)_[a-z0-9_]+`).FindAllString(query, -1) {
			family := name
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if base, cut := strings.CutSuffix(name, suffix); cut && (kinds[base] == "histogram" || kinds[base] == "summary") {
					family = base
				}
			}
			if kinds[family] == "" {
				t.Errorf("%s, asked for by %q, is not in /metrics", name, query)
			}
		}
	}
	for _, want := range []string{
		`dure_transactions_total{code="",status="ok"} 1`, `dure_transactions_total{code="asset.insufficient_balance",status="failed"} 1`,
		`dure_pool_refused_total{code="tx.`, `dure_reactor_batches_refused_total{reason="bad",sealer="Member 1"} 0`, `dure_peers 1`,
		`dure_ready{check="quorum"} 1`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// pay sends money through member 0 and checks how it ends.
func pay(t *testing.T, network *simnet.Network, amount, status string) {
	t.Helper()
	c := network.Client(0)
	info, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	from, to := simnet.Person(0), simnet.Person(1)
	outcome, err := c.Do(t.Context(), client.NewTransaction(info.GetNetwork()).Transfer(simnet.Address(from), simnet.Address(to), "krw", amount), from)
	if outcome.GetStatus() != status {
		t.Fatalf("%s, %v; want %s", outcome.GetStatus(), err, status)
	}
}

// refused sends bytes that are no transaction.
func refused(t *testing.T, url string) {
	t.Helper()
	resp, err := http.Post(url+"/dure.api.v1.LedgerService/Submit", "application/json", strings.NewReader(`{"transaction":"AAAA"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func dashboardQueries(t *testing.T, file string) (out []string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			Title, Description, Type string
			Targets                  []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Panels {
		if p.Type != "row" && (len(p.Targets) == 0 || p.Description == "") {
			t.Errorf("panel %q asks for nothing or does not say what it shows", p.Title)
		}
		for _, target := range p.Targets {
			out = append(out, target.Expr)
		}
	}
	return out
}

func alertQueries(t *testing.T, file string) (out []string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var a struct {
		Groups []struct{ Rules []struct{ Expr string } }
	}
	if err := yaml.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	for _, g := range a.Groups {
		for _, r := range g.Rules {
			out = append(out, r.Expr)
		}
	}
	return out
}
