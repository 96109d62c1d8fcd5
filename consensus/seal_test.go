package consensus

import (
	"context"
	"testing"
	"time"
)

// What is alone in the pool is sealed at once. While it is undecided the next waits for others.
func TestSealAlone(t *testing.T) {
	p := testPool(t)
	sealed := make(chan *batch, 2)
	s := &sealer{pool: p, member: testSealer, key: testNodeKey, publish: func(b *batch) error { sealed <- b; return nil }, within: time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); s.run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	p.Submit(t.Context(), [][]byte{testTx(t, 1).Raw}, false)
	select {
	case <-sealed:
	case <-time.After(10 * time.Second):
		t.Fatal("it waits for others")
	}
	// What comes while the sealer still looks for more goes at once too: the second must find it at rest.
	wake(p.wakeSeal)
	within(t, "the sealer does not rest", func() bool { return len(p.wakeSeal) == 0 })
	p.Submit(t.Context(), [][]byte{testTx(t, 2).Raw}, false)
	within(t, "it is not verified", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.checked) == 1 })
	if p.alone() {
		t.Error("the first is decided already")
	}
	if len(sealed) != 0 {
		t.Error("the second did not wait")
	}
}
