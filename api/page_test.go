package api_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
)

func (n *node) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	res, err := n.client.Get(n.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestPages(t *testing.T) {
	n := start(t)
	id := n.pay(t, "150000", "점심값 <script>alert(1)</script>")
	failed := n.pay(t, "999999999999", "")
	if _, err := n.Do([]*txv1.Action{indextest.Record(indextest.Person(3), "one", "임대차 계약서", "lease.pdf")}, indextest.Person(3)); err != nil {
		t.Fatal(err)
	}
	n.indexed(t)
	tx, refused := hex.EncodeToString(id[:]), hex.EncodeToString(failed[:])
	sum := sha256.Sum256([]byte("one"))
	digest := hex.EncodeToString(sum[:])
	n.showsAll(t, map[string][]string{
		"/":                                     {`lang="ko"`, "한빛은행", "블록 높이", tx, "1,500.00", "이 노드"},
		"/?lang=en":                             {`lang="en"`, "Height", "this node", "Newest cosigned checkpoint:"},
		"/tx/" + tx:                             {"확정", "보내기", "1,500.00", "&lt;script&gt;", "2026-01-01 09:00:01", "2026-01-01 00:00:01.000 UTC", "/receipt"},
		"/tx/" + refused:                        {"거절", "잔액이 모자랍니다", "asset.insufficient_balance"},
		"/tx/" + refused + "?lang=en":           {"Why it was refused"},
		"/block/1":                              {tx, "/block/2"},
		"/block/0":                              {"/block/2"},
		"/account/" + person(1).String():        {person(1).String(), "1,001,500.00", tx},
		"/account/0x" + strings.Repeat("1", 40): {"개설되지 않은"},
		"/record/" + digest:                     {"임대차 계약서", "lease.pdf", "유효"},
		"/search?q=%EC%A0%90%EC%8B%AC":          {tx, "점심"},
		"/search?q=nothing+like+it":             {"찾은 거래가 없습니다"},
	})
}

// showsAll says what pages lack.
func (n *node) showsAll(t *testing.T, pages map[string][]string) {
	t.Helper()
	for path, want := range pages {
		res, body := n.get(t, path)
		if res.StatusCode != 200 {
			t.Errorf("%s: %s", path, res.Status)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %q:\n%s", path, w, body)
			}
		}
		if strings.Contains(body, "<script>alert") {
			t.Errorf("%s runs what a memo says", path)
		}
		for _, word := range []string{"ZgotmplZ", "<no value>", "%!"} {
			if strings.Contains(body, word) {
				t.Errorf("%s has %q", path, word)
			}
		}
		if csp := res.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
}

func TestPagesThatAreNot(t *testing.T) {
	n := start(t)
	for path, want := range map[string]int{
		"/tx/" + strings.Repeat("0", 64): 404, "/tx/zz": 400, "/block/77": 404, "/block/x": 400, "/account/0x12": 400,
		"/record/zz": 400, "/no/such/page": 404, "/static/none.css": 404, "/static/": 404,
		"/tx/" + strings.Repeat("0", 64) + "/receipt": 404, "/search?q=" + strings.Repeat("a", 500): 400,
		"/account/" + person(0).String() + "?page=bad": 400,
	} {
		if res, _ := n.get(t, path); res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
}

func TestSearchGoesStraight(t *testing.T) {
	n := start(t)
	id := n.pay(t, "1", "")
	n.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	digest := strings.Repeat("ab", 32)
	for q, want := range map[string]string{
		hex.EncodeToString(id[:]): "/tx/" + hex.EncodeToString(id[:]), strings.ToUpper(hex.EncodeToString(id[:])): "/tx/" + hex.EncodeToString(id[:]),
		"1": "/block/1", person(0).String(): "/account/" + person(0).String(), digest: "/record/" + digest, "0x" + digest: "/record/" + digest,
	} {
		if res, _ := n.get(t, "/search?q="+q); res.StatusCode != 303 || res.Header.Get("Location") != want {
			t.Errorf("%s: %s, %s", q, res.Status, res.Header.Get("Location"))
		}
	}
}

func TestReceiptIsAFile(t *testing.T) {
	n := start(t)
	id := n.pay(t, "1", "")
	res, body := n.get(t, "/tx/"+hex.EncodeToString(id[:])+"/receipt")
	if res.StatusCode != 200 || !strings.HasSuffix(body, string(id[:])) ||
		res.Header.Get("Content-Disposition") != `attachment; filename="`+hex.EncodeToString(id[:8])+`.dure"` {
		t.Errorf("%s %v", res.Status, res.Header)
	}
}

func TestEvents(t *testing.T) {
	n := start(t)
	res, err := n.client.Get(n.url + "/events?lang=en")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(res.Header)
	}
	lines := bufio.NewReaderSize(res.Body, 1<<20)
	next := func() string {
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				return data
			}
		}
	}
	if first := next(); !strings.Contains(first, "No transactions yet") {
		t.Errorf("first event %s", first)
	}
	id := n.pay(t, "1", "")
	if second := next(); !strings.Contains(second, hex.EncodeToString(id[:])) {
		t.Errorf("second event %s", second)
	}
	n.server.Stop()
	if _, err := io.ReadAll(lines); err != nil {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestHealth(t *testing.T) {
	n := start(t)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/openapi.json": 200, "/static/dure.css": 200, "/static/live.js": 200, "/wallet": 200, "/wallet/wallet.js": 200, "/wallet/nothing": 404} {
		if res, _ := n.get(t, path); res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	n.catching = true
	if res, _ := n.get(t, "/readyz"); res.StatusCode != 503 {
		t.Errorf("while catching up: %s", res.Status)
	}
	n.catching = false
	n.server.Stop()
	if res, _ := n.get(t, "/readyz"); res.StatusCode != 503 {
		t.Errorf("while stopping: %s", res.Status)
	}
}

func TestOnlyOurHostsAndOrigin(t *testing.T) {
	n := start(t)
	for _, tc := range []struct {
		host, origin, method string
		want                 int
	}{
		{"localhost:8080", "", "GET", 200},
		{"127.0.0.9", "", "GET", 200},
		{"[::1]:80", "", "GET", 200},
		{"NODE.example:443", "", "GET", 200},
		{"evil.example", "", "GET", 421},
		{"localhost.evil.example", "", "GET", 421},
		{"10.0.0.1", "", "GET", 421},
		{"node.example", "https://evil.example", "POST", 403},
		{"node.example", "http://node.example", "POST", 200},
	} {
		r, err := http.NewRequest(tc.method, n.url+"/dure.api.v1.LedgerService/GetStatus", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if tc.method == "GET" {
			r, _ = http.NewRequest("GET", n.url+"/healthz", nil)
		}
		r.Host = tc.host
		r.Header.Set("Content-Type", "application/json")
		if tc.origin != "" {
			r.Header.Set("Origin", tc.origin)
			r.Header.Set("Sec-Fetch-Site", map[bool]string{true: "same-origin", false: "cross-site"}[strings.HasSuffix(tc.origin, "//"+tc.host)])
		}
		res, err := n.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != tc.want {
			t.Errorf("%s from %q: %s", tc.host, tc.origin, res.Status)
		}
		if res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Error("another origin may read")
		}
	}
}
