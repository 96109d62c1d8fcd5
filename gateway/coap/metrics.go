package coap

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics implements coap.Tally.
type metrics struct {
	refused, cut *prometheus.CounterVec
	dropped      prometheus.Counter
}

func newMetrics() *metrics {
	return &metrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dure_gateway_coap_refused_connections_total", Help: "Connections that were not let in, by code.",
		}, []string{"code"}),
		cut: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dure_gateway_coap_cut_connections_total", Help: "Connections that the gateway ended, by reason.",
		}, []string{"reason"}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "dure_gateway_coap_dropped_messages_total", Help: "Messages that were not looked at because their device sent too many.",
		}),
	}
}

func (m *metrics) Refused(code string) { m.refused.WithLabelValues(code).Inc() }
func (m *metrics) Cut(reason string)   { m.cut.WithLabelValues(reason).Inc() }
func (m *metrics) Dropped()            { m.dropped.Inc() }

func (m *metrics) register(r prometheus.Registerer, connected func() int) error {
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dure_gateway_coap_devices", Help: "Devices that are connected over CoAP."},
		func() float64 { return float64(connected()) })
	for _, c := range []prometheus.Collector{m.refused, m.cut, m.dropped, gauge} {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("coap: %w", err)
		}
	}
	return nil
}
