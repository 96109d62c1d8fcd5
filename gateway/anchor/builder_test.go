package anchor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// desk is a ledger that is decided by hand: each anchor waits in calls until the test answers it.
type desk struct {
	calls chan call

	mu    sync.Mutex
	taken map[string]Result // what Find knows, by message
	asked int
}

type call struct {
	anchor *streamv1.Anchor
	answer chan error
}

func newDesk() *desk { return &desk{calls: make(chan call, 100), taken: map[string]Result{}} }

func (d *desk) Anchor(ctx context.Context, anchor *streamv1.Anchor) (*apiv1.Outcome, error) {
	c := call{anchor, make(chan error, 1)}
	d.calls <- c
	select {
	case err := <-c.answer:
		return outcomeOf(anchor, 0x10), err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (d *desk) Find(_ context.Context, _ tx.Address, raw []byte, _ int64) (*Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if r, ok := d.taken[string(raw)]; ok {
		return &r, nil
	}
	return nil, nil
}

// outcomeOf is an outcome in which every reading has a verdict, as the API shows it.
func outcomeOf(anchor *streamv1.Anchor, verdict byte) *apiv1.Outcome {
	o := &apiv1.Outcome{Id: "a1", Status: client.StatusOK}
	for _, s := range anchor.GetSources() {
		words := strings.ToLower(strings.TrimPrefix(streamv1.Verdict(verdict>>4).String(), "VERDICT_"))
		if reason := streamv1.Reason(verdict & 15); reason != streamv1.Reason_REASON_UNSPECIFIED {
			words += " " + strings.ToLower(strings.TrimPrefix(reason.String(), "REASON_"))
		}
		text := words + strings.Repeat(", "+words, len(s.GetReadings())-1)
		fields, err := structpb.NewStruct(map[string]any{"device": tx.Address(s.GetDevice()).String(), "verdicts": text})
		if err != nil {
			panic(err)
		}
		o.Events = append(o.Events, &apiv1.Event{Name: "stream.reported", Fields: fields})
	}
	return o
}

// thing is a device with a key of its own.
type thing struct {
	key     tx.Key
	address tx.Address
	n       uint64
}

func newThing(n uint64) thing {
	kind := accountv1.KeyKind_KEY_KIND_ED25519
	if n%2 == 1 {
		kind = accountv1.KeyKind_KEY_KIND_P256
	}
	key := txtest.Signer(kind, n).Key()
	return thing{key, key.Address(), n}
}

func (d thing) reading(t testing.TB, sequence uint64) []byte {
	t.Helper()
	secret, err := reading.Key(d.key.Kind, txtest.Secret(d.n))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := reading.Sign(txtest.NetworkID, d.address, &reading.Reading{
		Boot: 1, Sequence: sequence, Feed: "speed", Unit: "km/h", Value: reading.Decimal{Mantissa: 50}, Time: 1_800_000_000_000,
	}, secret)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func start(t *testing.T, d *desk, change func(*Config)) (*Builder, context.CancelFunc, <-chan struct{}) {
	t.Helper()
	cfg := Config{Network: txtest.NetworkID, Ledger: d, MaxBytes: 60 << 10, Pace: time.Millisecond}
	change(&cfg)
	b := New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		b.Run(ctx)
		close(ended)
	}()
	t.Cleanup(cancel)
	return b, cancel, ended
}

func put(t *testing.T, b *Builder, d thing, raw []byte) <-chan Result {
	t.Helper()
	got := make(chan Result, 1)
	if err := b.Put(d.address, d.key, raw, func(r Result) { got <- r }); err != nil {
		t.Fatal(err)
	}
	return got
}

func wait[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func sequences(t *testing.T, s *streamv1.Source) (out []uint64) {
	t.Helper()
	for _, raw := range s.GetReadings() {
		r, err := reading.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r.Sequence)
	}
	return out
}

// Readings of one device are never in two transactions at a time, and go in the order of their numbers.
func TestOneTransactionForADevice(t *testing.T) {
	d, a, b := newDesk(), newThing(1), newThing(2)
	builder, _, _ := start(t, d, func(*Config) {})
	first := put(t, builder, a, a.reading(t, 1))
	one := wait(t, d.calls)
	third, second := put(t, builder, a, a.reading(t, 3)), put(t, builder, a, a.reading(t, 2))
	other := put(t, builder, b, b.reading(t, 1))
	two := wait(t, d.calls)
	if len(two.anchor.GetSources()) != 1 || tx.Address(two.anchor.GetSources()[0].GetDevice()) != b.address {
		t.Fatalf("in flight besides the first: %v", two.anchor)
	}
	two.answer <- nil
	one.answer <- nil
	if r := wait(t, first); r.Verdict != streamv1.Verdict_VERDICT_ACCEPTED || r.Transaction != "a1" || r.Sequence != 1 {
		t.Errorf("%+v", r)
	}
	wait(t, other)
	three := wait(t, d.calls)
	if got := sequences(t, three.anchor.GetSources()[0]); fmt.Sprint(got) != "[2 3]" {
		t.Errorf("then %v", got)
	}
	three.answer <- nil
	wait(t, second)
	wait(t, third)
}

// A full transaction goes at once, has at most 256 readings and not more bytes than it may.
func TestFull(t *testing.T) {
	for name, c := range map[string]struct {
		maxBytes, most int
		step           uint64 // 2: Ed25519 alone
	}{"by number": {1 << 20, MaxReadings, 2}, "by work": {1 << 20, MaxReadings, 1}, "by bytes": {4096, 40, 1}} {
		t.Run(name, func(t *testing.T) {
			d := newDesk()
			builder, _, _ := start(t, d, func(c2 *Config) { c2.MaxBytes, c2.Pace = c.maxBytes, 50*time.Millisecond })
			const devices, each = 30, 10
			var results []<-chan Result
			for n := range uint64(devices) {
				thing := newThing(n * c.step)
				for s := range uint64(each) {
					results = append(results, put(t, builder, thing, thing.reading(t, s+1)))
				}
			}
			total := 0
			for total < devices*each {
				c2 := wait(t, d.calls)
				n, work := 0, 0
				for _, s := range c2.anchor.GetSources() {
					n += len(s.GetReadings())
					work += len(s.GetReadings())
					if s.GetKind() == accountv1.KeyKind_KEY_KIND_P256 {
						work += 4 * len(s.GetReadings())
					}
				}
				if size := proto.Size(c2.anchor); n > c.most || size > c.maxBytes || work >= tx.MaxSignatureWork {
					t.Errorf("%d readings, %d bytes, %d work", n, size, work)
				}
				total += n
				c2.answer <- nil
			}
			for _, r := range results {
				if wait(t, r).Err != nil {
					t.Fatal("refused")
				}
			}
			if builder.Waiting() != 0 {
				t.Errorf("%d still wait", builder.Waiting())
			}
		})
	}
}

// While nothing is in flight a reading goes at once, and what came meanwhile when that is answered.
func TestAlone(t *testing.T) {
	d, a, b := newDesk(), newThing(0), newThing(1)
	builder, _, _ := start(t, d, func(c *Config) { c.Pace = time.Hour })
	first := put(t, builder, a, a.reading(t, 1))
	one := wait(t, d.calls)
	rest := []<-chan Result{put(t, builder, a, a.reading(t, 2)), put(t, builder, b, b.reading(t, 1))}
	one.answer <- nil
	wait(t, first)
	two := wait(t, d.calls)
	if len(one.anchor.GetSources()) != 1 || len(two.anchor.GetSources()) != 2 {
		t.Errorf("%v, then %v", one.anchor, two.anchor)
	}
	two.answer <- nil
	for _, r := range rest {
		wait(t, r)
	}
}

// One that comes again waits with the first; when that is answered, it is answered from memory.
func TestAgain(t *testing.T) {
	d, a := newDesk(), newThing(1)
	builder, _, _ := start(t, d, func(*Config) {})
	raw := a.reading(t, 1)
	first := put(t, builder, a, raw)
	one := wait(t, d.calls)
	again := put(t, builder, a, raw)
	one.answer <- nil
	if r := wait(t, first); r.Verdict != streamv1.Verdict_VERDICT_ACCEPTED {
		t.Error(r)
	}
	if r := wait(t, again); r.Verdict != streamv1.Verdict_VERDICT_ACCEPTED {
		t.Error(r)
	}
	if r := wait(t, put(t, builder, a, raw)); r.Verdict != streamv1.Verdict_VERDICT_ACCEPTED || r.Transaction != "a1" {
		t.Error(r)
	}
	if len(d.calls) != 0 {
		t.Error("submitted again")
	}
}

// Of a number that was used the ledger is asked: by this reading, or by another.
func TestReplayed(t *testing.T) {
	d, a := newDesk(), newThing(1)
	mine, foreign := a.reading(t, 1), a.reading(t, 2)
	d.taken[string(mine)] = Result{Verdict: streamv1.Verdict_VERDICT_LATE, Transaction: "a0"}
	b := New(Config{Network: txtest.NetworkID, Ledger: replaying{d}, MaxBytes: 60 << 10, Pace: time.Millisecond})
	go b.Run(t.Context())
	if r := wait(t, put(t, b, a, mine)); r.Verdict != streamv1.Verdict_VERDICT_LATE || r.Transaction != "a0" {
		t.Errorf("%+v", r)
	}
	if r := wait(t, put(t, b, a, foreign)); r.Verdict != streamv1.Verdict_VERDICT_REFUSED || r.Reason != streamv1.Reason_REASON_REPLAYED {
		t.Errorf("%+v", r)
	}
	if r := wait(t, put(t, b, a, mine)); r.Verdict != streamv1.Verdict_VERDICT_LATE || d.asked != 2 {
		t.Errorf("%+v, asked %d times", r, d.asked)
	}
}

type replaying struct{ *desk }

func (replaying) Anchor(_ context.Context, anchor *streamv1.Anchor) (*apiv1.Outcome, error) {
	return outcomeOf(anchor, 4<<4|byte(streamv1.Reason_REASON_REPLAYED)), nil
}

// One that is not signed by the device's key does not spoil the others' transaction.
func TestBadSignature(t *testing.T) {
	d, a, b := newDesk(), newThing(1), newThing(2)
	builder, _, _ := start(t, d, func(*Config) {})
	forged := a.reading(t, 1)
	forged[len(forged)-1] ^= 1
	bad, good := put(t, builder, a, forged), put(t, builder, b, b.reading(t, 1))
	if r := wait(t, bad); fault.Code(r.Err) != "reading.bad_signature" {
		t.Error(r.Err)
	}
	c := wait(t, d.calls)
	c.answer <- nil
	if r := wait(t, good); r.Err != nil {
		t.Error(r.Err)
	}
	if err := builder.Put(a.address, a.key, []byte("hello"), func(Result) {}); fault.Code(err) != "reading.malformed" {
		t.Error(err)
	}
}

func TestQueueFull(t *testing.T) {
	d, a := newDesk(), newThing(1)
	builder, _, _ := start(t, d, func(c *Config) { c.Queue = 2 })
	first := put(t, builder, a, a.reading(t, 1))
	c := wait(t, d.calls)
	second := put(t, builder, a, a.reading(t, 2))
	if err := builder.Put(a.address, a.key, a.reading(t, 3), func(Result) {}); fault.Code(err) != "gateway.queue_full" {
		t.Error(err)
	}
	c.answer <- nil
	wait(t, first)
	wait(t, d.calls).answer <- nil
	wait(t, second)
	third := put(t, builder, a, a.reading(t, 3))
	wait(t, d.calls).answer <- nil
	wait(t, third)
}

// When nothing is known of a transaction, what the device sent after it is given back too: taken now, it would use up the earlier numbers.
func TestNotKnown(t *testing.T) {
	d, a := newDesk(), newThing(1)
	builder, _, _ := start(t, d, func(*Config) {})
	first := put(t, builder, a, a.reading(t, 1))
	c := wait(t, d.calls)
	second := put(t, builder, a, a.reading(t, 2))
	bad := a.reading(t, 3)
	bad[len(bad)-1] ^= 1
	wait(t, put(t, builder, a, bad)) // so the second is in its lane
	c.answer <- errors.New("no node answers")
	for _, r := range []Result{wait(t, first), wait(t, second)} {
		if fault.Code(r.Err) != "gateway.not_known" {
			t.Error(r.Err)
		}
	}
	raw := a.reading(t, 1)
	again := put(t, builder, a, raw)
	c = wait(t, d.calls)
	c.answer <- &client.Refusal{Code: "account.frozen", Message: "The account is frozen."}
	if r := wait(t, again); fault.Code(r.Err) != "account.frozen" {
		t.Error(r.Err)
	}
}

// Stopping lets what is in flight end and gives the rest back.
func TestStop(t *testing.T) {
	d, a := newDesk(), newThing(1)
	builder, stop, ended := start(t, d, func(*Config) {})
	first := put(t, builder, a, a.reading(t, 1))
	c := wait(t, d.calls)
	second := put(t, builder, a, a.reading(t, 2))
	stop()
	if r := wait(t, second); fault.Code(r.Err) != "gateway.stopping" {
		t.Error(r.Err)
	}
	c.answer <- nil
	if r := wait(t, first); r.Err != nil {
		t.Error(r.Err)
	}
	wait(t, ended)
	if err := builder.Put(a.address, a.key, a.reading(t, 3), func(Result) {}); fault.Code(err) != "gateway.stopping" {
		t.Error(err)
	}
}

// Verdicts are read whatever their number.
func TestVerdicts(t *testing.T) {
	a := newThing(1)
	for _, n := range []int{1, 19, 20, 21, 32, 33, 256} {
		s := &streamv1.Source{Device: a.address[:]}
		for range n {
			s.Readings = append(s.Readings, []byte{1})
		}
		anchor := &streamv1.Anchor{Sources: []*streamv1.Source{s}}
		got, err := verdictsOf(outcomeOf(anchor, 0x35), anchor)
		if err != nil || len(got) != n || got[n-1] != 0x35 {
			t.Errorf("%d: %x %v", n, got, err)
		}
	}
}

func TestMemoryForgetsTheOldest(t *testing.T) {
	m := newMemory(2)
	for i := range byte(3) {
		m.put([32]byte{i}, Result{Sequence: uint64(i)})
		m.put([32]byte{i}, Result{Sequence: 100})
	}
	if _, ok := m.get([32]byte{0}); ok {
		t.Error("the oldest is kept")
	}
	if r, ok := m.get([32]byte{2}); !ok || r.Sequence != 2 || len(m.results) != 2 {
		t.Error(r, ok, len(m.results))
	}
}
