package node_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/internal/simnet"
)

// collector takes traces as an OpenTelemetry collector does.
type collector struct {
	mu    sync.Mutex
	spans map[string][]*tracev1.Span // by the member that sent them
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	req := &collectorv1.ExportTraceServiceRequest{}
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, req) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range req.GetResourceSpans() {
		member := ""
		for _, a := range resource.GetResource().GetAttributes() {
			if a.GetKey() == "dure.member" {
				member = a.GetValue().GetStringValue()
			}
		}
		for _, scope := range resource.GetScopeSpans() {
			c.spans[member] = append(c.spans[member], scope.GetSpans()...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// of returns the spans that a member sent about a transaction.
func (c *collector) of(member int, id []byte) (out []*tracev1.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans[simnet.Address(simnet.Signer(member)).String()] {
		if string(s.GetTraceId()) == string(id[:16]) {
			out = append(out, s)
		}
	}
	return out
}

// One payment is one trace, with what every member did for it below the root.
func TestTraceOfAPaymentAcrossMembers(t *testing.T) {
	got := &collector{spans: map[string][]*tracev1.Span{}}
	server := httptest.NewServer(got)
	defer server.Close()
	network := simnet.Start(t, 2)
	for i := range 2 {
		configure(t, network, i, "trace.endpoint: "+server.URL+"/v1/traces", "trace.ratio: 1")
	}
	for i := range 2 {
		network.Eventually(func() bool { code, _ := failing(t, network.URL(i)+"/readyz"); return code == http.StatusOK }, "member %d is not ready", i)
	}

	c := network.Client(0)
	info, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	from, to := simnet.Person(0), simnet.Person(1)
	outcome, err := c.Do(t.Context(), client.NewTransaction(info.GetNetwork()).Transfer(simnet.Address(from), simnet.Address(to), "krw", "5"), from)
	if err != nil {
		t.Fatal(err)
	}
	network.Eventually(func() bool {
		s, err := network.Client(1).Status(t.Context())
		return err == nil && s.GetHeight() >= outcome.GetHeight()
	}, "member 1 does not follow")
	for i := range 2 {
		network.StopNode(i) // sends what is left
	}

	id, err := hex.DecodeString(outcome.GetId())
	if err != nil {
		t.Fatal(err)
	}
	checkSpans(t, got.of(0, id), id, "transaction", "check", "seal", "order", "execute", "commit")
	checkSpans(t, got.of(1, id), id, "spread", "order", "execute", "commit")
}

// configure adds lines to a member's configuration and starts its node again.
func configure(t *testing.T, network *simnet.Network, member int, lines ...string) {
	t.Helper()
	network.StopNode(member)
	file := network.Home(member).Config()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, fmt.Appendf(raw, "\n%s\n", strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	network.StartNode(member)
}

// checkSpans checks that the spans are these, each once, that only the root has no parent and that no time runs back.
func checkSpans(t *testing.T, spans []*tracev1.Span, id []byte, want ...string) {
	t.Helper()
	var names []string
	for _, s := range spans {
		names = append(names, s.GetName())
		root := s.GetName() == "transaction"
		if root != (len(s.GetParentSpanId()) == 0) || root != (string(s.GetSpanId()) == string(id[16:24])) {
			t.Errorf("%s is span %x below %x of transaction %x", s.GetName(), s.GetSpanId(), s.GetParentSpanId(), id)
		}
		if !root && string(s.GetParentSpanId()) != string(id[16:24]) {
			t.Errorf("%s is below %x", s.GetName(), s.GetParentSpanId())
		}
		if s.GetEndTimeUnixNano() < s.GetStartTimeUnixNano() {
			t.Errorf("%s ends before it begins", s.GetName())
		}
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("spans %v, want %v", names, want)
	}
}
