package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Devices says what load to offer through a gateway.
type Devices struct {
	// Seconds the clock runs, as in Payments.
	Seconds int
	// Kind of key that the devices have: Ed25519 or P-256.
	Kind accountv1.KeyKind
	// Connected is how many devices are connected all the time, at most MaxConnected.
	Connected int
	// Rate is how many readings are published a second.
	Rate float64
	// Reporting is how many of the devices report, taking turns; the others say nothing. 0: twice the rate, so that each reports every two seconds.
	Reporting int
	// Forged is how many devices give evidence of a forged firmware afterwards, at most Connected.
	Forged int
}

// MaxConnected bounds Devices.Connected: a process has 20,000 files on many machines, and each connection is one of both the gateway's and ours.
const MaxConnected = 19_000

// Door is a gateway to a network, a process of this machine.
type Door struct {
	// Address is host:port of its door for MQTT, TLS whom to believe to be it.
	Address string
	TLS     *tls.Config
	PID     int
}

// devices is one benchmark on one network.
type devices struct {
	Devices
	crowd
	door   Door
	lines  []*line
	report DevicesReport
}

// Check says what is wrong with a load.
func (d Devices) Check() error {
	switch {
	case d.Kind != accountv1.KeyKind_KEY_KIND_ED25519 && d.Kind != accountv1.KeyKind_KEY_KIND_P256:
		return errors.New("devices sign with Ed25519 or P-256")
	case d.Connected < 1 || d.Connected > MaxConnected || d.Seconds < 1:
		return fmt.Errorf("want at least one second and 1 to %d connected devices", MaxConnected)
	case !(d.Rate > 0) || d.Reporting < 0 || d.Reporting > d.Connected || d.Forged < 0 || d.Forged > d.Connected:
		return errors.New("want a rate above 0, and no more devices that report or are forged than are connected")
	}
	return nil
}

// Run enrols and connects the devices, offers the load, has some give forged evidence and checks the result, as [Payments.Run] does.
func (d Devices) Run(ctx context.Context, n Network, door Door, progress io.Writer) (*DevicesReport, error) {
	if err := d.Check(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if n.Indexing == 0 || len(n.APIs) == 0 {
		return nil, errors.New("bench: want at least one member that keeps the index: the gateway and the checks ask it")
	}
	if d.Reporting == 0 {
		d.Reporting = min(d.Connected, max(1, int(2*d.Rate)))
	}
	r := &devices{Devices: d, door: door, report: DevicesReport{
		Kind: tx.KindName(d.Kind), Connected: d.Connected, Reporting: d.Reporting, Rate: d.Rate,
	}}
	r.crowd = crowd{session: newSession(n, &r.report.Measured, progress), kind: d.Kind, perFeed: perFeed}
	defer r.hangUp()
	if err := inOrder(ctx,
		func(ctx context.Context) error { return r.dial(ctx, false) },
		func(ctx context.Context) error { return r.enrol(ctx, d.Connected) },
		func(ctx context.Context) error { return r.indexes(ctx, time.Now()) },
		r.sample,
		func(context.Context) error { return r.verifying() },
		r.connect,
		r.load,
		r.check,
		r.forge,
		r.conclude,
		func(context.Context) error { return r.verifying() },
	); err != nil {
		return nil, err
	}
	return &r.report, r.report.failed()
}

// sample makes an anchor as a gateway does, not to be sent, to measure verifying with.
func (r *devices) sample(context.Context) error {
	now := time.Now()
	var sources []source
	for i := range min(len(r.devices), (tx.MaxSignatureWork-1)/5) {
		s, err := r.signSource(&r.devices[i], 1, now)
		if err != nil {
			return err
		}
		r.devices[i].signed = 0
		sources = append(sources, s)
	}
	issuer := r.net.Issuer
	signed, err := client.NewTransaction(r.id).AnchorReadings(issuer.Key().Address(), &streamv1.Anchor{Sources: sourcesOf(sources)}).Sign(now, issuer)
	if err != nil {
		return err
	}
	t, err := tx.Decode(r.id, signed.Raw, tx.MaxBytes)
	r.samples = sampled{timed: timed{txs: []*tx.Tx{t}, together: 1, each: len(sources)}}
	return err
}

// load has the devices that report publish their readings, one after the other, while the clock runs, and waits for every answer.
func (r *devices) load(parent context.Context) error {
	ctx, stop := context.WithCancelCause(parent)
	defer stop(nil)
	r.say("%s devices publish %.0f readings a second, the others say nothing.", count(r.Reporting), r.Rate)
	before, err := cpuOf(r.door.PID)
	if err != nil {
		return err
	}
	span := time.Duration(r.Seconds) * time.Second
	err = r.measure(span, func() error {
		start := time.Now()
		turn := time.Duration(float64(time.Second) / r.Rate)
		var wg sync.WaitGroup
		for i, l := range r.lines[:r.Reporting] {
			wg.Go(func() {
				for due := start.Add(time.Duration(i) * turn); due.Before(start.Add(warmUp + span)); due = due.Add(time.Duration(r.Reporting) * turn) {
					if err := r.publishAt(ctx, l, due); err != nil {
						stop(fmt.Errorf("bench: a reading of %s: %w", l.address(), err))
						return
					}
				}
			})
		}
		wg.Wait()
		return context.Cause(ctx)
	})
	if err != nil {
		return err
	}
	after, err := cpuOf(r.door.PID)
	r.report.finish()
	r.report.GatewayCPUUS = (after - before) * 1e6 / float64(max(1, r.report.Committed))
	r.say("%s readings acknowledged, %s.", count(r.report.Committed), r.report.LatencyMS)
	return err
}

// publishAt publishes a device's next reading when it is due. Its latency counts from then, also when the device still waits for the answer to the one
// before.
func (r *devices) publishAt(ctx context.Context, l *line, due time.Time) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(time.Until(due)):
	}
	said, err := l.report(ctx, r.id)
	if err != nil {
		return err // when ctx has ended somebody else has said why
	}
	ok := 0
	if said == "accepted" {
		ok = 1
	} else {
		r.report.complain(said)
	}
	r.report.book(1, ok, due, time.Since(due))
	return nil
}
