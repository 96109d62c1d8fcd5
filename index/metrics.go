package index

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics count the following; nil counts nothing.
type metrics struct {
	step     prometheus.Histogram
	outcomes prometheus.Counter
}

// Measure registers the index's metrics. Call it before Follow, with the same source; height is the ledger's.
func (x *Index) Measure(registry prometheus.Registerer, src Source, height func() int64) {
	make := promauto.With(registry)
	gauge := func(name, help string, read func() float64) {
		make.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	gauge("dure_index_lag_outcomes", "Outcomes that are committed and not indexed yet.", func() float64 {
		return float64(max(0, int64(src.Size())-int64(x.Seq())))
	})
	gauge("dure_index_lag_blocks", "Blocks that the index is behind the ledger.", func() float64 { return float64(x.LagBlocks(src, height())) })
	gauge("dure_index_lag_seconds", "Age of the oldest outcome that is not indexed yet; 0 when the index is current.", func() float64 {
		return x.Lag(src, time.Now()).Seconds()
	})
	x.metrics = &metrics{
		step: make.NewHistogram(prometheus.HistogramOpts{
			Name: "dure_index_step_seconds", Help: "Duration of a step of the index, one database transaction, with the rests in it when the index is far behind.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 12),
		}),
		outcomes: make.NewCounter(prometheus.CounterOpts{Name: "dure_index_outcomes_total", Help: "Outcomes indexed since the node started."}),
	}
}

// LagBlocks is how many blocks the index is behind a ledger of the given height.
func (x *Index) LagBlocks(src Source, height int64) int64 {
	if x.Seq() >= src.Size() {
		return 0
	}
	return max(0, height-x.Height())
}

// Lag is the age of the oldest outcome that the index does not have, by its block's time; 0 when there is none.
func (x *Index) Lag(src Source, now time.Time) time.Duration {
	seq := x.Seq()
	if seq >= src.Size() {
		return 0
	}
	next, err := src.Entries(seq, 1)
	if err != nil || len(next) == 0 {
		return 0
	}
	return max(0, now.Sub(time.UnixMilli(next[0].Outcome.GetTime())))
}

// stepped counts one step.
func (m *metrics) stepped(outcomes int, began time.Time) {
	if m != nil && outcomes > 0 {
		m.step.Observe(time.Since(began).Seconds())
		m.outcomes.Add(float64(outcomes))
	}
}
