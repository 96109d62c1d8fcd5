package bench

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"
)

// Measured is what every benchmark measures, of whatever it has committed: payments, readings. Its JSON names are a format.
type Measured struct {
	Members         int `json:"members"`
	IndexingMembers int `json:"indexing_members"`
	// IndexLagS is how long after the last answer the indexes had caught up, in seconds.
	IndexLagS float64 `json:"index_lag_s"`
	// Seconds the clock ran. It starts WarmUpS after the load does.
	Seconds float64 `json:"seconds"`
	WarmUpS float64 `json:"warm_up_s"`
	// Offered and Committed count everything, also what came before the clock started and was answered after it stopped.
	Offered   int `json:"offered"`
	Committed int `json:"committed"`
	// CommittedPerS counts what was answered as committed while the clock ran.
	CommittedPerS float64 `json:"committed_per_s"`
	LatencyMS     Latency `json:"latency_ms"`
	// FirstMinutePerS and LastMinutePerS compare the ends of runs of two minutes and more.
	FirstMinutePerS float64 `json:"first_minute_per_s,omitempty"`
	LastMinutePerS  float64 `json:"last_minute_per_s,omitempty"`
	// VerifyPerCoreS is how many signatures one core verifies a second, in batches, measured before the load and after it.
	VerifyPerCoreS float64 `json:"verify_per_core_s"`
	Cores          int     `json:"cores"`
	// LimitPerS is what verification alone would allow: VerifyPerCoreS × Cores ÷ Members. OfLimit is CommittedPerS of it.
	LimitPerS float64 `json:"limit_per_s"`
	OfLimit   float64 `json:"of_limit"`
	// MemberCPUUS and ClientCPUUS are the processor time of all members together, and of what loads them, for each one committed,
	// in microseconds.
	MemberCPUUS float64 `json:"member_cpu_us"`
	ClientCPUUS float64 `json:"client_cpu_us"`
	// RSSBytes is the largest resident set of each member's process so far.
	RSSBytes []int64 `json:"rss_bytes"`
	// StateKeys is how many entries the state tree has.
	StateKeys int64 `json:"state_keys"`

	mu        sync.Mutex
	base      float64 // seconds of the clock before this round
	start     time.Time
	span      float64
	latencies []float32 // one for each, milliseconds
	timeline  []bucket  // one per second of the clock
}

// Latency from sending to answer: the time of its whole call, which is an upper bound for each of a call.
type Latency struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// bucket is one second of the clock.
type bucket struct {
	committed int
	latencies []float32 // of the calls answered in it
}

// measure runs a load of warmUp and a span with the clock and counts what processor time it takes. load returns when all is answered.
func (r *session) measure(span time.Duration, load func() error) error {
	members, own, err := r.cpuSeconds()
	if err != nil {
		return err
	}
	r.measured.begin(warmUp, span)
	err = load()
	r.measured.end()
	if err != nil {
		return err
	}
	membersAfter, ownAfter, err := r.cpuSeconds()
	if err != nil {
		return err
	}
	r.measured.MemberCPUUS += max(0, membersAfter-members) * 1e6 // divided in finish; a member started again counts anew
	r.measured.ClientCPUUS += (ownAfter - own) * 1e6
	return nil
}

// begin starts the clock of a round after a while, so that it counts a network that is under load already.
func (r *Measured) begin(after, span time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.start, r.span = time.Now().Add(after), span.Seconds()
}

// end closes a round. When what was signed gave out before the time the clock ran only until then.
func (r *Measured) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.base += min(time.Since(r.start).Seconds(), r.span)
}

// book counts n of one call, ok of which are committed. What is answered before the clock starts or after it stopped is committed, but
// not in time.
func (r *Measured) book(n, ok int, sent time.Time, took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Offered += n
	r.Committed += ok
	ms := float32(took.Microseconds()) / 1000
	if sent.After(r.start) {
		for range n {
			r.latencies = append(r.latencies, ms)
		}
	}
	if at := sent.Add(took).Sub(r.start).Seconds(); at >= 0 && at < r.span {
		second := int(r.base + at)
		for len(r.timeline) <= second {
			r.timeline = append(r.timeline, bucket{})
		}
		r.timeline[second].committed += ok
		r.timeline[second].latencies = append(r.timeline[second].latencies, ms)
	}
}

// inTime is what was committed while the clock ran so far, and for how many seconds it did.
func (r *Measured) inTime() (committed int, seconds float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.timeline {
		committed += b.committed
	}
	return committed, r.base
}

// rate is what was committed a second in time so far.
func (r *Measured) rate() float64 {
	committed, seconds := r.inTime()
	return float64(committed) / max(seconds, 1e-9)
}

// limit works out what so many signatures verified by a core a second allow.
func (r *Measured) limit(verifyPerCore float64) {
	r.VerifyPerCoreS = verifyPerCore
	r.LimitPerS = verifyPerCore * float64(r.Cores) / float64(r.Members)
	r.OfLimit = r.CommittedPerS / r.LimitPerS
}

// finish works out the figures.
func (r *Measured) finish() {
	r.Seconds, r.CommittedPerS = r.base, r.rate()
	r.MemberCPUUS /= max(1, float64(r.Committed))
	r.ClientCPUUS /= max(1, float64(r.Committed))
	r.LatencyMS = latencyOf(r.latencies)
	if n := len(r.timeline); n >= 120 {
		r.FirstMinutePerS, r.LastMinutePerS = mean(r.timeline[:60]), mean(r.timeline[n-60:])
	}
}

// latencyOf are the percentiles of times in milliseconds, which it sorts.
func latencyOf(ms []float32) Latency {
	if len(ms) == 0 {
		return Latency{}
	}
	slices.Sort(ms)
	percentile := func(p int) float64 { return float64(ms[min(len(ms)-1, len(ms)*p/100)]) }
	return Latency{percentile(50), percentile(95), percentile(99)}
}

func mean(seconds []bucket) float64 {
	total := 0
	for _, b := range seconds {
		total += b.committed
	}
	return float64(total) / float64(len(seconds))
}

// claim is something that must be true after a run, and its name.
type claim struct {
	ok   bool
	what string
}

// failing says which checks failed.
func failing(checks ...claim) error {
	var bad []string
	for _, c := range checks {
		if !c.ok {
			bad = append(bad, c.what)
		}
	}
	if len(bad) > 0 {
		return errors.New("bench: checks failed: " + strings.Join(bad, ", "))
	}
	return nil
}
