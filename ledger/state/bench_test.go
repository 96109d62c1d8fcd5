package state_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/dureledger/dure/ledger/state"
)

// holding is a change like an account's balance in an asset: a 42-byte key, spread evenly, and 16 bytes.
func holding(i, amount uint64) state.Change {
	digest := sha256.Sum256(binary.BigEndian.AppendUint64(nil, i))
	key := append([]byte("SB"), digest[:20]...)
	key = append(key, digest[12:]...)
	return state.Change{Key: key, Value: binary.BigEndian.AppendUint64(make([]byte, 8, 16), amount)}
}

func holdings(n int) []state.Change {
	changes := make([]state.Change, n)
	for i := range changes {
		changes[i] = holding(uint64(i), 1)
	}
	slices.SortFunc(changes, state.Change.Compare)
	return changes
}

// BenchmarkApply is a block of 15,000 updates over 500,000 keys, hashing included.
func BenchmarkApply(b *testing.B) {
	const keys, updates = 500_000, 15_000
	base := holdings(keys)
	tree := state.NewTree().Apply(base)
	b.ReportAllocs()
	round := 0
	for b.Loop() {
		b.StopTimer()
		changes := make([]state.Change, updates)
		for i := range changes {
			changes[i] = holding(uint64((i*31+round*7919)%keys), uint64(round+2))
		}
		slices.SortFunc(changes, state.Change.Compare)
		changes = slices.CompactFunc(changes, func(x, y state.Change) bool { return x.Compare(y) == 0 })
		round++
		b.StartTimer()
		tree = tree.Apply(changes)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/updates, "ns/update")
}

// BenchmarkBuild makes a tree of sorted keys at once.
func BenchmarkBuild(b *testing.B) {
	for _, keys := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprint(keys), func(b *testing.B) {
			changes := holdings(keys)
			var tree *state.Tree
			before := heap()
			for b.Loop() {
				tree = state.NewTree().Apply(changes)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(keys), "ns/key")
			b.ReportMetric(float64(heap()-before)/float64(keys), "heap-B/key")
			runtime.KeepAlive(tree)
			runtime.KeepAlive(changes)
		})
	}
}

// BenchmarkGet reads keys in no order.
func BenchmarkGet(b *testing.B) {
	changes := holdings(500_000)
	tree := state.NewTree().Apply(changes)
	i := 0
	for b.Loop() {
		i = (i + 7919) % len(changes)
		if _, ok := tree.Get(changes[i].Key); !ok {
			b.Fatal("lost")
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
