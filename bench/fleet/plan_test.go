package fleet

import (
	"testing"
)

func day() Config {
	return Config{Devices: 200, Hours: 24, Seed: 7, Liars: 0.02, Broken: 0.03, EveryMinutes: 30, HourMS: 1000}
}

// The seed alone decides who is what, and when.
func TestPlans(t *testing.T) {
	faults := map[string]int{}
	first, again, other := plans(day()), plans(day()), plans(Config{Devices: 200, Hours: 24, Seed: 8, Liars: 0.02, Broken: 0.03})
	same := 0
	for i, p := range first {
		faults[p.Fault]++
		q := again[i]
		if p.Fault != q.Fault || p.From != q.From || p.Repaired != q.Repaired || p.rng.Uint64() != q.rng.Uint64() {
			t.Errorf("car %d: %+v, then %+v", i, p, q)
		}
		if p.Fault == other[i].Fault && p.From == other[i].From {
			same++
		}
		if p.From < 0 || p.From >= 24 || p.Repaired != 0 && (p.Fault != Liar || p.Repaired <= p.From || p.Repaired >= 24) {
			t.Errorf("car %d: %+v", i, p)
		}
	}
	if same == len(first) {
		t.Error("another seed chooses the same")
	}
	if faults[Liar] != 4 || faults[Honest] != 190 || faults[OutOfRange] != 2 || faults[ClockSlow] != 2 || faults[ClockFast] != 1 || faults[Stuck] != 1 {
		t.Errorf("%v", faults)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if err := day().Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no devices":  func(c *Config) { c.Devices = 0 },
		"too many":    func(c *Config) { c.Devices = MaxDevices + 1 },
		"no hours":    func(c *Config) { c.Hours = 0 },
		"a century":   func(c *Config) { c.Hours = 1_000_000 },
		"all and one": func(c *Config) { c.Liars, c.Broken = 1, 0.01 },
		"below zero":  func(c *Config) { c.Liars = -0.1 },
		"7 minutes":   func(c *Config) { c.EveryMinutes = 7 },
		"no time":     func(c *Config) { c.HourMS = 0 },
	} {
		c := day()
		if spoil(&c); c.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
