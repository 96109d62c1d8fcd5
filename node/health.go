package node

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/dureledger/dure/api"
	"github.com/dureledger/dure/internal/store"
)

const (
	// maxIndexLag is how far the index may be behind while the node counts as ready: lists and searches miss that much.
	maxIndexLag = time.Minute
	// minSpace is what the disk must have free: at least half a gibibyte, or a twentieth of a small disk.
	minSpace = 512 << 20
)

// live says whether this process can still commit. If not, only starting it again helps, perhaps after a repair.
func (n *Node) live() []api.Check {
	return []api.Check{n.checkStore(), n.checkConsensus()}
}

// ready says whether clients should use this node now.
func (n *Node) ready() []api.Check {
	checks := []api.Check{n.checkStore(), n.checkConsensus(), n.checkCaughtUp(), n.checkQuorum(), n.checkDisk()}
	if n.index != nil {
		checks = append(checks, n.checkIndex())
	}
	return checks
}

func (n *Node) checkStore() api.Check {
	if n.Err() != nil {
		return api.Check{Name: "store", Reason: "a write to the disk failed, so the node stops; its log says which and why"}
	}
	return api.Check{Name: "store", OK: true, Reason: "writes succeed"}
}

func (n *Node) checkConsensus() api.Check {
	select {
	case <-n.Done():
		return api.Check{Name: "consensus", Reason: "consensus has stopped on this node; its log says why"}
	default:
		return api.Check{Name: "consensus", OK: true, Reason: "running"}
	}
}

func (n *Node) checkCaughtUp() api.Check {
	if refusal := n.engine.Refuses(); refusal != nil {
		return api.Check{Name: "caught_up", Reason: refusal.Message}
	}
	return api.Check{Name: "caught_up", OK: true, Reason: "up to date"}
}

func (n *Node) checkQuorum() api.Check {
	connected, total := n.engine.Power()
	if 3*connected <= 2*total {
		return api.Check{Name: "quorum", Reason: fmt.Sprintf("connected members have %d of %d voting power, and blocks need more than two thirds; "+
			"see that the other members' nodes run and can be reached (setting p2p.peers)", connected, total)}
	}
	return api.Check{Name: "quorum", OK: true, Reason: fmt.Sprintf("connected members have %d of %d voting power", connected, total)}
}

func (n *Node) checkDisk() api.Check {
	free, total, ok := store.Space(n.home.data(""))
	if ok && free < min(minSpace, total/20) {
		return api.Check{Name: "disk", Reason: "the disk is nearly full, and the node stops when it is; free some space"}
	}
	return api.Check{Name: "disk", OK: true, Reason: "there is room"}
}

func (n *Node) checkIndex() api.Check {
	select {
	case err := <-n.indexDone:
		n.indexDone <- err
		return api.Check{Name: "index", Reason: "the index has stopped, so lists and searches end with the past; the node's log says why"}
	default:
	}
	if lag := n.index.Lag(n.ledger, time.Now()); lag > maxIndexLag {
		return api.Check{Name: "index", Reason: fmt.Sprintf("lists and searches are %v behind the ledger; they catch up by themselves", lag.Round(time.Second))}
	}
	return api.Check{Name: "index", OK: true, Reason: "up to date"}
}

// measure registers what is measured of the machine and of the node as a whole.
func (n *Node) measure(l *ledger) {
	registry := n.observe.registry
	make := promauto.With(registry)
	dir := n.home.data("")
	make.NewGaugeFunc(prometheus.GaugeOpts{Name: "dure_disk_free_bytes", Help: "Bytes free on the disk that holds the node's data."}, func() float64 {
		free, _, _ := store.Space(dir)
		return float64(free)
	})
	make.NewGaugeFunc(prometheus.GaugeOpts{Name: "dure_disk_size_bytes", Help: "Size of the disk that holds the node's data, in bytes."}, func() float64 {
		_, total, _ := store.Space(dir)
		return float64(total)
	})
	make.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dure_consensus_oldest_block_seconds", Help: "Age of the oldest block that consensus keeps in full. Well above readings.keep: readings are kept for longer than wanted.",
	}, func() float64 {
		_, at := l.engine.Oldest()
		if at.IsZero() {
			return 0
		}
		return time.Since(at).Seconds()
	})
	make.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dure_info", Help: "Always 1; its labels say which network, member and version this is.",
		ConstLabels: prometheus.Labels{"network": l.genesis.NetworkID, "member": l.member.String(), "version": l.version},
	}, func() float64 { return 1 })
	l.stats.seconds = make.NewHistogram(prometheus.HistogramOpts{
		Name: "dure_finality_seconds", Help: "From a submission that waits to its last outcome, as its client sees it without the network between.",
		Buckets: []float64{.05, .1, .15, .2, .3, .4, .6, .8, 1, 1.5, 2, 5, 10, 30},
	})
	registry.MustRegister(readiness{n, prometheus.NewDesc("dure_ready", "1 if the check of /readyz is passed, 0 if not.", []string{"check"}, nil)})
}

// readiness collects the checks of /readyz, all at once.
type readiness struct {
	node *Node
	desc *prometheus.Desc
}

func (r readiness) Describe(out chan<- *prometheus.Desc) { out <- r.desc }

func (r readiness) Collect(out chan<- prometheus.Metric) {
	for _, c := range r.node.ready() {
		value := 0.0
		if c.OK {
			value = 1
		}
		out <- prometheus.MustNewConstMetric(r.desc, prometheus.GaugeValue, value, c.Name)
	}
}
