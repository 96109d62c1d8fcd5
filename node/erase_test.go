package node

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/consensus"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/fault"
)

func encoded(t *testing.T, m proto.Message) []byte {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// transaction is the bytes of a transaction with these actions.
func transaction(t *testing.T, notAfter int64, actions ...*txv1.Action) []byte {
	t.Helper()
	return encoded(t, &txv1.Transaction{Kind: &txv1.Transaction_Native{Native: &txv1.Native{
		Body:      encoded(t, &txv1.Body{Network: []byte("test"), NotAfter: notAfter, Salt: 7, Actions: actions}),
		Witnesses: []*txv1.Witness{{PublicKey: []byte("gateway's key"), Signature: []byte("gateway's signature")}},
	}}})
}

func anchorOf(readings ...string) *txv1.Action {
	source := &streamv1.Source{Device: bytes.Repeat([]byte{3}, 20), PublicKey: []byte("device's key")}
	for _, r := range readings {
		source.Readings = append(source.Readings, []byte(r))
	}
	return &txv1.Action{Actor: bytes.Repeat([]byte{2}, 20), Call: &txv1.Action_StreamAnchor{StreamAnchor: &streamv1.Anchor{Sources: []*streamv1.Source{source}}}}
}

// What stays of an anchor names who acted and for which devices; other actions stay as they were; nothing else is erased.
func TestWithoutReadings(t *testing.T) {
	settle := &txv1.Action{Actor: bytes.Repeat([]byte{4}, 20), Call: &txv1.Action_StreamSettle{StreamSettle: &streamv1.Settle{Feed: "speed"}}}
	for name, raw := range map[string][]byte{"payment": transaction(t, 5, settle), "other bytes": []byte("x"), "empty": nil} {
		if rest, erase := withoutReadings(raw); erase || rest != nil {
			t.Errorf("%s: %x", name, rest)
		}
	}
	raw := transaction(t, 5, anchorOf("reading one", "reading two"), settle)
	rest, erase := withoutReadings(raw)
	if !erase || len(rest) >= len(raw) {
		t.Fatalf("%v, %d bytes", erase, len(rest))
	}
	for _, gone := range []string{"reading", "device's key", "gateway's key", "gateway's signature"} {
		if bytes.Contains(rest, []byte(gone)) {
			t.Errorf("%q is left", gone)
		}
	}
	tx, body := &txv1.Transaction{}, &txv1.Body{}
	if err := proto.Unmarshal(rest, tx); err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(tx.GetNative().GetBody(), body); err != nil {
		t.Fatal(err)
	}
	sources := body.GetActions()[0].GetStreamAnchor().GetSources()
	if body.GetNotAfter() != 5 || body.GetSalt() != 7 || len(sources) != 1 || len(sources[0].GetDevice()) != 20 || !proto.Equal(body.GetActions()[1], settle) {
		t.Errorf("left: %v", body)
	}
}

// nothing erases every transaction whole.
func nothing([]byte) ([]byte, bool) { return nil, true }

// flushed waits until the state of a height is on the disk.
func flushed(t *testing.T, s *snapshots, height int64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); s.store.State().FlushedHeight() < height; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the state is not written")
		}
	}
}

// Erasing stops before what a snapshot carries, also of long ago in a network that was idle, so that all members go on making the same bytes. What
// must not happen, a snapshot of which something was erased, is not made.
func TestErasingLeavesSnapshotsWhole(t *testing.T) {
	s := emptyStore(t)
	tip := longLedger(t, s)
	flushed(t, s, 40)
	before := chunksOf(t, s, tip)
	e := &eraser{store: s.store, snaps: s, snapshots: true}
	below, err := e.below()
	if err != nil || below < 20 || below > 32 {
		t.Fatalf("below %d, %v", below, err)
	}
	s.making.Store(&consensus.Tip{Height: 20, Time: 1_700_000_000_000 + 20*minuteApart})
	if earlier, err := e.below(); err != nil || earlier >= below {
		t.Errorf("while an earlier snapshot is made: below %d, %v", earlier, err)
	}
	s.making.Store(nil)
	if err := s.store.Roll(math.MaxInt64); err != nil {
		t.Fatal(err)
	}
	done, err := s.store.Erase(t.Context(), store.Erasure{Before: math.MaxInt64, Below: below, Rest: nothing})
	if err != nil || done.Transactions == 0 || done.Height != below-1 {
		t.Fatalf("%+v, %v", done, err)
	}
	again := func() error {
		if err := os.RemoveAll(filepath.Join(s.dir, "40")); err != nil {
			t.Fatal(err)
		}
		return s.write(tip.Tip, tip.tree)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}
	for i, chunk := range before {
		if got, err := s.Chunk(40, uint32(i)); err != nil || !bytes.Equal(got, chunk) {
			t.Errorf("chunk %d is another, %v", i, err)
		}
	}
	if _, err := s.store.Erase(t.Context(), store.Erasure{Before: math.MaxInt64, Below: below + 1, Rest: nothing}); err != nil {
		t.Fatal(err)
	}
	if err := again(); fault.Code(err) != "tx.erased" {
		t.Errorf("a snapshot without what it must carry: %v", err)
	}
}

// A transaction is not taken a second time after it was erased.
func TestErasedIsStillKnown(t *testing.T) {
	s := emptyStore(t)
	const now, until = 1_700_000_000_000, 1_700_000_300_000
	raw := transaction(t, until, anchorOf("reading"))
	id, hash := sha256.Sum256([]byte("id")), sha256.Sum256(raw)
	for h := int64(1); h <= 2; h++ {
		b := store.Block{Height: h, Time: now, FirstSeq: uint64(h - 1), HistorySize: 1}
		if h == 1 {
			b.Entries = []store.Entry{{Outcome: encoded(t, &ledgerv1.Outcome{Id: id[:], TxHash: hash[:], Height: 1, Time: now}), Raw: raw}}
		}
		if err := s.store.Append(b); err != nil {
			t.Fatal(err)
		}
		if err := s.store.Roll(math.MaxInt64); err != nil {
			t.Fatal(err)
		}
	}
	for _, what := range []string{"before", "after"} {
		window, _, err := loadWindow(s.store, 2, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := window.Find(id, until); !ok {
			t.Errorf("%s it is not known", what)
		}
		done, err := s.store.Erase(t.Context(), store.Erasure{Before: math.MaxInt64, Below: 2, Rest: withoutReadings})
		if err != nil || what == "before" && done.Transactions != 1 {
			t.Fatalf("%+v, %v", done, err)
		}
	}
}

// Old snapshots go, but not the newest.
func TestOldSnapshotsGo(t *testing.T) {
	s := emptyStore(t)
	for h := range 3 {
		dir := filepath.Join(s.dir, fmt.Sprint(100+h))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		at := time.UnixMilli(int64(1000 * h))
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ before, left int64 }{{0, 3}, {1000, 2}, {9000, 1}} {
		if err := s.dropOlder(time.UnixMilli(tc.before)); err != nil {
			t.Fatal(err)
		}
		if heights, err := s.heights(); err != nil || int64(len(heights)) != tc.left || heights[0] != 102 {
			t.Errorf("before %d: %v, %v", tc.before, heights, err)
		}
	}
}

// Blocks go when there are enough after them or they are too old, but never the newest ten.
func TestWhichBlocksAreWanted(t *testing.T) {
	s := emptyStore(t)
	longLedger(t, s)
	now := time.UnixMilli(1_700_000_000_000 + 40*minuteApart)
	for _, tc := range []struct {
		keep   int64
		age    time.Duration
		target int64
	}{
		{0, time.Hour, 1}, {0, 15 * time.Minute, 25}, {0, time.Minute, 30}, {20, 0, 20}, {20, 15 * time.Minute, 25}, {12, 15 * time.Minute, 28}, {1000, 15 * time.Minute, 25},
	} {
		r := &retainer{keep: tc.keep, age: tc.age, ledger: &ledger{store: s.store}}
		if target, err := r.wanted(40, now); err != nil || target != tc.target {
			t.Errorf("%+v: %d, %v", tc, target, err)
		}
	}
}
