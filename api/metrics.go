package api

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Why the guard turns a request away.
const (
	awayHost   = "host"   // for a name that is not ours
	awayOrigin = "origin" // from a page of another origin
	awayLarge  = "large"
	awayBusy   = "busy"
)

// metrics count requests; nil counts nothing. Methods are those of the services and codes those of Connect, so the labels
// are bounded; a request that submits many transactions counts once.
type metrics struct {
	requests *prometheus.HistogramVec
	away     *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer, s *Server) *metrics {
	if registry == nil {
		return nil
	}
	make := promauto.With(registry)
	make.NewGaugeFunc(prometheus.GaugeOpts{Name: "dure_api_requests_in_flight", Help: "Requests being answered, streams not counted."},
		func() float64 { return float64(len(s.requests)) })
	make.NewGaugeFunc(prometheus.GaugeOpts{Name: "dure_api_streams", Help: "Open streams: watchers of transactions and status pages."},
		func() float64 { return float64(len(s.streams)) })
	make.NewGaugeFunc(prometheus.GaugeOpts{Name: "dure_api_body_bytes", Help: "Bytes of the request bodies in memory."},
		func() float64 { return float64(s.bodies.Load()) })
	m := &metrics{
		requests: make.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dure_api_request_seconds", Help: "Duration of answered requests, by method and Connect's code (ok, not_found, …). A submission that waits includes the commit.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "code"}),
		away: make.NewCounterVec(prometheus.CounterOpts{
			Name: "dure_api_turned_away_total", Help: "Requests turned away unread: for another host, from a page of another origin, too large, or the node is busy.",
		}, []string{"reason"}),
	}
	for _, reason := range []string{awayHost, awayOrigin, awayLarge, awayBusy} {
		m.away.WithLabelValues(reason)
	}
	return m
}

func (m *metrics) turnAway(reason string) {
	if m != nil {
		m.away.WithLabelValues(reason).Inc()
	}
}

func (m *metrics) answered(method string, began time.Time, err error) {
	if m == nil {
		return
	}
	code := "ok"
	switch {
	case errors.Is(err, context.Canceled):
		code = connect.CodeCanceled.String()
	case errors.Is(err, context.DeadlineExceeded):
		code = connect.CodeDeadlineExceeded.String()
	case err != nil:
		code = connect.CodeOf(err).String()
	}
	m.requests.WithLabelValues(method, code).Observe(time.Since(began).Seconds())
}

// WrapUnary implements connect.Interceptor.
func (m *metrics) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		began := time.Now()
		res, err := next(ctx, r)
		m.answered(r.Spec().Procedure, began, err)
		return res, err
	}
}

// WrapStreamingClient implements connect.Interceptor; this is a server.
func (m *metrics) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements connect.Interceptor. A stream counts when it ends.
func (m *metrics) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, c connect.StreamingHandlerConn) error {
		began := time.Now()
		err := next(ctx, c)
		m.answered(c.Spec().Procedure, began, err)
		return err
	}
}
