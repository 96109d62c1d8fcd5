package node

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// catalogue is a registry that knows what is registered, also what has nothing to show yet.
type catalogue struct {
	*prometheus.Registry

	mu         sync.Mutex
	collectors []prometheus.Collector
}

// Register implements prometheus.Registerer.
func (c *catalogue) Register(collector prometheus.Collector) error {
	if err := c.Registry.Register(collector); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.collectors = append(c.collectors, collector)
	return nil
}

// MustRegister implements prometheus.Registerer.
func (c *catalogue) MustRegister(collectors ...prometheus.Collector) {
	for _, collector := range collectors {
		if err := c.Register(collector); err != nil {
			panic(err) // a fault of the program: two metrics of one name
		}
	}
}

// Metric describes one metric of a node.
type Metric struct {
	Name, Type, Help string
	Labels           []string
}

// Metrics lists what a node measures itself and what CometBFT measures in it, by name. /metrics has those of the Go runtime
// and the process besides.
func (n *Node) Metrics() []Metric {
	c := n.observe.registry
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Metric
	for _, collector := range c.collectors {
		if m, ok := describe(collector); ok && (strings.HasPrefix(m.Name, "dure_") || strings.HasPrefix(m.Name, "cometbft_")) {
			out = append(out, m)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// descPattern reads a description as it prints itself: its parts are not to be had otherwise.
var descPattern = regexp.MustCompile(`^Desc\{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*"),.* variableLabels: \{(.*)\}\}$`)

func describe(collector prometheus.Collector) (Metric, bool) {
	descs := make(chan *prometheus.Desc, 1000)
	collector.Describe(descs)
	if len(descs) != 1 {
		return Metric{}, false // the collectors of Go and the process
	}
	parts := descPattern.FindStringSubmatch((<-descs).String())
	if parts == nil {
		return Metric{}, false
	}
	m := Metric{Type: kindOf(collector)}
	var err1, err2 error
	m.Name, err1 = strconv.Unquote(parts[1])
	m.Help, err2 = strconv.Unquote(parts[2])
	for _, label := range strings.Split(parts[3], ",") {
		if label != "" && label != "chain_id" { // CometBFT's, which is the network and on all of its own
			m.Labels = append(m.Labels, label)
		}
	}
	return m, err1 == nil && err2 == nil
}

func kindOf(collector prometheus.Collector) string {
	switch collector.(type) {
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.GaugeVec:
		return "gauge"
	case *prometheus.HistogramVec:
		return "histogram"
	case readiness:
		return "gauge"
	}
	metric, ok := collector.(prometheus.Metric)
	var d dto.Metric
	switch {
	case !ok || metric.Write(&d) != nil:
		return ""
	case d.Counter != nil:
		return "counter"
	case d.Histogram != nil:
		return "histogram"
	}
	return "gauge"
}

// MetricsReference is the page docs/metrics.md, made from what a node measures.
func MetricsReference(metrics []Metric) string {
	var b strings.Builder
	b.WriteString(metricsIntroduction)
	for _, part := range []struct{ title, prefix string }{{"Dure", "dure_"}, {"CometBFT", "cometbft_"}} {
		fmt.Fprintf(&b, "\n## %s\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n", part.title)
		for _, m := range metrics {
			if strings.HasPrefix(m.Name, part.prefix) {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.Name, m.Type, strings.Join(m.Labels, ", "), strings.ReplaceAll(m.Help, "\n", " "))
			}
		}
	}
	return b.String()
}

const metricsIntroduction = `# Metrics of a node

Made from the code; do not edit. A node answers ` + "`GET /metrics`" + ` in Prometheus's format. What it tells is the member's own
business, so by default only callers on the same machine are answered, at the API's address. With setting
` + "`metrics.listen`" + ` a listener of its own answers instead, on a loopback or private address. Behind a reverse proxy on the
same machine, set it: then the API's address, which the proxy passes on, has no metrics at all.

[deploy/grafana](../deploy/grafana) has a dashboard for Grafana and an example of Prometheus's configuration.

Labels are bounded: codes are those of this software, ` + "`sealer`, `peer`, `proposer` and `validator`" + ` are the members' names
(or ` + "`stranger`" + `), methods those of the API. A counter starts at 0 with the process. The metrics of the Go runtime (` + "`go_`" + `)
and of the process (` + "`process_`" + `) are there besides.
`
