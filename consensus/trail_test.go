package consensus

import (
	"encoding/binary"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace/noop"
)

func TestTrailSamplesByID(t *testing.T) {
	low, high := make([]byte, 32), make([]byte, 32)
	binary.BigEndian.PutUint64(high[24:], 1<<63)
	for _, c := range []struct {
		ratio     float64
		low, high bool
	}{{1, true, true}, {0.4, true, false}, {0.6, true, true}} {
		trail := NewTrail(noop.NewTracerProvider().Tracer(""), c.ratio)
		if trail.sampled(low) != c.low || trail.sampled(high) != c.high {
			t.Errorf("ratio %v: %v, %v", c.ratio, trail.sampled(low), trail.sampled(high))
		}
	}
}

// What is never decided is forgotten, and what is under way is bounded.
func TestTrailIsBounded(t *testing.T) {
	trail := NewTrail(noop.NewTracerProvider().Tracer(""), 1)
	for i := range maxWays + 10 {
		var id [32]byte
		binary.BigEndian.PutUint64(id[:], uint64(i))
		trail.note(id, func(w *way) { w.received = time.Now() })
	}
	if len(trail.ways) != maxWays {
		t.Errorf("%d ways", len(trail.ways))
	}
	trail.sweep(time.Now().Add(wayLife + time.Second))
	if len(trail.ways) != 0 {
		t.Errorf("%d ways are never forgotten", len(trail.ways))
	}
}
