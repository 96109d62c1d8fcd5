package fleet

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/dureledger/dure/bench"
	"github.com/dureledger/dure/client/device"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// Verdicts count what became of readings.
type Verdicts struct {
	Accepted    int `json:"accepted"`
	Late        int `json:"late"`
	Quarantined int `json:"quarantined"`
	Refused     int `json:"refused"`
}

func (v *Verdicts) add(o Verdicts) {
	v.Accepted, v.Late = v.Accepted+o.Accepted, v.Late+o.Late
	v.Quarantined, v.Refused = v.Quarantined+o.Quarantined, v.Refused+o.Refused
}

// car is one simulated car.
type car struct {
	plan
	name    string
	feed    string
	key     crypto.Signer
	signer  tx.Signer
	address tx.Address
	config  device.Config
	speed   int64

	mu       sync.Mutex
	forged   bool
	reported int // readings so far
	settled  int // of them, those with an answer
	answered Verdicts
	strange  string // an answer that none should get

	device *bench.Running // nil: off
}

// newCar makes a car's key. Half of the cars sign with P-256, as those with a secure element do.
func newCar(i int, name string, p plan) (*car, error) {
	kind := accountv1.KeyKind_KEY_KIND_ED25519
	if i%2 == 1 {
		kind = accountv1.KeyKind_KEY_KIND_P256
	}
	secret, err := tx.NewSecret(kind, rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &car{plan: p, name: name, feed: feedName(i / perFeed), speed: 400 + p.rng.Int64N(400)}
	if c.signer, err = tx.NewSigner(kind, secret); err != nil {
		return nil, err
	}
	c.key, err = reading.Key(kind, secret)
	c.address = c.signer.Key().Address()
	return c, err
}

// Images of a car's firmware, as it measures them.
var good, forged = sha256.Sum256([]byte("sedan-3 1.0.0")), sha256.Sum256([]byte("sedan-3 1.0.0, changed"))

// measure is what the car says of its firmware. One that is forged well could lie here; docs/devices.md says what evidence is worth.
func (c *car) measure(context.Context) ([32]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forged {
		return forged, nil
	}
	return good, nil
}

// answer notes what became of a reading.
func (c *car) answer(s device.Settled) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled++
	verdict, _, _ := strings.Cut(s.Said, ":")
	switch {
	case s.Committed && verdict == "accepted":
		c.answered.Accepted++
	case s.Committed && verdict == "late":
		c.answered.Late++
	case s.Committed && verdict == "quarantined":
		c.answered.Quarantined++
	case strings.Contains(s.Said, "[reading.full]"):
		c.answered.Refused++
	default:
		c.strange = s.Said
	}
}

// start switches the car on: its count of starts goes up.
func (c *car) start(dir string, config device.Config) error {
	config.Dir, config.Address, config.Key, config.Signer = filepath.Join(dir, c.name), c.address, c.key, c.signer
	config.Measure, config.Settled = c.measure, c.answer
	c.config = config
	return c.restart()
}

func (c *car) restart() (err error) {
	c.device, err = bench.SwitchOn(c.config)
	return err
}

// off switches the car off; what is not committed stays on its disk.
func (c *car) off() error {
	if c.device == nil {
		return nil
	}
	err := c.device.Off()
	c.device = nil
	return err
}

// tamper changes the car's firmware, by whoever tampers with it.
func (c *car) tamper() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forged = true
}

// repair puts the maker's firmware back and starts the car again.
func (c *car) repair() error {
	if err := c.off(); err != nil {
		return err
	}
	c.mu.Lock()
	c.forged = false
	c.mu.Unlock()
	return c.restart()
}

// clockOff is how wrong a broken clock is: more than the feed allows.
const clockOff = 20 * time.Minute

// report sends what the car measures at an hour of the day, in tenths of km/h, as of now by its clock.
func (c *car) report(hour int) error {
	c.speed = min(max(c.speed+c.rng.Int64N(101)-50, 0), 1300)
	value, at := c.speed, time.Now()
	if c.From <= hour {
		switch c.Fault {
		case Liar: // drives slower than it does
			value /= 2
		case OutOfRange:
			value = 65_535
		case Stuck:
			value = 500
		case ClockSlow:
			at = at.Add(-clockOff)
		case ClockFast:
			at = at.Add(clockOff)
		}
	}
	speed, err := reading.NewDecimal(value, -1)
	if err != nil {
		return err
	}
	if _, err := c.device.Report(c.feed, speed, "km/h", at); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reported++
	return nil
}

// waits says whether something it said has no answer yet.
func (c *car) waits() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.settled < c.reported
}
