package consensus

import (
	"log/slog"
	"sync"
	"time"

	"github.com/cometbft/cometbft/p2p"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Why a batch of another member is refused.
const (
	refusedBad     = "bad"     // the sealer signed what no member may: malformed, or a bad signature in it
	refusedExpired = "expired" // too late, or valid too far ahead
	refusedQuota   = "quota"   // the sealer has as much waiting here as it may
	refusedCaught  = "caught"  // the sealer was caught with a bad batch moments ago
)

var refusedReasons = []string{refusedBad, refusedExpired, refusedQuota, refusedCaught}

// stranger stands for who is no member: labels must not grow by what others send.
const stranger = "stranger"

// reactorMetrics count what the other members send, each by its name, and name in the log who floods.
type reactorMetrics struct {
	log      *slog.Logger
	received *prometheus.CounterVec
	bytes    prometheus.Counter
	refused  *prometheus.CounterVec
	dropped  *prometheus.CounterVec
	faults   *prometheus.CounterVec

	mu     sync.Mutex
	names  map[p2p.ID]string    // of connected peers
	warned map[string]time.Time // who was named in the log for flooding, and when
}

func newReactorMetrics(registry prometheus.Registerer, r *Reactor, log *slog.Logger) *reactorMetrics {
	make := promauto.With(registry)
	make.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dure_reactor_queued_frames", Help: "Frames of other members that wait to be read and verified here.",
	}, func() float64 {
		r.mu.Lock()
		defer r.mu.Unlock()
		n := 0
		for _, inbox := range r.inboxes {
			n += len(inbox)
		}
		return float64(n)
	})
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return make.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	return &reactorMetrics{
		log: log, names: map[p2p.ID]string{}, warned: map[string]time.Time{},
		received: vec("dure_reactor_batches_received_total", "Good batches received, by the member that sealed them.", "sealer"),
		bytes:    make.NewCounter(prometheus.CounterOpts{Name: "dure_reactor_received_bytes_total", Help: "Bytes of the good batches received."}),
		refused: vec("dure_reactor_batches_refused_total", "Batches of a member that were not taken: bad, expired, over its quota, or soon after a bad one (caught).",
			"sealer", "reason"),
		dropped: vec("dure_reactor_frames_dropped_total", "Frames dropped because the member's node sends more than this node can work off.", "peer"),
		faults:  vec("dure_reactor_peer_faults_total", "Frames of a member's node that are malformed or carry what no member sealed; it is disconnected.", "peer"),
	}
}

// members makes the counters of every member visible before anything is counted.
func (m *reactorMetrics) members(members []*networkv1.Member) {
	if m == nil {
		return
	}
	for _, member := range members {
		name := member.GetName()
		m.received.WithLabelValues(name)
		m.dropped.WithLabelValues(name)
		m.faults.WithLabelValues(name)
		for _, reason := range refusedReasons {
			m.refused.WithLabelValues(name, reason)
		}
	}
}

// connected remembers by which name a peer is counted.
func (m *reactorMetrics) connected(id p2p.ID, name string) {
	if m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.names[id] = name
	}
}

func (m *reactorMetrics) left(id p2p.ID) {
	if m != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.names, id)
	}
}

func (m *reactorMetrics) accepted(sealer string, bytes int) {
	if m != nil {
		m.received.WithLabelValues(sealer).Inc()
		m.bytes.Add(float64(bytes))
	}
}

func (m *reactorMetrics) refuse(sealer, reason string) {
	if m != nil {
		m.refused.WithLabelValues(sealer, reason).Inc()
	}
}

// fault counts what a peer itself did wrong.
func (m *reactorMetrics) fault(id p2p.ID) {
	if m != nil {
		m.faults.WithLabelValues(m.name(id)).Inc()
	}
}

// warnEvery is how often the same peer is named in the log for flooding.
const warnEvery = 10 * time.Second

// drop counts a frame that found the peer's inbox full.
func (m *reactorMetrics) drop(id p2p.ID) {
	if m == nil {
		return
	}
	name := m.name(id)
	m.dropped.WithLabelValues(name).Inc()
	m.flood(name, "peer", id)
}

// over counts a batch of a sealer that has as much waiting as it may.
func (m *reactorMetrics) over(sealer, reason string) {
	if m == nil {
		return
	}
	m.refuse(sealer, reason)
	m.flood(sealer, "reason", reason)
}

func (m *reactorMetrics) flood(name string, with ...any) {
	m.mu.Lock()
	now := time.Now()
	quiet := now.Sub(m.warned[name]) < warnEvery
	if !quiet {
		m.warned[name] = now
	}
	m.mu.Unlock()
	if !quiet {
		m.log.Warn("a member sends more than is taken of it; what is left out is offered again later", append([]any{"member", name}, with...)...)
	}
}

func (m *reactorMetrics) name(id p2p.ID) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if name, ok := m.names[id]; ok {
		return name
	}
	return stranger
}

// memberName is the name of the member at an address.
func (t *Tip) memberName(address tx.Address) string {
	for _, m := range t.Members {
		if string(m.GetAddress()) == string(address[:]) {
			return m.GetName()
		}
	}
	return stranger
}

// validatorName is the name of the member whose validator has an address of CometBFT.
func (t *Tip) validatorName(address []byte) string {
	for _, m := range t.Members {
		if string(validatorAddress(m.GetValidatorKey())) == string(address) {
			return m.GetName()
		}
	}
	return stranger
}

// peerName is the name of the member whose node a peer is.
func (t *Tip) peerName(id p2p.ID) string {
	for _, m := range t.Members {
		if NodeID(m.GetNodeKey()) == string(id) {
			return m.GetName()
		}
	}
	return stranger
}
