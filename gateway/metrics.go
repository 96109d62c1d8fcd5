package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are a gateway's figures; docs/devices.md lists them.
type metrics struct {
	answers   *prometheus.CounterVec
	verdicts  *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	anchors   prometheus.Counter
	perAnchor prometheus.Histogram
}

func newMetrics() *metrics {
	return &metrics{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dure_gateway_answers_total", Help: "Messages of devices by what became of them; code is empty when they were taken.",
		}, []string{"of", "result", "code"}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dure_gateway_readings_total", Help: "Readings that the ledger judged, by verdict and reason.",
		}, []string{"verdict", "reason"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dure_gateway_answer_seconds", Help: "From a device's message to its answer.",
			Buckets: []float64{.01, .025, .05, .1, .2, .3, .5, .75, 1, 2, 5, 10, 30, 90},
		}, []string{"of"}),
		anchors:   prometheus.NewCounter(prometheus.CounterOpts{Name: "dure_gateway_anchors_total", Help: "Transactions with readings that were submitted."}),
		perAnchor: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "dure_gateway_anchor_readings", Help: "Readings in a transaction.", Buckets: prometheus.ExponentialBuckets(1, 2, 9)}),
	}
}

func (m *metrics) register(r prometheus.Registerer, waiting func() int) error {
	queue := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dure_gateway_waiting_readings", Help: "Readings without an answer yet."},
		func() float64 { return float64(waiting()) })
	for _, c := range []prometheus.Collector{m.answers, m.verdicts, m.latency, m.anchors, m.perAnchor, queue} {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// sealed counts a transaction of so many readings.
func (m *metrics) sealed(readings int) {
	m.anchors.Inc()
	m.perAnchor.Observe(float64(readings))
}

// timed counts an answer and how long it took.
func (m *metrics) timed(done func(Answer)) func(Answer) {
	began := time.Now()
	return func(a Answer) {
		m.answers.WithLabelValues(a.Of, a.Result, a.Code).Inc()
		m.latency.WithLabelValues(a.Of).Observe(time.Since(began).Seconds())
		if a.Verdict != "" {
			m.verdicts.WithLabelValues(a.Verdict, a.Reason).Inc()
		}
		done(a)
	}
}
