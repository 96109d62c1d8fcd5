package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// ReadingsReport is what a benchmark of readings measured and found. Its JSON names are a format.
type ReadingsReport struct {
	Measured
	// Kind of the devices' keys: "ed25519" or "p256".
	Kind    string `json:"kind"`
	Devices int    `json:"devices"`
	// Each is how many readings of a device one anchor has.
	Each        int `json:"each"`
	Accepted    int `json:"accepted"`
	Late        int `json:"late"`
	Quarantined int `json:"quarantined"`
	Refused     int `json:"refused"`
	// ProofBytes is the mean size of the proofs of readings sampled.
	ProofBytes int           `json:"proof_bytes"`
	Checks     ReadingChecks `json:"checks"`

	proofs []sampledReading
	seen   int
}

// ReadingChecks are what must be true after a run.
type ReadingChecks struct {
	// VerdictsAgree: the ledger counts for every device what was answered.
	VerdictsAgree bool `json:"verdicts_agree"`
	// HeadsAgree: the ledger has seen of every device all that was sent, and nothing is missing.
	HeadsAgree bool `json:"heads_agree"`
	// SameRootEverywhere: all members have the same state and history.
	SameRootEverywhere bool `json:"same_root_everywhere"`
	// Readings proven by a path and a receipt, by the genesis file alone, to have the verdict answered.
	ReadingsSampled int `json:"readings_sampled"`
	ReadingsProven  int `json:"readings_proven"`
}

// sampledReading is a reading to be proven.
type sampledReading struct {
	device   tx.Address
	sequence uint64
	raw      []byte
	verdict  byte
}

// keepEvery bounds what is kept to be proven: a reading of every keepEvery-th anchor.
const keepEvery = 7

// keep notes a reading of an anchor to be proven.
func (r *readings) keep(a *anchored, verdicts map[tx.Address][]byte) {
	r.report.mu.Lock()
	defer r.report.mu.Unlock()
	if r.report.seen++; r.report.seen%keepEvery != 1 {
		return
	}
	s := a.sources[r.report.seen%len(a.sources)]
	k := r.report.seen % len(s.raw)
	device := s.device.signer.Key().Address()
	r.report.proofs = append(r.report.proofs, sampledReading{device, s.first + uint64(k), s.raw[k], verdicts[device][k]})
}

// check asks the network what it has become, as run.check does.
func (r *readings) check(ctx context.Context) error {
	r.say("Checking verdicts, heads, roots and proofs…")
	end := time.Now()
	if err := r.memory(); err != nil {
		return err
	}
	var err error
	if r.report.Checks.SameRootEverywhere, err = r.roots(ctx); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	if err := errors.Join(r.indexes(ctx, end), r.verdicts(ctx)); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return r.prove(ctx)
}

// verdicts compares what the ledger keeps of every device with what was answered and sent.
func (r *readings) verdicts(ctx context.Context) error {
	devices := make(map[string]*reporter, len(r.devices))
	for i := range r.devices {
		d := &r.devices[i]
		devices[d.signer.Key().Address().String()] = d
		r.report.Accepted += int(d.found[streamv1.Verdict_VERDICT_ACCEPTED])
		r.report.Late += int(d.found[streamv1.Verdict_VERDICT_LATE])
		r.report.Quarantined += int(d.found[streamv1.Verdict_VERDICT_QUARANTINED])
		r.report.Refused += int(d.found[streamv1.Verdict_VERDICT_REFUSED])
	}
	wrongVerdicts, wrongHeads := 0, 0
	for i, feed := range r.feeds {
		got, err := r.members[i%len(r.members)].Feed(ctx, feed)
		if err != nil {
			return err
		}
		for _, s := range got.GetSources() {
			d := devices[s.GetDevice()]
			if d == nil {
				continue
			}
			delete(devices, s.GetDevice())
			if d.found != [5]uint64{1: s.GetAccepted(), 2: s.GetLate(), 3: s.GetQuarantined(), 4: s.GetRefused()} {
				wrongVerdicts++
			}
			if d.sent != 0 && (s.GetBoot() != boot || s.GetSequence() != d.sent) || s.GetMissing() != 0 {
				wrongHeads++
			}
		}
	}
	if wrongVerdicts+wrongHeads+len(devices) > 0 {
		r.say("Verdicts differ for %d devices, heads for %d; %d devices are not listed.", wrongVerdicts, wrongHeads, len(devices))
	}
	r.report.Checks.VerdictsAgree, r.report.Checks.HeadsAgree = wrongVerdicts+len(devices) == 0, wrongHeads+len(devices) == 0
	return nil
}

// prove fetches the proofs of some readings, spread over the run, and verifies them by the genesis file alone.
func (r *readings) prove(ctx context.Context) error {
	anchor, err := light.FromGenesis(r.net.Genesis)
	if err != nil {
		return err
	}
	total, checks := 0, &r.report.Checks
	step := max(1, len(r.report.proofs)/r.Proofs)
	for i := 0; i < len(r.report.proofs) && checks.ReadingsSampled < r.Proofs; i += step {
		want := r.report.proofs[i]
		checks.ReadingsSampled++
		got, err := r.members[i%r.net.Indexing].ReadingProof(ctx, want.device, boot, want.sequence, 0)
		if errors.As(err, new(*client.Unreachable)) {
			return fmt.Errorf("bench: %w", err)
		}
		var proven *light.VerifiedReading
		if err == nil {
			proven, err = anchor.VerifyReading(got.GetProof())
		}
		if err == nil && (!bytes.Equal(proven.Message, want.raw) || byte(proven.Verdict)<<4|byte(proven.Reason) != want.verdict) {
			err = errors.New("it proves another reading or verdict")
		}
		if err != nil {
			r.say("Reading %d of %s is not proven: %v", want.sequence, want.device, err)
			continue
		}
		checks.ReadingsProven++
		total += len(got.GetProof())
	}
	r.report.ProofBytes = total / max(1, checks.ReadingsProven)
	return nil
}

func (r *ReadingsReport) failed() error {
	return failing(
		claim{r.Checks.VerdictsAgree, "verdicts_agree"}, claim{r.Checks.HeadsAgree, "heads_agree"}, claim{r.Checks.SameRootEverywhere, "same_root_everywhere"},
		claim{r.Checks.ReadingsSampled > 0 && r.Checks.ReadingsProven == r.Checks.ReadingsSampled, "readings_proven"},
		claim{r.Accepted+r.Late+r.Quarantined+r.Refused == r.Committed, "committed: not every reading has a verdict"})
}

// String is the report for people.
func (r *ReadingsReport) String() string {
	var b strings.Builder
	r.lines(&b, "readings")
	line := liner(&b)
	line("devices", "%s with %s keys, %d readings of each in an anchor", count(r.Devices), r.Kind, r.Each)
	line("verdicts", "%s accepted, %s late, %s quarantined, %s refused", count(r.Accepted), count(r.Late), count(r.Quarantined), count(r.Refused))
	line("verdicts agree", "%v", r.Checks.VerdictsAgree)
	line("heads agree", "%v", r.Checks.HeadsAgree)
	line("same root everywhere", "%v", r.Checks.SameRootEverywhere)
	line("readings proven", "%d of %d, %d bytes each", r.Checks.ReadingsProven, r.Checks.ReadingsSampled, r.ProofBytes)
	return b.String()
}
