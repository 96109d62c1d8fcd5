package story

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/dureledger/dure/bench"
	"github.com/dureledger/dure/client/device"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// car is one car: a key, a disk with its firmware, and a connection to the gateway.
type car struct {
	name    string
	key     crypto.Signer
	signer  tx.Signer
	address tx.Address
	config  device.Config
	speed   int64 // tenths of km/h
	earned  int   // readings that were paid

	device  *bench.Running // nil: off
	settled chan device.Settled
}

// taken is a reading that a car has sent and that was committed.
type taken struct {
	device.Number
	at      time.Time
	verdict string
}

// newCar makes a car's key: P-256, as those in secure elements are.
func newCar(name string, speed int64, config device.Config) (*car, error) {
	secret, err := tx.NewSecret(accountv1.KeyKind_KEY_KIND_P256, rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &car{name: name, speed: speed, config: config, settled: make(chan device.Settled, 1)}
	if c.signer, err = tx.NewSigner(accountv1.KeyKind_KEY_KIND_P256, secret); err != nil {
		return nil, err
	}
	if c.key, err = reading.Key(accountv1.KeyKind_KEY_KIND_P256, secret); err != nil {
		return nil, err
	}
	c.address = c.signer.Key().Address()
	c.config.Dir, c.config.Address, c.config.Key, c.config.Signer = filepath.Join(config.Dir, name), c.address, c.key, c.signer
	c.config.Measure = func(context.Context) ([32]byte, error) { return digest(c.image()) }
	c.config.Settled = func(s device.Settled) { c.settled <- s } // report waits for each
	return c, nil
}

// image is the file that the car runs.
func (c *car) image() string { return filepath.Join(c.config.Dir, "firmware.bin") }

// start switches the car on: its count of starts goes up.
func (c *car) start() (err error) {
	c.device, err = bench.SwitchOn(c.config)
	return err
}

// off switches the car off.
func (c *car) off() error {
	if c.device == nil {
		return nil
	}
	err := c.device.Off()
	c.device = nil
	return err
}

// drive reports the speed a number of times, each once the one before is on the ledger.
func (c *car) drive(ctx context.Context, feed string, times int) ([]taken, error) {
	out := make([]taken, 0, times)
	for i := range times {
		t, err := c.report(ctx, feed, c.speed+int64(i%3)*5)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		out = append(out, t)
	}
	return out, nil
}

// report sends what the car's firmware makes of a speed, and waits until it is committed.
func (c *car) report(ctx context.Context, feed string, speed int64) (taken, error) {
	said, err := reported(c.image(), speed)
	if err != nil {
		return taken{}, err
	}
	value, err := reading.NewDecimal(said, -1)
	if err != nil {
		return taken{}, err
	}
	now := time.Now()
	number, err := c.device.Report(feed, value, unit, now)
	if err != nil {
		return taken{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case s := <-c.settled:
		if !s.Committed || s.Number != number {
			return taken{}, fmt.Errorf("reading %d of start %d was not taken: %s", number.Sequence, number.Boot, s.Said)
		}
		return taken{Number: number, at: now.Truncate(time.Millisecond), verdict: s.Said}, nil
	case <-c.device.Ended():
		return taken{}, errors.Join(errors.New("it stopped"), c.device.Err())
	case <-ctx.Done():
		return taken{}, fmt.Errorf("the gateway at %s has not answered: %w", c.config.Gateway, context.Cause(ctx))
	}
}
