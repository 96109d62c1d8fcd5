package consensus

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/dureledger/dure/ledger/tx"
)

// verifierMetrics count the checking of signatures, by chunks of transactions.
type verifierMetrics struct {
	signatures, bad prometheus.Counter
	seconds         prometheus.Counter
}

func newVerifierMetrics(registry prometheus.Registerer, v *Verifier) *verifierMetrics {
	make := promauto.With(registry)
	make.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dure_verifier_busy_cores", Help: "Cores that verify signatures at this moment.",
	}, func() float64 { return float64(len(v.workers)) })
	make.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "dure_verifier_known_batches", Help: "Batches that are verified, or being verified, and not decided yet.",
	}, func() float64 {
		v.mu.Lock()
		defer v.mu.Unlock()
		return float64(len(v.known))
	})
	return &verifierMetrics{
		signatures: make.NewCounter(prometheus.CounterOpts{Name: "dure_verifier_signatures_total", Help: "Signatures verified, of this node's clients and in others' batches."}),
		bad:        make.NewCounter(prometheus.CounterOpts{Name: "dure_verifier_bad_transactions_total", Help: "Transactions with a signature that was found bad."}),
		seconds:    make.NewCounter(prometheus.CounterOpts{Name: "dure_verifier_core_seconds_total", Help: "Time of cores spent on verifying signatures."}),
	}
}

// verified counts a chunk that one core worked on since began.
func (m *verifierMetrics) verified(txs []*tx.Tx, errs []error, began time.Time) {
	if m == nil {
		return
	}
	m.seconds.Add(time.Since(began).Seconds())
	signatures, bad := 0, 0
	for i := range txs {
		signatures += len(txs[i].Witnesses)
		for j := range txs[i].Sources {
			signatures += len(txs[i].Sources[j].Readings)
		}
		if errs[i] != nil {
			bad++
		}
	}
	m.signatures.Add(float64(signatures))
	m.bad.Add(float64(bad))
}
