package consensus

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// sealMetrics count the batches that this member seals.
type sealMetrics struct {
	transactions prometheus.Histogram
	bytes        prometheus.Counter
	held         prometheus.Counter
}

func newSealMetrics(registry prometheus.Registerer) *sealMetrics {
	make := promauto.With(registry)
	return &sealMetrics{
		transactions: make.NewHistogram(prometheus.HistogramOpts{
			Name: "dure_seal_batch_transactions", Help: "Transactions in the batches that this member sealed; the count is that of batches.",
			Buckets: []float64{1, 3, 10, 30, 100, 300, 600, MaxBatchTxs},
		}),
		bytes: make.NewCounter(prometheus.CounterOpts{Name: "dure_seal_bytes_total", Help: "Bytes of the batches that this member sealed."}),
		held:  make.NewCounter(prometheus.CounterOpts{Name: "dure_seal_held_total", Help: "Batches of this member for which there was no room; they are sealed again after the next block."}),
	}
}

func (m *sealMetrics) sealed(b *batch) {
	if m != nil {
		m.transactions.Observe(float64(len(b.txs)))
		m.bytes.Add(float64(len(b.raw)))
	}
}

func (m *sealMetrics) hold() {
	if m != nil {
		m.held.Inc()
	}
}
