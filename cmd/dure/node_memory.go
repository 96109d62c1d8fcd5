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
//
// The runtime keeps memory that it has freed for a while, and starts collecting too late when much is allocated at once. So there is a soft
// limit on all that it holds as well, below what a member with a million accounts may take (1.5 GiB) and above what lives by limitPercent.
const (
	minGarbage   = 256 << 20
	tuneEvery    = 5 * time.Second
	liveHeap     = "/gc/heap/live:bytes"
	leastPercent = 40
	mostPercent  = 800
	minLimit     = 1216 << 20
	limitPercent = 130
)

// tuneMemory keeps the collector's targets as above until ctx ends. GOGC in the environment turns it off, GOMEMLIMIT takes the place of the limit.
func tuneMemory(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	hugeHeap()
	limited := os.Getenv("GOMEMLIMIT") != ""
	tick := time.NewTicker(tuneEvery)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: liveHeap}}
	for percent, limit := 0, 0; ; {
		metrics.Read(sample)
		live := int(sample[0].Value.Uint64())
		percent = retune(percent, min(max(minGarbage*100/max(live, 1), leastPercent), mostPercent), debug.SetGCPercent)
		if !limited {
			limit = retune(limit, max(minLimit, live/100*limitPercent), func(n int) int { return int(debug.SetMemoryLimit(int64(n))) })
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// retune sets what is wanted when it is a tenth away from what is set, as setting it stops the world for a moment, and returns what is set then.
func retune(set, want int, change func(int) int) int {
	if set*9/10 <= want && want <= set*11/10 {
		return set
	}
	change(want)
	return want
}
