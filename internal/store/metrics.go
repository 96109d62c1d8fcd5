package store

import (
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// measuredFS measures how long the disk takes to make files durable.
type measuredFS struct {
	FS
	syncs   *prometheus.HistogramVec
	written prometheus.Counter
}

// measured wraps fs if there is a registry.
func measured(fs FS, registry prometheus.Registerer) FS {
	if registry == nil {
		return fs
	}
	make := promauto.With(registry)
	return measuredFS{
		fs,
		make.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dure_store_sync_seconds", Help: "How long the disk takes to make a file durable: blocks once a block, history and meta now and then.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 15),
		}, []string{"folder"}),
		make.NewCounter(prometheus.CounterOpts{Name: "dure_store_written_bytes_total", Help: "Bytes written to blocks, history and meta."}),
	}
}

// OpenFile implements FS; the folder a file is in says what it is.
func (m measuredFS) OpenFile(name string, flag int) (File, error) {
	f, err := m.FS.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	return measuredFile{f, m.syncs.WithLabelValues(filepath.Base(filepath.Dir(name))), m.written}, nil
}

type measuredFile struct {
	File
	syncs   prometheus.Observer
	written prometheus.Counter
}

func (f measuredFile) Sync() error {
	began := time.Now()
	err := f.File.Sync()
	f.syncs.Observe(time.Since(began).Seconds())
	return err
}

func (f measuredFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	f.written.Add(float64(n))
	return n, err
}

// gauges read the store when they are asked.
func (s *Store) gauges(registry prometheus.Registerer) {
	if registry == nil {
		return
	}
	gauge := func(name, help string, read func() float64) {
		promauto.With(registry).NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	gauge("dure_store_failed", "1 after a write failed: the node stops, as it can no longer keep what it promises.", func() float64 {
		if s.Err() != nil {
			return 1
		}
		return 0
	})
	gauge("dure_store_block_bytes", "Bytes of all blocks and outcomes on the disk.", func() float64 {
		s.blocks.mu.RLock()
		defer s.blocks.mu.RUnlock()
		bytes := int64(0)
		for _, segment := range s.blocks.segments {
			bytes += segment.size
		}
		return float64(bytes)
	})
	count := func(name, help string, read func() int64) {
		promauto.With(registry).NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(read()) })
	}
	count("dure_store_erased_transactions_total", "Transactions with readings that were erased from the blocks because readings.keep was over.", s.erased.transactions.Load)
	count("dure_store_erased_bytes_total", "Bytes of the transactions that were erased from the blocks.", s.erased.bytes.Load)
	gauge("dure_store_state_lag_blocks", "Blocks whose changes wait to be written to the flat state.", func() float64 {
		s.state.mu.Lock()
		defer s.state.mu.Unlock()
		return float64(s.state.last - s.state.flushed)
	})
	gauge("dure_store_state_queue_bytes", "Bytes of the changes that wait to be written to the flat state; commits wait when it is full.", func() float64 {
		s.state.mu.Lock()
		defer s.state.mu.Unlock()
		return float64(s.state.queued)
	})
}
