package bench

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/reading"
)

// question asks something. What it returns says what is wrong with the answer, "" if nothing is; that is not timed.
type question func(ctx context.Context, c *client.Client) (wrong func() string, err error)

// ask asks one question after the other, and compares the answers with what was put in.
func (r *rely) ask(ctx context.Context) error {
	r.say("Asking %s questions of each sort…", count(r.Questions))
	rng := rand.New(rand.NewPCG(r.Seed, 1)) //nolint:gosec // what is asked is no secret
	var reporting, forged []*reporter
	sources := map[string][]*reporter{}
	for i := range r.devices {
		d := &r.devices[i]
		if d.sent == 0 {
			continue
		}
		reporting, sources[d.feed] = append(reporting, d), append(sources[d.feed], d)
		if r.forged[d] {
			forged = append(forged, d)
		}
	}
	chosen := func() (*reporter, uint64) {
		d := reporting[rng.IntN(len(reporting))]
		return d, 1 + rng.Uint64N(d.sent)
	}
	out := &r.report
	out.Readings, out.Sources, out.Questions, out.Forged = r.readings.report.Committed, min(r.Sources, len(r.devices)), r.Questions, len(forged)
	for _, sort := range []struct {
		ms     *Latency
		agree  *bool
		choose func() question
	}{
		{&out.ReadingMS, &out.Checks.Readings, func() question { d, n := chosen(); return r.aboutReading(d, n) }},
		{&out.RelyMS, &out.Checks.Devices, func() question { d, n := chosen(); return r.aboutDevice(d, n) }},
		{&out.ValueMS, &out.Checks.Values, func() question { d, n := chosen(); return r.aboutValue(sources[d.feed], d, n) }},
		{&out.TaintMS, &out.Checks.Taints, func() question { return r.aboutTaint(forged[rng.IntN(len(forged))]) }},
	} {
		if sort.ms == &out.TaintMS && len(forged) == 0 {
			*sort.agree = true
			continue
		}
		var err error
		if *sort.ms, *sort.agree, err = r.times(ctx, sort.choose); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	return nil
}

// times asks questions, and says how long they took and whether all answers were right.
func (r *rely) times(ctx context.Context, choose func() question) (Latency, bool, error) {
	var ms []float32
	agree := true
	for i := range r.Questions {
		ask := choose()
		start := time.Now()
		wrong, err := ask(ctx, r.members[i%r.net.Indexing])
		took := time.Since(start)
		if err != nil {
			return Latency{}, false, err
		}
		ms = append(ms, float32(took.Microseconds())/1000)
		if what := wrong(); what != "" && agree {
			agree = false
			r.say("An answer is not what was put in: %s", what)
		}
	}
	return latencyOf(ms), agree, nil
}

// quarantine is how many readings of a device a feed keeps in quarantine: what comes while they wait there is refused.
const quarantine = 16

// of is the reading of a number, and what the ledger must have found of it.
func (d *reporter) of(n uint64) (mantissa, at int64, verdict string) {
	i := sort.Search(len(d.began), func(i int) bool { return d.began[i].sent >= n }) - 1
	mantissa, at = d.began[i].measured(n)
	switch n % (2 * oddEvery) {
	case oddEvery:
		return mantissa, at, "late"
	case 2*oddEvery - 1:
		if (n+1)/(2*oddEvery) > quarantine {
			return mantissa, at, "refused"
		}
		return mantissa, at, "quarantined"
	}
	return mantissa, at, "accepted"
}

// trusted says whether nothing speaks against what a device said at a time: late readings are of a time before it was enrolled.
func (r *rely) trusted(d *reporter, at int64) bool { return !r.forged[d] && at >= d.began[0].now }

func (r *rely) aboutReading(d *reporter, n uint64) question {
	return func(ctx context.Context, c *client.Client) (func() string, error) {
		res, err := c.Reading(ctx, d.signer.Key().Address(), boot, n)
		return func() string {
			mantissa, at, verdict := d.of(n)
			got := res.GetReading()
			if got.GetValue() == valueText(mantissa) && got.GetTakenAt() == timeText(at) && got.GetVerdict() == verdict && (got.GetDoubt() == "") == r.trusted(d, at) {
				return ""
			}
			return fmt.Sprintf("reading %d: want %s at %s, %s, trusted %v: %v", n, valueText(mantissa), timeText(at), verdict, r.trusted(d, at), got)
		}, err
	}
}

func (r *rely) aboutDevice(d *reporter, n uint64) question {
	_, at, _ := d.of(n)
	return func(ctx context.Context, c *client.Client) (func() string, error) {
		res, err := c.Rely(ctx, d.signer.Key().Address(), time.UnixMilli(at))
		return func() string {
			if res.GetOk() == r.trusted(d, at) {
				return ""
			}
			return fmt.Sprintf("device at %s: trusted %v: %v", timeText(at), r.trusted(d, at), res)
		}, err
	}
}

// aboutValue asks for a feed's value when a device had just measured its n-th reading.
func (r *rely) aboutValue(sources []*reporter, d *reporter, n uint64) question {
	if n%(2*oddEvery) == oddEvery {
		n-- // one of another time
	}
	_, at, _ := d.of(n)
	return func(ctx context.Context, c *client.Client) (func() string, error) {
		res, err := c.FeedValue(ctx, d.feed, time.UnixMilli(at), 0)
		return func() string {
			var values []int64
			for _, s := range sources {
				if last, ok := s.last(at); ok && !r.forged[s] {
					values = append(values, last)
				}
			}
			if len(values) == 0 && !res.GetOk() {
				return ""
			}
			slices.Sort(values)
			want := ""
			if len(values) > 0 {
				want = valueText(values[(len(values)-1)/2])
			}
			if res.GetValue() == want && int(res.GetCounted()) == len(values) {
				return ""
			}
			return fmt.Sprintf("value of %s at %s: want %s by %d sources: %s by %d, %s", d.feed, timeText(at), want, len(values), res.GetValue(), res.GetCounted(), res.GetReason())
		}, err
	}
}

// last is what a device had measured last at a time, and whether it had anything that was accepted.
func (d *reporter) last(at int64) (int64, bool) {
	i := sort.Search(len(d.began), func(i int) bool { return d.began[i].now >= at }) - 1
	if i < 0 {
		return 0, false
	}
	n := d.sent
	if i+1 < len(d.began) {
		n = d.began[i+1].sent
	}
	for ; n > 0; n-- {
		mantissa, taken, verdict := d.of(n)
		if verdict == "accepted" && taken <= at {
			return mantissa, true
		}
	}
	return 0, false
}

// aboutTaint asks what leaned on a device that nothing may be relied on of.
func (r *rely) aboutTaint(d *reporter) question {
	return func(ctx context.Context, c *client.Client) (func() string, error) {
		res, err := c.Taint(ctx, d.signer.Key().Address())
		return func() string {
			var all [3]uint64
			for _, f := range res.GetFeeds() {
				all[0], all[1], all[2] = all[0]+f.GetAccepted(), all[1]+f.GetLate(), all[2]+f.GetQuarantined()
			}
			want := [3]uint64{d.found[1], d.found[2], d.found[3]}
			if all == want && res.GetAnchorCount() == uint64(d.anchors) {
				return ""
			}
			return fmt.Sprintf("taint: want %v in %d anchors: %v in %d", want, d.anchors, all, res.GetAnchorCount())
		}, err
	}
}

func valueText(mantissa int64) string {
	return reading.Decimal{Mantissa: mantissa, Exponent: -1}.String()
}

// timeText is a time as the API writes it.
func timeText(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// nonceOf reads a challenge, 64 hex digits.
func nonceOf(text string) (nonce [32]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err == nil && len(raw) != len(nonce) {
		err = errors.New("the challenge is none")
	}
	copy(nonce[:], raw)
	return nonce, err
}
