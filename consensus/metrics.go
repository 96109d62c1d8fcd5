package consensus

import (
	"sync"

	"github.com/cometbft/cometbft/blocksync"
	cs "github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/mempool"
	cmtnode "github.com/cometbft/cometbft/node"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/proxy"
	sm "github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/statesync"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Each stage has its collectors beside it (*_metrics.go) and counts by batch, block or submission, never by looking a
// label up for one transaction. A nil stage counts nothing.
//
// Labels are bounded: codes are those of this software, members and sealers are the network's members by name.

// maxCodes bounds the codes that one metric tells apart; the rest are counted together as "other".
const maxCodes = 200

// byCode counts refusals by their code.
type byCode struct {
	vec *prometheus.CounterVec // its last label is the code

	mu    sync.Mutex
	known map[string]bool
}

func newByCode(vec *prometheus.CounterVec) *byCode {
	return &byCode{vec: vec, known: map[string]bool{}}
}

// add counts n refusals of a code.
func (b *byCode) add(n int, code string, labels ...string) {
	b.mu.Lock()
	if !b.known[code] {
		if len(b.known) < maxCodes {
			b.known[code] = true
		} else {
			code = "other"
		}
	}
	b.mu.Unlock()
	b.vec.WithLabelValues(append(labels, code)...).Add(float64(n))
}

// registerMu keeps nodes of one process, as tests have them, from registering at once.
var registerMu sync.Mutex

// cometMetrics has CometBFT's own metrics registered where ours are. CometBFT knows only the process's default registerer,
// where a second node would collide with the first, so that is set to ours while it registers.
func cometMetrics(registry prometheus.Registerer) cmtnode.MetricsProvider {
	return func(chainID string) (*cs.Metrics, *p2p.Metrics, *mempool.Metrics, *sm.Metrics, *proxy.Metrics, *blocksync.Metrics, *statesync.Metrics) {
		if registry == nil {
			return cs.NopMetrics(), p2p.NopMetrics(), mempool.NopMetrics(), sm.NopMetrics(), proxy.NopMetrics(), blocksync.NopMetrics(), statesync.NopMetrics()
		}
		registerMu.Lock()
		defer registerMu.Unlock()
		defer func(before prometheus.Registerer) { prometheus.DefaultRegisterer = before }(prometheus.DefaultRegisterer)
		prometheus.DefaultRegisterer = registry
		const namespace, label = "cometbft", "chain_id"
		return cs.PrometheusMetrics(namespace, label, chainID), p2p.PrometheusMetrics(namespace, label, chainID),
			mempool.PrometheusMetrics(namespace, label, chainID), sm.PrometheusMetrics(namespace, label, chainID),
			proxy.PrometheusMetrics(namespace, label, chainID), blocksync.PrometheusMetrics(namespace, label, chainID),
			statesync.PrometheusMetrics(namespace, label, chainID)
	}
}

// measure gives every stage its collectors.
func (e *Engine) measure(registry prometheus.Registerer) {
	if registry == nil {
		return
	}
	e.pool.metrics = newPoolMetrics(registry, e.pool)
	e.sealer.metrics = newSealMetrics(registry)
	e.app.verifier.metrics = newVerifierMetrics(registry, e.app.verifier)
	e.app.metrics = newAppMetrics(registry, e.app)
	e.reactor.metrics = newReactorMetrics(registry, e.reactor, e.config.Log)
	members := e.config.Genesis.GetNetwork().GetMembers()
	if tip := e.Tip(); tip != nil {
		members = tip.Members
	}
	e.app.metrics.members(members)
	e.reactor.metrics.members(members)
	promauto.With(registry).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dure_peers", Help: "Other members' nodes that are connected.",
	}, func() float64 { return float64(e.Peers()) })
}

// peerName implements batches.
func (e *Engine) peerName(id p2p.ID) string {
	if tip := e.Tip(); tip != nil {
		return tip.peerName(id)
	}
	return stranger
}
