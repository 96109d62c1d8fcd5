package story

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// answer notes what the insurer was told, and fails when it is not what the story says.
func (p *play) answer(want bool, a Answer) error {
	p.scene.Answers = append(p.scene.Answers, a)
	return must(a.Yes == want, "%s The insurer is told %v: %s", a.Question, a.Yes, a.Why)
}

// ask asks the ledger whether a reading of the suspect may be relied on: of the device at that time, and of the reading itself.
func (p *play) ask(ctx context.Context, what string, t taken, want bool) error {
	rely, err := p.Client.Rely(ctx, p.suspect.address, t.at)
	if err != nil {
		return err
	}
	r, err := p.reading(ctx, t)
	if err != nil {
		return err
	}
	if err := must(rely.GetOk() == (r.GetDoubt() == "") && rely.GetConfirmed() == r.GetConfirmed(), "the device and %s tell different things: %q, %q", name(t), rely.GetReason(), r.GetDoubt()); err != nil {
		return err
	}
	var why string
	switch {
	case !rely.GetOk():
		why = doubtWords(rely.GetDoubt()) + rely.GetReason()
	case rely.GetConfirmed() && rely.GetOk():
		why = "good evidence given afterwards confirms it"
	default:
		why = "nothing is known against it, and no evidence given afterwards has confirmed it yet"
	}
	return p.answer(want, Answer{Question: what + " (" + name(t) + ", " + r.GetValue() + " " + unit + ")?", Yes: rely.GetOk(), Why: why})
}

// doubtWords says which time is in doubt.
func doubtWords(d *apiv1.Doubt) string {
	if d.GetUntil() == "" {
		return "in doubt since " + d.GetSince() + ": "
	}
	return "in doubt from " + d.GetSince() + " to " + d.GetUntil() + ": "
}

// reading asks for a reading of the suspect, once the node has it in its index.
func (p *play) reading(ctx context.Context, t taken) (r *apiv1.Reading, err error) {
	err = until(ctx, name(t)+" can be asked for", func(ctx context.Context) (bool, error) {
		res, err := p.Client.Reading(ctx, p.suspect.address, t.Boot, t.Sequence)
		r = res.GetReading()
		return err == nil, err
	})
	return r, err
}

// askValue asks for the feed's value at the time of a reading of the suspect, nil is now, and wants that many cars to count.
func (p *play) askValue(ctx context.Context, what string, of *taken, cars uint32) error {
	var at time.Time
	if of != nil {
		at = of.at.Add(time.Second) // the others report at about the same time
	}
	var v *apiv1.ValueResponse
	if err := until(ctx, fmt.Sprintf("%d cars count: %s", cars, what), func(ctx context.Context) (ok bool, err error) {
		v, err = p.Client.FeedValue(ctx, p.feed, at, 0)
		return v.GetCounted() == cars, err
	}); err != nil {
		return err
	}
	out := 0
	for _, s := range v.GetSources() {
		if s.GetDevice() == p.suspect.address.String() && s.GetLeftOut() != "" {
			out++
		}
	}
	if err := must(out == len(p.cars)-int(cars), "another car than %s is left out: %s", p.suspect.name, what); err != nil {
		return err
	}
	why := fmt.Sprintf("%s %s, the median of %d cars", v.GetValue(), v.GetUnit(), cars)
	if out > 0 {
		why += "; " + p.suspect.name + " is left out"
	}
	return p.answer(true, Answer{Question: what + "?", Yes: v.GetOk(), Why: why})
}

// askProof fetches the file that proves a reading and verifies it by the genesis file alone.
func (p *play) askProof(ctx context.Context, t taken) error {
	var file []byte
	if err := until(ctx, name(t)+" can be proved", func(ctx context.Context) (bool, error) {
		res, err := p.Client.ReadingProof(ctx, p.suspect.address, t.Boot, t.Sequence, 0)
		file = res.GetProof()
		return err == nil, err
	}); err != nil {
		return err
	}
	v, err := p.Anchor.VerifyReading(file)
	if err != nil {
		return fmt.Errorf("the proof of %s: %w", name(t), err)
	}
	if err := must(v.Device == p.suspect.address && v.Reading.Boot == t.Boot && v.Reading.Sequence == t.Sequence, "the file proves another reading than %s", name(t)); err != nil {
		return err
	}
	return p.answer(true, Answer{Question: "Can I prove that the car said so, offline?", Yes: true,
		Why: fmt.Sprintf("%s %s, signed by the car's key, %s, in block %d", v.Reading.Value, v.Reading.Unit, v.Found(), v.Outcome.GetHeight())})
}

// evidence asks cars for evidence and waits until they have answered.
func (p *play) evidence(ctx context.Context, cars ...*car) ([]*apiv1.Device, error) {
	draft := client.NewTransaction(p.network)
	for _, c := range cars {
		draft.ChallengeDevice(p.insurer, c.address)
	}
	if err := p.do(ctx, "question for evidence", draft, p.Insurer); err != nil {
		return nil, err
	}
	out := make([]*apiv1.Device, len(cars))
	for i, c := range cars {
		if err := until(ctx, c.name+" has answered", func(ctx context.Context) (ok bool, err error) {
			out[i], err = p.Client.Device(ctx, c.address)
			return out[i].GetNonce() == "", err
		}); err != nil {
			return nil, err
		}
		if out[i].GetState() == "active" {
			p.note("evidence of "+c.name, out[i].GetLastGoodTransaction())
		}
	}
	return out, nil
}

// allGood asks all cars for evidence, which must be good.
func (p *play) allGood(ctx context.Context) error {
	devices, err := p.evidence(ctx, p.cars...)
	if err != nil {
		return err
	}
	for i, d := range devices {
		if err := must(d.GetState() == "active" && d.GetLastGoodAt() != "", "%s is %s", p.cars[i].name, d.GetState()); err != nil {
			return err
		}
	}
	return nil
}

// settle waits for the dispute window, has the feed pay all cars, and checks what each got: paid readings, and how many of the suspect were
// paid and forfeited.
func (p *play) settle(ctx context.Context, paid, suspectPaid, forfeited int) error {
	before, err := p.Client.Feed(ctx, p.feed)
	if err != nil {
		return err
	}
	var after *apiv1.GetFeedResponse
	if err := until(ctx, "all that was earned is settled", func(ctx context.Context) (bool, error) {
		if err := p.settleOnce(ctx); err != nil {
			return false, err
		}
		if after, err = p.Client.Feed(ctx, p.feed); err != nil {
			return false, err
		}
		for _, s := range after.GetSources() {
			if s.GetDue() > 0 {
				return false, nil
			}
		}
		return true, nil
	}); err != nil {
		return err
	}
	for _, c := range p.cars {
		was, is := source(before, c), source(after, c)
		want, lost := paid, 0
		if c == p.suspect {
			want, lost = suspectPaid, forfeited
		}
		c.earned += want
		b, _, err := p.Client.Balance(ctx, asset, c.address, 0)
		if err != nil {
			return err
		}
		if err := must(is.GetPaid()-was.GetPaid() == uint64(want) && is.GetForfeited()-was.GetForfeited() == uint64(lost) && b.GetAmount() == strconv.Itoa(c.earned*premium),
			"%s was paid %d readings and forfeited %d, and has %s %s", c.name, is.GetPaid()-was.GetPaid(), is.GetForfeited()-was.GetForfeited(), b.GetAmount(), asset); err != nil {
			return err
		}
	}
	return nil
}

// settleOnce asks the feed to pay when the window of what was sent last has passed by this machine's clock. That nothing is due yet, by the
// ledger's, is no error.
func (p *play) settleOnce(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Until(p.sent.Add(disputeMs * time.Millisecond))):
	}
	o, err := p.Client.Do(ctx, client.NewTransaction(p.network).SettleFeed(p.insurer, p.feed, p.addresses()...), p.Insurer)
	if err == nil {
		err = client.Check(o)
	}
	refusal := (*client.Refusal)(nil)
	if errors.As(err, &refusal) && refusal.Code == "stream.nothing_due" {
		return nil
	}
	if err == nil {
		p.note("payment", o.GetId())
	}
	return err
}

func source(f *apiv1.GetFeedResponse, c *car) *apiv1.FeedSource {
	for _, s := range f.GetSources() {
		if s.GetDevice() == c.address.String() {
			return s
		}
	}
	return nil
}
