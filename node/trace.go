package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/dureledger/dure/consensus"
)

// tracing sends the traces of sampled transactions to a collector. The zero value sends none.
type tracing struct {
	trail    *consensus.Trail
	provider *sdktrace.TracerProvider
}

// exportTimeout bounds one export; what does not arrive is dropped and said in the log.
const exportTimeout = 3 * time.Second

// newTracing starts sending if the configuration names a collector.
func newTracing(ctx context.Context, c *Config, network, version string, log *slog.Logger) (*tracing, error) {
	if c.TraceEndpoint == "" {
		return &tracing{}, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(c.TraceEndpoint), otlptracehttp.WithTimeout(exportTimeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	if err != nil {
		return nil, fmt.Errorf("setting trace.endpoint: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(&logged{SpanExporter: exporter, log: log}), // its queue is bounded and drops when full
		sdktrace.WithIDGenerator(consensus.TrailIDs{}),
		sdktrace.WithSampler(sdktrace.AlwaysSample()), // the trail samples by transaction
		sdktrace.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "dure"), attribute.String("service.version", version),
			attribute.String("service.instance.id", c.Member), attribute.String("dure.network", network), attribute.String("dure.member", c.Member),
		)),
	)
	return &tracing{consensus.NewTrail(provider.Tracer("github.com/dureledger/dure"), c.TraceRatio), provider}, nil
}

// stop sends what is left.
func (t *tracing) stop(ctx context.Context) error {
	if t == nil || t.provider == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// logged is an exporter whose errors go to the node's log instead of the process's.
type logged struct {
	sdktrace.SpanExporter
	log *slog.Logger

	mu   sync.Mutex
	said time.Time
}

// sayEvery is how often a collector that cannot be reached is mentioned.
const sayEvery = time.Minute

// ExportSpans implements sdktrace.SpanExporter.
func (l *logged) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := l.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.said) >= sayEvery {
		l.said = now
		l.log.Warn("traces could not be sent and are dropped; see that the collector of setting trace.endpoint runs", "spans", len(spans), "error", err)
	}
	return nil
}

// checkTrace refuses a collector that traces would reach in the clear through a network.
func (c *Config) checkTrace() error {
	if c.TraceEndpoint == "" {
		return nil
	}
	u, err := url.Parse(c.TraceEndpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("setting trace.endpoint: %q: want a URL such as http://127.0.0.1:4318/v1/traces", c.TraceEndpoint)
	}
	if u.Scheme == "http" && !loopbackHost(u.Host) && !privateHost(u.Host) {
		return fmt.Errorf("setting trace.endpoint: %s: traces show when this member's clients pay, and http does not encrypt them; "+
			"use https, or a collector on this machine or a private address", c.TraceEndpoint)
	}
	return nil
}

// fraction is a setting from 0 to 1.
func fraction(key, def, help string, field func(*Config) *float64) Setting {
	return Setting{
		Key: key, Default: def, Help: help,
		set: func(c *Config, v string) error {
			n, err := strconv.ParseFloat(v, 64)
			if err == nil && !(n >= 0 && n <= 1) {
				err = errors.New("want 0 to 1")
			}
			*field(c) = n
			return err
		},
		get: func(c *Config) string { return strconv.FormatFloat(*field(c), 'g', -1, 64) },
	}
}
