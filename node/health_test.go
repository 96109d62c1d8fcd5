package node_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/dureledger/dure/internal/simnet"
)

// failing asks a node whether it is well and returns the checks that it does not pass.
func failing(t *testing.T, url string) (code int, names []string) {
	t.Helper()
	code, body := get(t, url)
	var h struct {
		OK     bool
		Checks []struct {
			Name, Reason string
			OK           bool
		}
	}
	if err := json.Unmarshal([]byte(body), &h); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for _, c := range h.Checks {
		if c.Reason == "" {
			t.Errorf("check %s gives no reason", c.Name)
		}
		if !c.OK {
			names = append(names, c.Name)
		}
	}
	if h.OK != (len(names) == 0) || h.OK != (code == http.StatusOK) {
		t.Errorf("%d %s", code, body)
	}
	return code, names
}

// A node that has lost its peers lives, but is not ready, and says why, also in its status.
func TestReadyNeedsAQuorum(t *testing.T) {
	network := simnet.Start(t, 2)
	network.Eventually(func() bool { code, _ := failing(t, network.URL(0)+"/readyz"); return code == http.StatusOK }, "never ready")
	network.StopNode(1)
	network.Eventually(func() bool {
		_, names := failing(t, network.URL(0)+"/readyz")
		return len(names) == 1 && names[0] == "quorum"
	}, "ready without the other member")
	if code, _ := failing(t, network.URL(0)+"/healthz"); code != http.StatusOK {
		t.Error("a node without peers is taken for dead")
	}
	s, err := network.Client(0).Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.GetChecks() {
		if c.GetOk() == (c.GetName() == "quorum") {
			t.Errorf("status says %v", c)
		}
	}
	network.StartNode(1)
	network.Eventually(func() bool { code, _ := failing(t, network.URL(0)+"/readyz"); return code == http.StatusOK }, "not ready again")
}
