package fleet

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Faults of a car.
const (
	// Honest cars report what they measure.
	Honest = "honest"
	// Liar: its firmware is changed at some hour.
	Liar = "liar"
	// OutOfRange: its sensor says what the feed takes for impossible.
	OutOfRange = "out of range"
	// Stuck: its sensor repeats a value that is possible. No rule of a feed looks for that.
	Stuck = "stuck"
	// ClockSlow and ClockFast: its clock is far behind or ahead.
	ClockSlow = "clock slow"
	ClockFast = "clock fast"
)

var breakages = []string{OutOfRange, ClockSlow, ClockFast, Stuck}

// plan is what happens to one car.
type plan struct {
	Fault string
	// From which hour, and for a liar from which hour on it is repaired; 0: never.
	From, Repaired int
	// rng draws what it measures.
	rng *rand.Rand
}

// plans chooses who is what, by the seed alone.
func plans(c Config) []plan {
	rng := rand.New(rand.NewPCG(c.Seed, 0x666c656574))
	out := make([]plan, c.Devices)
	for i := range out {
		out[i] = plan{Fault: Honest, rng: rand.New(rand.NewPCG(c.Seed, uint64(i)))}
	}
	order := rng.Perm(c.Devices)
	liars, broken := share(c.Liars, c.Devices), share(c.Broken, c.Devices)
	for n, i := range order[:liars+broken] {
		p := &out[i]
		p.From = rng.IntN(c.Hours)
		if n >= liars {
			p.Fault = breakages[(n-liars)%len(breakages)]
			continue
		}
		p.Fault = Liar
		// It is found when it is asked next. Every other one is repaired then, and stands to be asked once more.
		if found := (p.From/c.askEvery() + 1) * c.askEvery(); n%2 == 0 && found < c.Hours {
			p.Repaired = found
		}
	}
	return out
}

// share is a part of the devices, rounded up, so that a small fleet has some as well.
func share(part float64, devices int) int { return int(math.Ceil(part*float64(devices) - 1e-9)) }

// Config says which day to drive.
type Config struct {
	Devices, Hours int
	Seed           uint64
	// Liars and Broken are parts of the devices, 0 to 1, together at most 1.
	Liars, Broken float64
	// EveryMinutes is how many simulated minutes are between two readings of a car: a part of 60.
	EveryMinutes int
	// HourMS is how many real milliseconds a simulated hour takes at least.
	HourMS int
}

// Limits of a Config.
const (
	MaxDevices = 10_000
	MaxHours   = 24 * 31
)

// Check says what is wrong with a Config.
func (c Config) Check() error {
	switch {
	case c.Devices < 1 || c.Devices > MaxDevices:
		return fmt.Errorf("want 1 to %d devices", MaxDevices)
	case c.Hours < 1 || c.Hours > MaxHours:
		return fmt.Errorf("want 1 to %d hours", MaxHours)
	case !(c.Liars >= 0 && c.Broken >= 0) || share(c.Liars, c.Devices)+share(c.Broken, c.Devices) > c.Devices:
		return fmt.Errorf("liars and broken devices are parts of the fleet: 0%% to 100%%, and no more than 100%% together")
	case c.EveryMinutes < 1 || 60%c.EveryMinutes != 0:
		return fmt.Errorf("want a reading every 1 to 60 minutes, a part of an hour")
	case c.HourMS < 1 || c.HourMS > 3_600_000:
		return fmt.Errorf("want a simulated hour to take 1 ms to an hour")
	}
	return nil
}

// askEvery is after how many hours all cars are asked for evidence.
func (c Config) askEvery() int { return max(1, c.Hours/4) }
