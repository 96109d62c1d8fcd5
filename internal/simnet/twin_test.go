package simnet_test

import (
	"bufio"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/internal/simnet"
)

// A member whose node runs twice signs twice. The others go on, and all of them hold the evidence, alike.
func TestSigningTwiceIsOnTheLedger(t *testing.T) {
	t.Run("Ed25519", func(t *testing.T) { signingTwice(t, simnet.Start(t, 4)) })
	t.Run("ML-DSA-65", func(t *testing.T) { signingTwice(t, simnet.StartPostQuantum(t, 4, nil)) })
}

func signingTwice(t *testing.T, net *simnet.Network) {
	honest := net.Client(0, 1)
	pay(t, honest, 0, 1, "1")
	net.StartTwin(3, 2)
	culprit := simnet.Address(simnet.Signer(3)).String()
	net.Eventually(func() bool {
		pay(t, honest, 0, 1, "1")
		return len(memberOf(t, honest, culprit).GetMisbehaviours()) > 0
	}, "no evidence on the ledger")

	for i := range 3 {
		c := net.Client(i)
		net.Eventually(func() bool { return len(memberOf(t, c, culprit).GetMisbehaviours()) > 0 }, "member %d has no evidence", i)
		m := memberOf(t, c, culprit)
		first := m.GetMisbehaviours()[0]
		if first.GetKind() != "duplicate_vote" || first.GetHeight() < 1 || first.GetTime() == "" || first.GetRecordedAt() <= first.GetHeight() ||
			m.GetMisbehaviourCount() == 0 {
			t.Errorf("member %d shows %v, %d in all", i, first, m.GetMisbehaviourCount())
		}
		for other := range 3 {
			if m := memberOf(t, c, simnet.Address(simnet.Signer(other)).String()); m.GetMisbehaviourCount() != 0 {
				t.Errorf("member %d accuses member %d: %v", i, other, m.GetMisbehaviours())
			}
		}
		if log := net.Log(i); !strings.Contains(log, `a validator signed twice`) || !strings.Contains(log, `member="Member 3"`) {
			t.Errorf("member %d does not name the culprit in its log", i)
		}
		if n := metric(t, net, i, `dure_double_signs_total{validator="Member 3"}`); n < 1 {
			t.Errorf("member %d counts %v", i, n)
		}
	}
	if page := statusPage(t, net.URL(0)); !strings.Contains(page, "이중 서명") {
		t.Errorf("the status page does not show it:\n%s", page)
	}
	sameRoots(t, net, 0, 1, 2)
	if b := balance(t, net.Client(2), 0); b == "1000000" {
		t.Error("nothing was paid")
	}
}

func statusPage(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// metric reads one line of member i's /metrics.
func metric(t *testing.T, net *simnet.Network, i int, name string) float64 {
	t.Helper()
	resp, err := http.Get(net.URL(i) + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("member %d does not measure %s", i, name)
	return 0
}

func memberOf(t *testing.T, c *client.Client, address string) *apiv1.Member {
	t.Helper()
	info, err := c.NetworkInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range info.GetMembers() {
		if m.GetAddress() == address {
			return m
		}
	}
	t.Fatalf("%s is no member", address)
	return nil
}
