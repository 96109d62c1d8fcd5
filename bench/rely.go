package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Rely says what to put on the ledger and how often to ask whether it may be relied on.
type Rely struct {
	// Readings to commit, through the API as [Readings] does.
	Readings int
	Kind     accountv1.KeyKind
	// Devices that have reported them, at most MaxDevices; Sources of them report to one feed, a multiple of 50, at most 1,000.
	Devices, Sources int
	// Forged devices give evidence of another firmware at the end, so that nothing they said may be relied on.
	Forged int
	// Questions of each sort.
	Questions int
	// Seed chooses what is asked.
	Seed uint64
}

// MaxFill bounds Rely.Readings.
const MaxFill = 100_000_000

// rely is one benchmark on one network.
type rely struct {
	Rely
	readings
	forged map[*reporter]bool
	report RelyReport
}

// Check says what is wrong with what is asked for.
func (p Rely) Check() error {
	switch {
	case p.Kind != accountv1.KeyKind_KEY_KIND_ED25519 && p.Kind != accountv1.KeyKind_KEY_KIND_P256:
		return errors.New("devices sign with Ed25519 or P-256")
	case p.Devices < 1 || p.Devices > MaxDevices || p.Readings < p.Devices || p.Readings > MaxFill:
		return fmt.Errorf("want 1 to %d devices, and a reading for each of them at least, %d at most", MaxDevices, MaxFill)
	case p.Sources < opened || p.Sources > perFeed || p.Sources%opened != 0:
		return fmt.Errorf("want %d to %d sources of a feed, a multiple of %d", opened, perFeed, opened)
	case p.Forged < 0 || p.Forged > p.Devices || p.Questions < 1:
		return errors.New("want a question at least, and no more devices forged than there are")
	}
	return nil
}

// Run commits the readings, waits until the index has them, asks, and checks the answers, as [Payments.Run] does.
func (p Rely) Run(ctx context.Context, n Network, progress io.Writer) (*RelyReport, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if n.Indexing == 0 || len(n.APIs) == 0 {
		return nil, errors.New("bench: want at least one member that keeps the index: it is what is asked")
	}
	load := Readings{Kind: p.Kind, Devices: p.Devices, Each: DefaultEach, Proofs: DefaultReceipts}
	r := &rely{Rely: p, forged: map[*reporter]bool{}, readings: readings{
		Readings: load, total: p.Readings, report: ReadingsReport{Kind: tx.KindName(p.Kind), Devices: p.Devices, Each: load.Each},
	}}
	r.report.Fill = &r.readings.report
	r.crowd = crowd{session: newSession(n, &r.readings.report.Measured, progress), kind: p.Kind, perFeed: p.Sources}
	if err := inOrder(ctx,
		func(ctx context.Context) error { return r.dial(ctx, false) },
		r.prepare,
		func(ctx context.Context) error { return r.indexes(ctx, time.Now()) },
		r.load,
		r.check,
		func(context.Context) error { return r.verifying() },
		r.forge,
		r.ask,
	); err != nil {
		return nil, err
	}
	return &r.report, errors.Join(r.report.Fill.failed(), r.report.failed())
}

// forge has some devices give evidence of another firmware, and waits until every member and its index have it.
func (r *rely) forge(ctx context.Context) error {
	r.say("%d devices give forged evidence…", r.Forged)
	var group errgroup.Group
	group.SetLimit(opening)
	step := max(1, len(r.devices)/max(1, r.Forged))
	for i := range r.Forged {
		d := &r.devices[i*step]
		r.forged[d] = true
		group.Go(func() error { return r.attest(ctx, d) })
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("bench: forged evidence: %w", err)
	}
	if _, err := r.roots(ctx); err != nil { // they have been compared; this waits for who is behind
		return fmt.Errorf("bench: %w", err)
	}
	return r.indexes(ctx, time.Now())
}

func (r *rely) attest(ctx context.Context, d *reporter) error {
	address, member := d.signer.Key().Address(), r.members[0]
	if err := r.do(ctx, member, client.NewTransaction(r.id).ChallengeDevice(r.net.Issuer.Key().Address(), address)); err != nil {
		return err
	}
	got, err := member.Device(ctx, address)
	if err != nil {
		return err
	}
	nonce, err := nonceOf(got.GetNonce())
	if err != nil {
		return err
	}
	outcome, err := member.Do(ctx, client.NewTransaction(r.id).AttestDevice(address, nonce, boot, forgedFirmware), d.signer)
	if err != nil {
		return err
	}
	return client.Check(outcome)
}

// RelyReport is what a benchmark of questions measured and found. Its JSON names are a format. Latencies are those of a question by one who asks one
// after the other.
type RelyReport struct {
	// Fill is how the readings came onto the ledger, and the checks of them.
	Fill *ReadingsReport `json:"fill"`
	// Readings that the index has, Sources the devices that report to one feed, Questions how many of each sort were asked.
	Readings  int `json:"readings"`
	Sources   int `json:"sources"`
	Questions int `json:"questions"`
	Forged    int `json:"forged"`
	// ReadingMS: a reading by its number, with what speaks against it.
	ReadingMS Latency `json:"reading_ms"`
	// RelyMS: a device at a time.
	RelyMS Latency `json:"rely_ms"`
	// ValueMS: a feed's value at a time, with its sources.
	ValueMS Latency `json:"value_ms"`
	// TaintMS: everything that leaned on a forged device.
	TaintMS Latency    `json:"taint_ms"`
	Checks  RelyChecks `json:"checks"`
}

// RelyChecks are what must be true after a run: that the answers are what was put in.
type RelyChecks struct {
	Readings bool `json:"readings"`
	Devices  bool `json:"devices"`
	Values   bool `json:"values"`
	Taints   bool `json:"taints"`
}

func (r *RelyReport) failed() error {
	return failing(claim{r.Checks.Readings, "readings"}, claim{r.Checks.Devices, "devices"}, claim{r.Checks.Values, "values"}, claim{r.Checks.Taints, "taints"})
}

// Answers says how long each sort of answer took.
func (r *RelyReport) Answers() string {
	fine := func(l Latency) string { return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", l.P50, l.P99) }
	return fmt.Sprintf("a reading %s; a device at a time %s; a value at a time, of %d sources, %s; all that leaned on a device %s",
		fine(r.ReadingMS), fine(r.RelyMS), r.Sources, fine(r.ValueMS), fine(r.TaintMS))
}

// String is the report for people.
func (r *RelyReport) String() string {
	var b strings.Builder
	b.WriteString(r.Fill.String())
	line := liner(&b)
	line("readings in the index", "%s, %d devices forged", count(r.Readings), r.Forged)
	line("answers", "%s", r.Answers())
	line("answers agree", "readings %v, devices %v, values %v, taints %v", r.Checks.Readings, r.Checks.Devices, r.Checks.Values, r.Checks.Taints)
	return b.String()
}
