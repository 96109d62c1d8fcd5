package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The garbage collector runs when the heap has grown by minGarbage: a small node would otherwise collect many times a
// second under load, for memory that nobody misses, and a large one would take twice what it needs. Nearly all that a
// large node holds is pages of the state, which the collector does not look into, so that it can afford to run more
// often than when the heap has doubled.
const (
	minGarbage   = 256 << 20
	tuneEvery    = 5 * time.Second
	liveHeap     = "/gc/heap/live:bytes"
	leastPercent = 40
	mostPercent  = 800
)

// tuneMemory keeps the collector's target as above until ctx ends. GOGC in the environment turns it off.
func tuneMemory(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	tick := time.NewTicker(tuneEvery)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: liveHeap}}
	for set := 0; ; {
		metrics.Read(sample)
		want := mostPercent
		if live := sample[0].Value.Uint64(); live > 0 {
			want = int(min(max(minGarbage*100/live, leastPercent), mostPercent))
		}
		if want < set*9/10 || want > set*11/10 { // setting it stops the world for a moment
			debug.SetGCPercent(want)
			set = want
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
