package bench

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// reporter is one device. It is used by one lane at a time.
type reporter struct {
	signer tx.Signer
	key    crypto.Signer
	feed   string
	// signed is the last sequence number signed in this round, sent the last one that the ledger has seen.
	signed, sent uint64
	// found counts the verdicts that were answered.
	found [5]uint64
}

func (d *reporter) answered(first uint64, verdicts []byte) {
	d.sent = first + uint64(len(verdicts)) - 1
	for _, v := range verdicts {
		d.found[v>>4]++
	}
}

const (
	model = "bench-1"
	unit  = "1/min"
	boot  = 1
	// What a feed takes: from 0 to 6,000.0 a minute, at most an hour old.
	most   = 60_000
	lateMs = 3600 * 1000
	// oddEvery is how many readings one comes after that is late, then one that is out of range: the ledger has to tell them apart.
	oddEvery = 256
)

// enrol makes the devices, each an account with a key of its own, and the feeds that they report to. The payload of their readings has 64 bytes.
func (r *readings) enrol(ctx context.Context) error {
	r.say("Enrolling %s devices…", count(r.Devices))
	if err := r.open(ctx); err != nil {
		return err
	}
	r.devices = make([]reporter, r.Devices)
	var group errgroup.Group
	group.SetLimit(opening)
	for from := 0; from < len(r.devices); from += opened {
		part := r.devices[from:min(from+opened, len(r.devices))]
		feed, member := r.feeds[from/perFeed], r.members[from/opened%len(r.members)]
		group.Go(func() error { return r.enrolSome(ctx, member, feed, from, part) })
	}
	return group.Wait()
}

// feedName is as long as a feed's name may be.
func feedName(i int) string { return fmt.Sprintf("bench.event-rate.of.machines.%03d", i) }

// open registers the model and opens the gateway's account and the feeds.
func (r *readings) open(ctx context.Context) error {
	maker := r.net.Issuer.Key().Address()
	secret, err := tx.NewSecret(accountv1.KeyKind_KEY_KIND_ED25519, rand.Reader)
	if err != nil {
		return err
	}
	if r.gateway, err = tx.NewEd25519Signer(secret); err != nil {
		return err
	}
	draft := client.NewTransaction(r.id).OpenAccount(maker, r.gateway.Key()).RegisterModel(maker, model, "Benchmark").
		RegisterFirmware(maker, client.Firmware{Model: model, Number: 1, Version: "1", Digest: sha256.Sum256([]byte(model))})
	for i := range (r.Devices + perFeed - 1) / perFeed {
		feed := feedName(i)
		r.feeds = append(r.feeds, feed)
		draft.OpenFeed(maker, feed, &streamv1.Terms{
			Title: "Benchmark", Unit: unit, Decimals: 1, Most: most, LateMs: lateMs, AheadMs: 60_000, StaleMs: lateMs, MinSources: 1, AppealMs: 24 * lateMs,
		})
	}
	return r.do(ctx, r.members[0], draft)
}

func (r *readings) do(ctx context.Context, member *client.Client, draft *client.Draft) error {
	outcome, err := member.Do(ctx, draft, r.net.Issuer)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		return fmt.Errorf("bench: preparing: %w", err)
	}
	return nil
}

// enrolSome enrols devices, at most opened, from the index from on.
func (r *readings) enrolSome(ctx context.Context, member *client.Client, feed string, from int, part []reporter) error {
	maker := r.net.Issuer.Key().Address()
	draft := client.NewTransaction(r.id)
	var addresses []tx.Address
	for i := range part {
		d := &part[i]
		secret, err := tx.NewSecret(r.Kind, rand.Reader)
		if err != nil {
			return err
		}
		if d.signer, err = tx.NewSigner(r.Kind, secret); err != nil {
			return err
		}
		if d.key, err = reading.Key(r.Kind, secret); err != nil {
			return err
		}
		d.feed = feed
		address := d.signer.Key().Address()
		addresses = append(addresses, address)
		draft.OpenAccount(maker, d.signer.Key()).EnrolDevice(maker, address, maker, model, fmt.Sprint(from+i), 1)
	}
	if err := r.do(ctx, member, draft); err != nil {
		return err
	}
	return r.do(ctx, member, client.NewTransaction(r.id).AdmitDevices(maker, feed, addresses...))
}

// sign makes about n readings and the anchors that carry them, on all cores. Each lane has devices of its own.
func (r *readings) sign(n int) ([][]anchored, error) {
	lanes := make([][]anchored, max(1, min(maxLanes, r.Devices/r.sources())))
	for i := range r.devices {
		r.devices[i].signed = r.devices[i].sent
	}
	var group errgroup.Group
	group.SetLimit(r.report.Cores)
	each := n/(r.sources()*r.Each)/len(lanes) + 1
	now := time.Now()
	for lane := range lanes {
		group.Go(func() error {
			var err error
			lanes[lane], err = r.signLane(lane, len(lanes), each, now)
			return err
		})
	}
	return lanes, group.Wait()
}

// signLane makes a lane's anchors: its devices take turns.
func (r *readings) signLane(lane, lanes, anchors int, now time.Time) ([]anchored, error) {
	var own []*reporter
	for i := lane; i < len(r.devices); i += lanes {
		own = append(own, &r.devices[i])
	}
	var out []anchored
	turn := 0
	for range anchors {
		var a anchored
		for range r.sources() {
			s, err := r.signSource(own[turn%len(own)], now)
			if err != nil {
				return nil, err
			}
			turn++
			a.sources = append(a.sources, s)
		}
		var err error
		draft := client.NewTransaction(r.id).NotAfter(now.Add(validity)).AnchorReadings(r.gateway.Key().Address(), &streamv1.Anchor{Sources: sourcesOf(a.sources)})
		if a.signed, err = draft.Sign(now, r.gateway); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func (r *readings) signSource(d *reporter, now time.Time) (source, error) {
	s := source{device: d, first: d.signed + 1}
	for range r.Each {
		d.signed++
		mantissa := int64(1001 + 10*(d.signed%2000))                // its encoding always has the same length
		at := now.UnixMilli() + int64(min(d.signed-d.sent, 10_000)) // a round takes longer than that
		if at%1000 == 0 {
			at++ // as above
		}
		switch d.signed % (2 * oddEvery) {
		case oddEvery:
			at -= 2 * lateMs
		case 2*oddEvery - 1:
			mantissa = most + 1
		}
		raw, err := reading.Sign(r.id, d.signer.Key().Address(), &reading.Reading{
			Boot: boot, Sequence: d.signed, Feed: d.feed, Unit: unit, Value: reading.Decimal{Mantissa: mantissa, Exponent: -1}, Time: at,
		}, d.key)
		if err != nil {
			return s, err
		}
		s.raw = append(s.raw, raw)
	}
	return s, nil
}
