package torture

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Report is what a run did and found.
type Report struct {
	Seed     uint64  `json:"seed"`
	Members  int     `json:"members"`
	Joined   string  `json:"joined"` // by proxies or namespaces
	Version  string  `json:"version"`
	Dir      string  `json:"dir"`
	Seconds  float64 `json:"seconds"`
	Recovery float64 `json:"recovery_limit_s"`
	Rounds   []Round `json:"rounds"`
}

// Round is one fault and what came of it.
type Round struct {
	Number int    `json:"round"`
	Name   string `json:"name"`
	Fault  Fault  `json:"fault"`
	// Recovered is how long it took from the end of the fault until all members were level and new transactions
	// committed; 0: it did not come to that.
	Recovered time.Duration `json:"recovered_ns"`
	// Late is by how much the machine let a timer of ours wait at worst meanwhile.
	Late time.Duration `json:"late_ns"`
	// Acknowledged transactions, those refused, and those a client had to leave undecided, by what became of them.
	Acknowledged int `json:"acknowledged"`
	Refused      int `json:"refused"`
	Applied      int `json:"undecided_applied"`
	Never        int `json:"undecided_never"`
	// Reads are linearizable reads, Glances those of one member alone, Claims uses of once keys.
	Reads   int `json:"reads"`
	Glances int `json:"glances"`
	Claims  int `json:"claims"`
	// Violations of what the ledger promises. History is the file with everything the clients did, if there are any.
	Violations []string `json:"violations,omitempty"`
	History    string   `json:"history,omitempty"`
}

func newReport(c Config, n *Network) *Report {
	joined := "proxies"
	if c.Namespaces {
		joined = "namespaces"
	}
	return &Report{Seed: c.Seed, Members: n.Size(), Joined: joined, Dir: c.Dir, Recovery: c.Recovery.Seconds()}
}

func (r *Report) add(round Round) { r.Rounds = append(r.Rounds, round) }

// Violations of all rounds.
func (r *Report) Violations() []string {
	var out []string
	for _, round := range r.Rounds {
		for _, v := range round.Violations {
			out = append(out, fmt.Sprintf("round %d, %s: %s (seed %d, history %s, members %s)", round.Number, round.Name, v, r.Seed, round.History, r.Dir))
		}
	}
	return out
}

// blame adds what err says to the violations.
func (r *Round) blame(err error) {
	if err != nil {
		r.Violations = append(r.Violations, err.Error())
	}
}

func (r *Round) count(h *history, a *audit) {
	r.Applied, r.Never = a.applied, a.never
	for _, c := range h.calls {
		switch {
		case c.Op == opGlance:
			r.Glances++
		case c.Op == opRead && c.Verdict == isOK:
			r.Reads++
		case c.ID != "" && c.inHistory():
			r.Acknowledged++
		case c.ID != "" && c.Verdict == isRefused:
			r.Refused++
		}
		if c.Op == opClaim {
			r.Claims++
		}
	}
	r.Acknowledged -= r.Applied
}

// String is the round in a line.
func (r Round) String() string {
	s := fmt.Sprintf("%3d  %-28s recovered in %5.2f s  %6d acknowledged, %d undecided (%d applied), %d reads, %d glances", r.Number, r.Fault.short(),
		r.Recovered.Seconds(), r.Acknowledged, r.Applied+r.Never, r.Applied, r.Reads, r.Glances)
	if r.Late >= starved {
		s += fmt.Sprintf(", the machine was busy for %.1f s", r.Late.Seconds())
	}
	for _, v := range r.Violations {
		s += "\n     VIOLATION: " + v
	}
	return s
}

func (f Fault) short() string {
	text, _, _ := strings.Cut(f.String(), " (")
	return text
}

// JSON writes the reports for programs.
func JSON(w io.Writer, reports ...*Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(reports)
}

// Markdown writes the report for people.
func (r *Report) Markdown(w io.Writer) {
	fmt.Fprintf(w, "# Torture: %d members joined by %s\n\ndure %s, seed %d, %d rounds in %.0f s.\n", r.Members, r.Joined, r.Version, r.Seed, len(r.Rounds), r.Seconds)
	var total Round
	for _, x := range r.Rounds {
		total.Acknowledged += x.Acknowledged
		total.Applied += x.Applied
		total.Never += x.Never
		total.Refused += x.Refused
		total.Reads += x.Reads
		total.Glances += x.Glances
		total.Claims += x.Claims
	}
	fmt.Fprintf(w, `
| | |
|---|---|
| transactions acknowledged | %d |
| of them lost, doubled or changed | %s |
| refused, and rightly absent | %d |
| left undecided: applied once / never | %d / %d |
| linearizable reads, reads of one member, claims of once keys | %d, %d, %d |
| violations | %d |

## Time from the end of a fault until every member is level and new transactions commit

Limit: %.0f s, save where the machine kept our timers waiting for half a second or more (the last table).

| fault | rounds | median s | longest s |
|---|---|---|---|
`, total.Acknowledged, lostText(r), total.Refused, total.Applied, total.Never, total.Reads, total.Glances, total.Claims, len(r.Violations()), r.Recovery)
	for _, name := range r.faults() {
		times := r.times(name)
		fmt.Fprintf(w, "| %s | %d | %.2f | %.2f |\n", name, len(times), times[len(times)/2].Seconds(), times[len(times)-1].Seconds())
	}
	fmt.Fprintf(w, "\n## Rounds\n\n| round | fault | held s | recovered s | machine late s | acknowledged | undecided | violations |\n|---|---|---|---|---|---|---|---|\n")
	for _, x := range r.Rounds {
		fmt.Fprintf(w, "| %d | %s | %.1f | %.2f | %.2f | %d | %d | %s |\n", x.Number, x.Name, x.Fault.Hold.Seconds(), x.Recovered.Seconds(), x.Late.Seconds(), x.Acknowledged, x.Applied+x.Never,
			strings.ReplaceAll(strings.Join(x.Violations, "; "), "\n", " "))
	}
	fmt.Fprintln(w)
}

func lostText(r *Report) string {
	if v := len(r.Violations()); v > 0 {
		return fmt.Sprintf("see the %d violations", v)
	}
	return "0"
}

// group is a fault by its kind and how many members it struck.
func (f Fault) group() string {
	if len(f.Members) == 0 {
		return string(f.Kind)
	}
	return fmt.Sprintf("%s, %d members", f.Kind, len(f.Members))
}

func (r *Report) faults() []string {
	var out []string
	for _, x := range r.Rounds {
		if name := x.Fault.group(); !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (r *Report) times(name string) []time.Duration {
	var out []time.Duration
	for _, x := range r.Rounds {
		if x.Fault.group() == name {
			out = append(out, x.Recovered)
		}
	}
	slices.Sort(out)
	return out
}
