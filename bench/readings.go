package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Readings says what load of readings to offer.
type Readings struct {
	// Seconds the clock runs, as in Payments.
	Seconds int
	// Kind of key that the devices sign with: Ed25519 or P-256.
	Kind accountv1.KeyKind
	// Devices that report, each with a key of its own, at most MaxDevices.
	Devices int
	// Each is how many readings of a device one anchor has, 1 to MaxEach; 0: DefaultEach. An anchor has as many as fit of all devices together: 256 with Ed25519,
	// 199 with P-256.
	Each int
	// Proofs is how many readings to prove afterwards; 0: DefaultReceipts.
	Proofs int
}

const (
	// MaxDevices bounds Readings.Devices.
	MaxDevices = 100_000
	// MaxEach bounds Readings.Each for any kind of key.
	MaxEach = 128
	// DefaultEach is what Readings.Each means by 0: a gateway that collects for some seconds.
	DefaultEach = 8
	// perFeed is how many devices report to one feed: as many as GetFeed lists.
	perFeed = 1000
	// readingRound is how long a round goes on, seconds: what is signed for one is in memory.
	readingRound = 15
	// maxLanes is how many anchors wait for their outcome at once. A device's readings are in order: its next anchor waits for the one before.
	maxLanes = 48
)

// readings is one benchmark on one network.
type readings struct {
	Readings
	crowd
	gateway tx.Signer
	report  ReadingsReport
	// total is how many readings to commit, whatever the time it takes; 0: as many as the clock's seconds allow.
	total int
}

// anchored is one signed anchor and what is in it.
type anchored struct {
	signed  *client.Signed
	sources []source
}

// source is what an anchor has of one device: its numbers from first on.
type source struct {
	device *reporter
	first  uint64
	raw    [][]byte
}

// Run enrols the devices, offers the load and checks the result, as [Payments.Run] does.
func (p Readings) Run(ctx context.Context, n Network, progress io.Writer) (*ReadingsReport, error) {
	if p.Each == 0 {
		p.Each = DefaultEach
	}
	if p.Proofs == 0 {
		p.Proofs = DefaultReceipts
	}
	if p.Seconds < 1 || p.Devices < 1 || p.Devices > MaxDevices || p.Each < 1 || p.Each > MaxEach || len(n.APIs) == 0 {
		return nil, fmt.Errorf("bench: want at least one member, one second, 1 to %d devices and 1 to %d readings of each in an anchor", MaxDevices, MaxEach)
	}
	if p.Kind != accountv1.KeyKind_KEY_KIND_ED25519 && p.Kind != accountv1.KeyKind_KEY_KIND_P256 {
		return nil, errors.New("bench: devices sign with Ed25519 or P-256")
	}
	if n.Indexing == 0 {
		return nil, errors.New("bench: want at least one member that keeps the index: readings are proven by it")
	}
	r := &readings{Readings: p, report: ReadingsReport{Kind: tx.KindName(p.Kind), Devices: p.Devices, Each: p.Each}}
	r.crowd = crowd{session: newSession(n, &r.report.Measured, progress), kind: p.Kind, perFeed: perFeed}
	if err := inOrder(ctx,
		func(ctx context.Context) error { return r.dial(ctx, false) },
		r.prepare,
		func(ctx context.Context) error { return r.indexes(ctx, time.Now()) },
		r.load,
		r.check,
		func(context.Context) error { return r.verifying() },
	); err != nil {
		return nil, err
	}
	return &r.report, r.report.failed()
}

// prepare enrols the devices and opens the account that anchors.
func (r *readings) prepare(ctx context.Context) (err error) {
	if err = r.enrol(ctx, r.Devices); err == nil {
		r.gateway, err = r.newGateway(ctx)
	}
	return err
}

// load measures verifying and offers readings in rounds.
func (r *readings) load(ctx context.Context) error {
	some, err := r.sign(1) // an anchor a lane, not to be sent
	if err == nil {
		err = r.sample(some)
	}
	if err == nil {
		err = r.verifying()
	}
	for done := 0; err == nil && r.goOn(done); {
		span := readingRound
		if r.total == 0 {
			span = min(r.Seconds-done, span)
		}
		start := time.Now()
		var lanes [][]anchored
		// More than can be committed in the time: nothing is verified but them, and that is not all there is to do.
		n := int(r.report.LimitPerS * 0.9 * (warmUp.Seconds() + float64(span)))
		if r.total > 0 {
			if done > 0 { // signing more than is sent would take longer than sending
				n = int(r.report.rate() * 1.2 * (warmUp.Seconds() + float64(span)))
			}
			n = min(n, r.total-r.report.Committed)
		}
		if lanes, err = r.sign(n); err != nil {
			return err
		}
		r.say("Signed %s readings in %.1f s.", count(len(lanes)*len(lanes[0])*r.samples.each), time.Since(start).Seconds())
		err = r.round(ctx, lanes, time.Duration(span)*time.Second)
		done += span
		r.say("%3d s: %s readings committed a second so far.", done, count(int(r.report.rate())))
	}
	r.report.finish()
	return err
}

// goOn says whether there is another round after some seconds of the clock.
func (r *readings) goOn(done int) bool {
	if r.total > 0 {
		return r.report.Committed < r.total
	}
	return done < r.Seconds
}

// round has every lane send its anchors one after the other while the clock runs, and waits for every answer.
func (r *readings) round(parent context.Context, lanes [][]anchored, span time.Duration) error {
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	return r.measure(span, func() error {
		over := time.Now().Add(warmUp + span)
		var wg sync.WaitGroup
		for i, anchors := range lanes {
			member := r.members[i%len(r.members)]
			wg.Go(func() {
				for k := 0; k < len(anchors) && time.Now().Before(over) && ctx.Err() == nil; k++ {
					if err := r.send(ctx, &anchors[k], member); err != nil {
						stop(err)
					}
				}
			})
		}
		wg.Wait()
		return context.Cause(ctx)
	})
}

// send offers an anchor and books what became of its readings.
func (r *readings) send(ctx context.Context, a *anchored, member *client.Client) error {
	start := time.Now()
	outcome, err := member.Submit(ctx, a.signed)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		return fmt.Errorf("bench: anchor %s: %w", a.signed.ID, err)
	}
	took := time.Since(start)
	verdicts, err := client.Verdicts(outcome, 0)
	if err != nil {
		return fmt.Errorf("bench: anchor %s: %w", a.signed.ID, err)
	}
	n := 0
	for _, s := range a.sources {
		found := verdicts[s.device.signer.Key().Address()]
		if len(found) != len(s.raw) {
			return fmt.Errorf("bench: the outcome of %s tells of %d readings of a device, not of %d", a.signed.ID, len(found), len(s.raw))
		}
		s.device.answered(s.first, found)
		n += len(s.raw)
	}
	r.report.book(n, n, start, took)
	r.keep(a, verdicts)
	return nil
}

// sample keeps an anchor of every lane to measure verifying with. A node verifies as many signatures together as one has.
func (r *readings) sample(lanes [][]anchored) error {
	r.samples = sampled{timed: timed{together: 1, each: r.sources() * r.Each}}
	for _, anchors := range lanes {
		t, err := tx.Decode(r.id, anchors[0].signed.Raw, tx.MaxBytes)
		if err != nil {
			return err
		}
		r.samples.txs = append(r.samples.txs, t)
	}
	return nil
}

// sources is how many devices have readings in an anchor: it may have so many, and what its signatures cost everybody is bounded as well.
func (r *readings) sources() int {
	most := tx.MaxReadings
	if r.Kind == accountv1.KeyKind_KEY_KIND_P256 {
		most = (tx.MaxSignatureWork - 1) / 5 // the gateway's own signature is Ed25519
	}
	return max(1, min(most/r.Each, r.Devices))
}

// sourcesOf are an anchor's sources as they are sent.
func sourcesOf(sources []source) []*streamv1.Source {
	out := make([]*streamv1.Source, len(sources))
	for i, s := range sources {
		key, device := s.device.signer.Key(), s.device.signer.Key().Address()
		out[i] = &streamv1.Source{Device: slices.Clone(device[:]), Kind: key.Kind, PublicKey: key.Public, Readings: s.raw}
	}
	return out
}
