package mqtt

import (
	"fmt"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	refused, cut *prometheus.CounterVec
}

func newMetrics() *metrics {
	return &metrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dure_gateway_mqtt_refused_connections_total", Help: "Connections that were not let in, by MQTT reason code.",
		}, []string{"code"}),
		cut: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dure_gateway_mqtt_cut_connections_total", Help: "Connections that the gateway ended, by reason.",
		}, []string{"reason"}),
	}
}

func (m *metrics) register(r prometheus.Registerer, connected func() int) error {
	gauge := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "dure_gateway_mqtt_devices", Help: "Devices that are connected over MQTT."},
		func() float64 { return float64(connected()) })
	for _, c := range []prometheus.Collector{m.refused, m.cut, gauge} {
		if err := r.Register(c); err != nil {
			return fmt.Errorf("mqtt: %w", err)
		}
	}
	return nil
}

// refused counts and logs a connection that is not let in.
func (b *Broker) refused(c *mochi.Client, code packets.Code) {
	b.metrics.refused.WithLabelValues(fmt.Sprintf("0x%02x", code.Code)).Inc()
	b.cfg.Log.Info("a connection was refused", "from", c.Net.Remote, "code", fmt.Sprintf("0x%02x", code.Code), "why", code.Reason)
}
