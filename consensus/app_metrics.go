package consensus

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/exec"
)

// The stages of a block whose duration is measured.
const (
	stagePrepare = "prepare" // making a proposal
	stageProcess = "process" // judging a proposal
	stageExecute = "execute"
	stageSave    = "save" // outcomes on the disk, state queued
	stageCommit  = "commit"
)

// appMetrics count blocks and outcomes.
type appMetrics struct {
	stages       map[string]prometheus.Observer
	transactions *prometheus.CounterVec
	ok           prometheus.Counter
	codes        *byCode
	blocks       prometheus.Counter
	blockTxs     prometheus.Histogram
	blockBatches prometheus.Histogram
	refused      *prometheus.CounterVec
	twice        *prometheus.CounterVec
	badBatches   *prometheus.CounterVec
	broken       prometheus.Counter

	counted int // members whose counters are made
}

func newAppMetrics(registry prometheus.Registerer, a *app) *appMetrics {
	make := promauto.With(registry)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return make.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	stages := make.NewHistogramVec(prometheus.HistogramOpts{
		Name: "dure_block_stage_seconds", Help: "Duration of the stages of a block: prepare and process a proposal, execute, save, commit (which includes save).",
		Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
	}, []string{"stage"})
	m := &appMetrics{
		stages:       map[string]prometheus.Observer{},
		transactions: counter("dure_transactions_total", "Decided transactions, by status: ok, failed or void; failed and void by the code of the refusal.", "status", "code"),
		blocks:       make.NewCounter(prometheus.CounterOpts{Name: "dure_blocks_total", Help: "Blocks executed since the node started."}),
		blockTxs: make.NewHistogram(prometheus.HistogramOpts{
			Name: "dure_block_transactions", Help: "Transactions in a block that left an outcome.", Buckets: []float64{0, 1, 10, 100, 300, 1000, 3000, 10000, 30000},
		}),
		blockBatches: make.NewHistogram(prometheus.HistogramOpts{
			Name: "dure_block_batches", Help: "Batches in a block.", Buckets: []float64{0, 1, 2, 4, 8, 16, 32, 64},
		}),
		refused:    counter("dure_proposals_refused_total", "Proposed blocks that this node voted against because of a batch in them, by proposer.", "proposer"),
		twice:      counter("dure_double_signs_total", "Evidence in blocks that a member's validator signed twice.", "validator"),
		badBatches: counter("dure_block_bad_batches_total", "Batches in decided blocks that could not be executed; their transactions did not happen.", "sealer"),
		broken:     make.NewCounter(prometheus.CounterOpts{Name: "dure_software_faults_total", Help: "Transactions refused because of a fault of this software. Report it."}),
	}
	m.ok = m.transactions.WithLabelValues("ok", "")
	m.codes = newByCode(m.transactions)
	for _, stage := range []string{stagePrepare, stageProcess, stageExecute, stageSave, stageCommit} {
		m.stages[stage] = stages.WithLabelValues(stage)
	}
	a.gauges(make)
	return m
}

// gauges read the newest block and the shelf when they are asked.
func (a *app) gauges(make promauto.Factory) {
	gauge := func(name, help string, read func(*Tip) float64) {
		make.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if tip := a.tip.Load(); tip != nil {
				return read(tip)
			}
			return 0
		})
	}
	gauge("dure_block_height", "Height of the newest block.", func(t *Tip) float64 { return float64(t.Height) })
	gauge("dure_block_time_seconds", "Time of the newest block, seconds since 1970. An idle network makes none.", func(t *Tip) float64 { return float64(t.Time) / 1000 })
	gauge("dure_history_outcomes", "Outcomes in the history.", func(t *Tip) float64 { return float64(t.HistorySize) })
	gauge("dure_state_keys", "Keys in the state.", func(t *Tip) float64 { return float64(t.Keys) })
	gauge("dure_members", "Members of the network.", func(t *Tip) float64 { return float64(len(t.Members)) })
	gauge("dure_shelf_batches", "Verified batches that wait to be decided.", func(*Tip) float64 { return float64(a.shelf.size()) })
	gauge("dure_shelf_bytes", "Bytes of the batches that wait to be decided.", func(*Tip) float64 { return float64(a.shelf.size64()) })
}

// size64 is how many bytes wait.
func (s *shelf) size64() (bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.bytes {
		bytes += int64(n)
	}
	return bytes
}

// time measures a stage until the returned function is called.
func (m *appMetrics) time(stage string) func() {
	if m == nil {
		return func() {}
	}
	began := time.Now()
	return func() { m.stages[stage].Observe(time.Since(began).Seconds()) }
}

func (m *appMetrics) proposalRefused(tip *Tip, proposer []byte) {
	if m != nil {
		m.refused.WithLabelValues(tip.validatorName(proposer)).Inc()
	}
}

func (m *appMetrics) signedTwice(tip *Tip, validator []byte) {
	if m != nil {
		m.twice.WithLabelValues(tip.validatorName(validator)).Inc()
	}
}

// executed counts batches of a decided block that are bad.
func (m *appMetrics) executed(tip *Tip, block *exec.Block, r *exec.Result) {
	if m == nil {
		return
	}
	m.broken.Add(float64(len(r.Broken)))
	for i := range block.Batches {
		if block.Batches[i].Bad != nil {
			m.badBatches.WithLabelValues(tip.memberName(block.Batches[i].Sealer)).Inc()
		}
	}
}

// committed counts a block.
func (m *appMetrics) committed(r *exec.Result, batches int, tip *Tip) {
	if m == nil {
		return
	}
	m.blocks.Inc()
	m.blockTxs.Observe(float64(len(r.Applied)))
	m.blockBatches.Observe(float64(batches))
	ok, failed, void := 0, map[string]int{}, map[string]int{}
	for i := range r.Applied {
		if o := r.Applied[i].Outcome; o.GetStatus() == ledgerv1.Status_STATUS_OK {
			ok++
		} else {
			failed[o.GetRefusal().GetCode()]++
		}
	}
	for i := range r.Voids {
		void[r.Voids[i].Refusal.Code]++
	}
	m.ok.Add(float64(ok))
	for code, n := range failed {
		m.codes.add(n, code, "failed")
	}
	for code, n := range void {
		m.codes.add(n, code, "void")
	}
	if len(tip.Members) != m.counted {
		m.members(tip.Members)
	}
}

// members makes the counters of every member visible before anything is counted.
func (m *appMetrics) members(members []*networkv1.Member) {
	if m == nil {
		return
	}
	m.counted = len(members)
	for _, member := range members {
		m.refused.WithLabelValues(member.GetName())
		m.twice.WithLabelValues(member.GetName())
		m.badBatches.WithLabelValues(member.GetName())
	}
}
