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
	s := source{device: d, first: d.signed + 1}
	for range each {
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
