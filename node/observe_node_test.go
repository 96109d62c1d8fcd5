package node_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/dureledger/dure/internal/simnet"
)

func TestProfilesAndMetricsOnTheirOwnListener(t *testing.T) {
	network := simnet.Start(t, 1)
	if code, body := get(t, network.URL(0)+"/metrics"); code != http.StatusOK || !strings.Contains(body, "go_goroutines") {
		t.Errorf("by default the API's address answers: %d %.80s", code, body)
	}
	if code, _ := get(t, network.URL(0)+"/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("profiles without metrics.profile: %d", code)
	}
	n := startAgain(t, network, map[string]string{"metrics.listen": "127.0.0.1:0", "metrics.profile": "true"})
	for path, holds := range map[string]string{"/metrics": "go_goroutines", "/debug/pprof/": "goroutine", "/debug/pprof/heap?debug=1": "heap profile"} {
		if code, body := get(t, "http://"+n.MetricsAddress()+path); code != http.StatusOK || !strings.Contains(body, holds) {
			t.Errorf("%s: %d %.80s", path, code, body)
		}
	}
	if code, _ := get(t, "http://"+n.Address()+"/metrics"); code != http.StatusNotFound {
		t.Errorf("the API's address answers as well: %d", code)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
