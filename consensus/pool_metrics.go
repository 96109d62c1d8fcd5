package consensus

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// poolMetrics count what clients submit and what becomes of it before ordering.
type poolMetrics struct {
	submitted prometheus.Counter
	refused   *byCode
}

func newPoolMetrics(registry prometheus.Registerer, p *Pool) *poolMetrics {
	make := promauto.With(registry)
	gauge := func(name, help string, read func() int) {
		make.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			p.mu.Lock()
			defer p.mu.Unlock()
			return float64(read())
		})
	}
	gauge("dure_pool_transactions", "Transactions of this node's clients that are not decided yet.", func() int { return p.count })
	gauge("dure_pool_bytes", "Bytes of the transactions in the pool.", func() int { return p.bytes })
	gauge("dure_pool_unverified_transactions", "Transactions in the pool whose signatures are still to be verified.", func() int { return len(p.unchecked) })
	gauge("dure_pool_ripe_transactions", "Verified transactions in the pool that wait to be sealed in a batch.", func() int { return len(p.checked) })
	gauge("dure_pool_held_transactions", "Transactions in the pool whose batch had no room and waits for the next block.", func() int { return len(p.held) })
	gauge("dure_pool_capacity_transactions", "Transactions that the pool can hold.", func() int { return PoolTxs })
	return &poolMetrics{
		submitted: make.NewCounter(prometheus.CounterOpts{Name: "dure_pool_submitted_total", Help: "Transactions submitted by clients, good or bad."}),
		refused: newByCode(make.NewCounterVec(prometheus.CounterOpts{
			Name: "dure_pool_refused_total", Help: "Transactions refused before ordering, by the code of the refusal.",
		}, []string{"code"})),
	}
}

// admitted counts a submission.
func (m *poolMetrics) admitted(answers []Answer) {
	if m == nil {
		return
	}
	m.submitted.Add(float64(len(answers)))
	var codes map[string]int // made only if something was refused
	for i := range answers {
		if refusal := answers[i].Refusal; refusal != nil {
			if codes == nil {
				codes = map[string]int{}
			}
			codes[refusal.Code]++
		}
	}
	for code, n := range codes {
		m.refused.add(n, code)
	}
}

// refusedLater counts one refusal of a transaction that was admitted.
func (m *poolMetrics) refusedLater(code string) {
	if m != nil {
		m.refused.add(1, code)
	}
}
