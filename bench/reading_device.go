package bench

import (
	"crypto"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
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
	// anchors is how many have readings of it.
	anchors int
	// began are the rounds in which it signed.
	began []began
}

// began is where a device was at the beginning of a round: what it had sent, and when that was, in unix milliseconds.
type began struct {
	sent uint64
	now  int64
}

// measured is what a device measures for its n-th reading, signed in a round that began at b, and when.
func (b began) measured(n uint64) (mantissa, at int64) {
	mantissa = mantissaOf(n)
	at = b.now + int64(min(n-b.sent, 10_000)) // a round takes longer than that
	if at%1000 == 0 {
		at++ // its encoding always has the same length
	}
	switch n % (2 * oddEvery) {
	case oddEvery:
		at -= 2 * lateMs
	case 2*oddEvery - 1:
		mantissa = most + 1
	}
	return mantissa, at
}

// mantissaOf is what a device measures for its n-th reading when nothing is odd; its encoding always has the same length.
func mantissaOf(n uint64) int64 { return int64(1001 + 10*(n%2000)) }

// begin begins a round; what was signed and not sent is signed again.
func (d *reporter) begin(now time.Time) {
	d.signed = d.sent
	if n := len(d.began); n > 0 && d.began[n-1].sent == d.sent {
		d.began = d.began[:n-1]
	}
	d.began = append(d.began, began{d.sent, now.UnixMilli()})
}

func (d *reporter) answered(first uint64, verdicts []byte) {
	d.sent = first + uint64(len(verdicts)) - 1
	d.anchors++
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

// sign makes about n readings and the anchors that carry them, on all cores. Each lane has devices of its own.
func (r *readings) sign(n int) ([][]anchored, error) {
	lanes := make([][]anchored, max(1, min(maxLanes, r.Devices/r.sources())))
	now := time.Now()
	for i := range r.devices {
		r.devices[i].begin(now)
	}
	var group errgroup.Group
	group.SetLimit(r.report.Cores)
	each := n/(r.sources()*r.Each)/len(lanes) + 1
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
			s, err := r.signSource(own[turn%len(own)], r.Each, now)
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

// signSource makes a device's next readings.
func (r *crowd) signSource(d *reporter, each int, now time.Time) (source, error) {
	s, b := source{device: d, first: d.signed + 1}, began{d.sent, now.UnixMilli()}
	for range each {
		d.signed++
		mantissa, at := b.measured(d.signed)
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
