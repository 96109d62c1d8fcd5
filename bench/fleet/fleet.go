package fleet

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/dureledger/dure/bench"
	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/device"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Place is where a day is driven: a running network, and a gateway to it.
type Place struct {
	bench.Network
	// Gateway is host:port of a gateway's door for MQTT, TLS whom to believe to be it.
	Gateway string
	TLS     *tls.Config
	// Dir is a folder for what the cars keep.
	Dir string
}

const (
	// feed is what the feeds' names begin with; perFeed is how many cars report to each, as many as a feed may have.
	feed    = "fleet.speed"
	perFeed = 1000
	model   = "sedan-3"
	asset   = "won"
	premium = 10
	// Of the feeds, milliseconds: how far back a reading may be taken, and ahead; how long it waits to be paid; how long a suspicious one is kept.
	lateMs, aheadMs, disputeMs, appealMs = 600_000, 60_000, 1000, 3_600_000
	// most is what the feeds take for possible, tenths of km/h.
	most = 2500
)

// run is one day.
type run struct {
	Config
	place                Place
	client               *client.Client
	id                   string
	bank, maker, insurer tx.Signer
	funds                int64
	cars                 []*car
	// What is known of the cars after the last round; hours of the day.
	suspended         map[*car]bool
	found, readmitted map[*car]int
	devices           []*apiv1.Device
	feeds             []*apiv1.GetFeedResponse
	started           time.Time
	out               io.Writer
}

// Drive drives a day, tells its progress, and reports. The report is also returned with the error when a check failed.
func Drive(ctx context.Context, c Config, p Place, progress io.Writer) (*Report, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	r := &run{Config: c, place: p, bank: p.Issuer, started: time.Now(), out: progress,
		suspended: map[*car]bool{}, found: map[*car]int{}, readmitted: map[*car]int{}}
	var err error
	if r.client, err = client.Dial(client.Config{Addresses: p.APIs, CommitTimeout: time.Minute}); err != nil {
		return nil, err
	}
	if r.id, err = r.client.Network(ctx); err != nil {
		return nil, err
	}
	for i, plan := range plans(c) {
		one, err := newCar(i, fmt.Sprintf("car-%03d", i+1), plan)
		if err != nil {
			return nil, err
		}
		r.cars = append(r.cars, one)
	}
	if err := r.prepare(ctx); err != nil {
		return nil, fmt.Errorf("preparing the fleet: %w", err)
	}
	defer func() { _ = r.each((*car).off) }() // the report is made, or there is another error
	if err := r.each(func(c *car) error {
		return c.start(p.Dir, device.Config{Network: r.id, Gateway: p.Gateway, TLS: p.TLS})
	}); err != nil {
		return nil, err
	}
	r.say("%d cars drive for %d hours; a simulated hour takes at least %d ms. They are asked for evidence every %d hours.", c.Devices, c.Hours, c.HourMS, c.askEvery())
	if err := r.drive(ctx); err != nil {
		return nil, err
	}
	report, err := r.conclude(ctx)
	if err != nil {
		return nil, err
	}
	return report, report.failed()
}

func (r *run) say(format string, a ...any) { fmt.Fprintf(r.out, format+"\n", a...) }

// feedName is the name of a feed, counted from 0.
func feedName(i int) string {
	if i == 0 {
		return feed
	}
	return feed + "." + strconv.Itoa(i+1)
}

// earnings is what so many cars earn if all they report is paid.
func (r *run) earnings(cars int) int64 {
	return premium * int64(cars) * int64(r.Hours) * int64(60/r.EveryMinutes)
}

// prepare opens the accounts, the model, the feeds and their funds, and enrols the cars.
func (r *run) prepare(ctx context.Context) error {
	bank := r.bank.Key().Address()
	draft := client.NewTransaction(r.id).CreateAsset(bank, asset, "Won of the demonstration", 0, "")
	for _, s := range []*tx.Signer{&r.maker, &r.insurer} {
		secret, err := tx.NewSecret(accountv1.KeyKind_KEY_KIND_ED25519, rand.Reader)
		if err != nil {
			return err
		}
		if *s, err = tx.NewEd25519Signer(secret); err != nil {
			return err
		}
		draft.OpenAccount(bank, (*s).Key())
	}
	maker, insurer := r.maker.Key().Address(), r.insurer.Key().Address()
	r.funds = r.earnings(r.Devices)
	if err := r.do(ctx, draft.Issue(bank, insurer, asset, strconv.FormatInt(r.funds, 10)), r.bank); err != nil {
		return err
	}
	draft = client.NewTransaction(r.id).RegisterModel(maker, model, "Sedan, third series").
		RegisterFirmware(maker, client.Firmware{Model: model, Number: 1, Version: "1.0.0", Digest: good})
	for i := range (r.Devices + perFeed - 1) / perFeed {
		draft.OpenFeed(insurer, feedName(i), &streamv1.Terms{
			Title: "Speed of the fleet", Unit: "km/h", Decimals: 1, Most: most, LateMs: lateMs, AheadMs: aheadMs, StaleMs: lateMs, MinSources: 1, AppealMs: appealMs,
			Premium: &streamv1.Premium{Asset: asset, Amount: strconv.Itoa(premium), DisputeMs: disputeMs, Confirmed: true},
		}).FundFeed(insurer, feedName(i), strconv.FormatInt(r.earnings(min(perFeed, r.Devices-i*perFeed)), 10))
		r.feeds = append(r.feeds, nil)
	}
	if err := r.do(ctx, draft, r.maker, r.insurer); err != nil {
		return err
	}
	for from := 0; from < len(r.cars); from += named / 2 {
		part := r.cars[from:min(from+named/2, len(r.cars))]
		draft, admit := client.NewTransaction(r.id), make([]tx.Address, len(part))
		for i, c := range part {
			draft.OpenAccount(bank, c.signer.Key()).EnrolDevice(maker, c.address, insurer, model, c.name, 1)
			admit[i] = c.address
		}
		if err := r.do(ctx, draft, r.bank, r.maker); err != nil {
			return err
		}
		if err := r.do(ctx, client.NewTransaction(r.id).AdmitDevices(insurer, part[0].feed, admit...), r.insurer); err != nil {
			return err
		}
	}
	return nil
}

// progress tells what was answered so far.
func (r *run) progress(hour int) {
	all := r.answered()
	r.say("%s  %6d accepted  %5d late  %5d quarantined  %5d refused  %3d cars suspended", clock(hour), all.Accepted, all.Late, all.Quarantined, all.Refused, r.countSuspended())
}

func (r *run) answered() (all Verdicts) {
	for _, c := range r.cars {
		c.mu.Lock()
		all.add(c.answered)
		c.mu.Unlock()
	}
	return all
}

func (r *run) countSuspended() (n int) {
	for _, c := range r.cars {
		if r.suspended[c] {
			n++
		}
	}
	return n
}
