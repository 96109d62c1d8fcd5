package torture

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Fault is what is done to a network in one round.
type Fault struct {
	Kind    Kind  `json:"kind"`
	Members []int `json:"members,omitempty"`
	// Hold is how long it lasts.
	Hold time.Duration `json:"hold_ns"`

	style   cutStyle
	weather weather
}

// Kind is a kind of fault.
type Kind string

// The kinds of faults.
const (
	// Kill ends members' processes by kill -9 and starts them again.
	Kill Kind = "kill"
	// KillAgain does so and does it again while the members catch up.
	KillAgain Kind = "kill again"
	// Freeze stops members' processes (SIGSTOP) and lets them go on as if no time had passed.
	Freeze Kind = "freeze"
	// Cut parts members from the others.
	Cut Kind = "cut"
	// Bad makes all links slow, stalling and breaking, or narrow.
	Bad Kind = "bad links"
)

// String says the fault for people.
func (f Fault) String() string {
	s := string(f.Kind)
	if len(f.Members) > 0 {
		s += fmt.Sprintf(" %v", f.Members)
	}
	switch f.Kind {
	case Cut:
		s += " " + string(f.style)
	case Bad:
		w := f.weather
		s += fmt.Sprintf(" (%v+%v, %.0f%% stalled for %v, %.1f%% broken; or %d Mbit/s)", w.delay, w.jitter, 100*w.stall, w.stallFor, 100*w.drop, w.rate)
	}
	return s
}

// stops says whether the fault leaves no more than two thirds of size members together, so that nobody may commit.
func (f Fault) stops(size int) bool {
	if f.Kind == Bad {
		return false
	}
	together := size - len(f.Members)
	if f.Kind == Cut {
		together = max(together, len(f.Members))
	}
	return 3*together <= 2*size
}

// Schedule is an endless sequence of faults that a seed decides.
type Schedule struct {
	size   int
	chance *rand.Rand
	bag    []func() Fault
	kinds  []Kind
}

// NewSchedule makes the schedule of a seed for a network of size members, of the given kinds or all.
func NewSchedule(seed uint64, size int, kinds ...Kind) *Schedule {
	return &Schedule{size: size, chance: rand.New(rand.NewPCG(seed, 0)), kinds: kinds}
}

// Next is the next fault. All faults come before one comes again.
func (s *Schedule) Next() Fault {
	for len(s.bag) == 0 {
		s.refill()
	}
	next := s.bag[0]
	s.bag = s.bag[1:]
	return next()
}

// refill puts every fault into the bag once and shuffles.
func (s *Schedule) refill() {
	some := func(kind Kind, count int, least, most time.Duration) {
		if len(s.kinds) > 0 && !slices.Contains(s.kinds, kind) {
			return
		}
		s.bag = append(s.bag, func() Fault {
			f := Fault{Kind: kind, Members: s.members(count), Hold: least + time.Duration(s.chance.Int64N(int64(most-least)))}
			f.style = []cutStyle{silent, refusing}[s.chance.IntN(2)]
			if kind == Bad {
				f.weather = s.weather()
			}
			return f
		})
	}
	third, half := (s.size-1)/3, s.size/2
	some(Kill, 1, 2*time.Second, 6*time.Second)
	some(Kill, half, 2*time.Second, 6*time.Second)
	some(Kill, s.size, 200*time.Millisecond, 2*time.Second)
	some(KillAgain, 1, time.Second, 3*time.Second)
	some(Cut, max(1, third), 4*time.Second, 15*time.Second)
	some(Cut, half, 4*time.Second, 15*time.Second)
	some(Bad, 0, 5*time.Second, 10*time.Second)
	some(Freeze, 1, 2*time.Second, 6*time.Second)
	some(Freeze, half, 2*time.Second, 6*time.Second)
	s.chance.Shuffle(len(s.bag), func(i, j int) { s.bag[i], s.bag[j] = s.bag[j], s.bag[i] })
}

// members chooses count members.
func (s *Schedule) members(count int) []int {
	out := s.chance.Perm(s.size)[:count]
	slices.Sort(out)
	return out
}

func (s *Schedule) weather() weather {
	return weather{
		delay: time.Duration(5+s.chance.IntN(100)) * time.Millisecond, jitter: time.Duration(1+s.chance.IntN(50)) * time.Millisecond,
		stall: 0.05 * s.chance.Float64(), stallFor: time.Duration(200+s.chance.IntN(600)) * time.Millisecond,
		drop: 0.01 * s.chance.Float64(), rate: 1 + s.chance.IntN(4),
	}
}
