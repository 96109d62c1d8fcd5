package node

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stats averages what happened in the last minute, in one bucket a second.
type stats struct {
	mu      sync.Mutex
	now     func() time.Time
	buckets [60]bucket
	seconds prometheus.Observer // of finality; nil: not measured
}

type bucket struct {
	second   int64
	txs      int
	finality time.Duration
	waits    int
}

func newStats() *stats { return &stats{now: time.Now} }

// committed counts transactions of a block.
func (s *stats) committed(txs int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bucket().txs += txs
}

// finality counts how long a client's submission took to its outcome.
func (s *stats) finality(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.bucket()
	b.finality += d
	b.waits++
	if s.seconds != nil {
		s.seconds.Observe(d.Seconds())
	}
}

func (s *stats) bucket() *bucket {
	second := s.now().Unix()
	b := &s.buckets[second%60]
	if b.second != second {
		*b = bucket{second: second}
	}
	return b
}

// average returns transactions a second and the mean finality over the last minute.
func (s *stats) average() (perSecond float64, finality time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, txs, waits := s.now().Unix(), 0, 0
	for _, b := range s.buckets {
		if now-b.second < 60 {
			txs, finality, waits = txs+b.txs, finality+b.finality, waits+b.waits
		}
	}
	if waits > 0 {
		finality /= time.Duration(waits)
	}
	return float64(txs) / 60, finality
}
