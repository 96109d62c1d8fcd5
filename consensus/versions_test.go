package consensus

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/dureledger/dure/ledger/state"
)

// numbered is a version of a tree in which each of many keys has the same number.
func numbered(from *state.Tree, n uint64) *state.Tree {
	changes := make([]state.Change, 200)
	for i := range changes {
		changes[i] = state.Change{Key: fmt.Appendf(nil, "key %03d", i), Value: binary.BigEndian.AppendUint64(nil, n)}
	}
	return from.Apply(changes)
}

// numberIn is the number of a tree, which must be that of all its keys.
func numberIn(t *testing.T, tree *state.Tree) uint64 {
	t.Helper()
	var found []uint64
	tree.Ascend(nil, nil, func(_, value []byte) bool {
		found = append(found, binary.BigEndian.Uint64(value))
		return true
	})
	if len(found) != 200 || len(slices.Compact(found)) != 1 {
		t.Errorf("a tree has %d keys of several versions", len(found))
		return 0
	}
	return found[0]
}

// TestRetired sees that a version that nobody was lent is unread when it is retired, and one that somebody was lent is not while he has it.
func TestRetired(t *testing.T) {
	var v versions
	lent := &Tip{versions: &v, tree: numbered(state.NewTree(), 1)}
	other := &Tip{versions: &v, tree: numbered(lent.tree, 2)}
	newest, version := numbered(other.tree, 3), other.tree.Version()
	kept := lent.Tree()
	v.retire(lent, other)
	v.retire(other, &Tip{tree: newest})
	if !slices.Equal(v.unread, []*state.Version{version}) {
		t.Fatalf("%d versions are unread, want the second alone", len(v.unread))
	}
	if lent.Tree() != nil || other.Tree() != nil {
		t.Error("a retired version is lent")
	}
	for n := uint64(4); n < 100; n++ { // which use the second's memory again
		v.release()
		before := newest
		newest = numbered(before, n)
		v.add(before.Version())
	}
	if got := numberIn(t, kept); got != 1 {
		t.Errorf("the one that was lent is %d now", got)
	}
	if got := numberIn(t, newest); got != 99 {
		t.Errorf("the newest is %d", got)
	}
}

// TestUnchanged sees that blocks which change nothing share their tree, and that it is unread when the last of them is retired, unless any was lent.
func TestUnchanged(t *testing.T) {
	for _, lend := range []bool{false, true} {
		var v versions
		tree := numbered(state.NewTree(), 1)
		first, second, third := &Tip{versions: &v, tree: tree}, &Tip{versions: &v, tree: tree}, &Tip{versions: &v, tree: numbered(tree, 2)}
		if lend {
			first.Tree()
		}
		v.retire(first, second)
		if len(v.unread) != 0 {
			t.Errorf("lent %v: %d versions are unread while a block has them", lend, len(v.unread))
		}
		v.retire(second, third)
		if unread := len(v.unread) == 1; unread == lend {
			t.Errorf("lent %v: %d versions are unread", lend, len(v.unread))
		}
		tree.Len() // has it until here
	}
}

// TestReadWhileRetired reads versions in both ways while others come and go.
func TestReadWhileRetired(t *testing.T) {
	a := &app{}
	publish := func(tree *state.Tree) *Tip {
		tip := &Tip{versions: &a.versions, tree: tree}
		a.tip.Store(tip)
		return tip
	}
	last := []*Tip{publish(numbered(state.NewTree(), 0))}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for before := uint64(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				a.withTip(func(tip *Tip) {
					n := numberIn(t, tip.tree)
					if n < before {
						t.Errorf("version %d after %d", n, before)
					}
					before = n
				})
				if tree := a.tip.Load().Tree(); before%3 == 0 && tree != nil {
					runtime.Gosched()
					numberIn(t, tree)
				}
			}
		})
	}
	for n := uint64(1); n < 500; n++ {
		a.versions.release()
		tree := last[len(last)-1].tree
		if n%5 > 1 { // the other blocks change nothing
			tree = numbered(tree, n)
		}
		last = append(last, publish(tree))
		if len(last) > recentTips {
			a.versions.retire(last[0], last[1])
			last = last[1:]
		}
	}
	close(stop)
	readers.Wait()
}
