package state_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
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

// BenchmarkApply is blocks of updates, hashing included: 15,000 over 500,000 keys, and 4,000 over 2 million. As many versions are kept as a node
// does until its collector has found those that nobody reads.
func BenchmarkApply(b *testing.B) {
	const kept = 10
	for _, size := range []struct{ keys, updates int }{{500_000, 15_000}, {2_000_000, 4_000}} {
		b.Run(fmt.Sprint(size.keys), func(b *testing.B) {
			tree := state.NewTree().Apply(holdings(size.keys))
			versions := []*state.Version{tree.Version()}
			b.ReportAllocs()
			round := 0
			for b.Loop() {
				b.StopTimer()
				changes := make([]state.Change, size.updates)
				for i := range changes {
					changes[i] = holding(uint64((i*31+round*7919)%size.keys), uint64(round+2))
				}
				slices.SortFunc(changes, state.Change.Compare)
				changes = slices.CompactFunc(changes, func(x, y state.Change) bool { return x.Compare(y) == 0 })
				round++
				b.StartTimer()
				tree = tree.Apply(changes)
				versions = append(versions, tree.Version())
				if len(versions) > kept {
					state.Release(versions[0])
					versions = versions[1:]
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(size.updates), "ns/update")
		})
	}
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
	const keys = 2_000_000
	tree := state.NewTree().Apply(holdings(keys))
	var shuffled []byte // in the order of asking, so that what is measured is the tree
	for i := range keys {
		shuffled = append(shuffled, holding(uint64(i), 1).Key...)
	}
	size, i := len(shuffled)/keys, 0
	for b.Loop() {
		if _, ok := tree.Get(shuffled[i*size : (i+1)*size]); !ok {
			b.Fatal("lost")
		}
		i = (i + 1) % keys
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkWritten is what a block of 6,000 payments writes: kept in a view, and put in order.
func BenchmarkWritten(b *testing.B) {
	const keys = 12_000
	changes := holdings(keys)
	rand.New(rand.NewPCG(1, 2)).Shuffle(keys, func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	others := make([]byte, 64<<20) // what other members have in the caches meanwhile
	base := state.NewTree()
	for b.Loop() {
		v := state.NewView(base)
		v.Expect(keys)
		for _, c := range changes {
			v.Set(c.Key, c.Value)
		}
		b.StopTimer()
		for i := 0; i < len(others); i += 64 {
			others[i]++
		}
		b.StartTimer()
		if len(v.Written()) != keys {
			b.Fatal("lost")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
}
