package bench

import (
	"context"
	"errors"

	"github.com/dureledger/dure/client/device"
)

// Running is a device of the Go SDK that is switched on.
type Running struct {
	*device.Device
	stop  context.CancelFunc
	ended chan struct{}
	err   error // once ended is closed
}

// SwitchOn starts a device: its count of starts goes up. Off ends it.
func SwitchOn(c device.Config) (*Running, error) {
	d, err := device.Open(c)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &Running{Device: d, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.err = d.Run(ctx)
	}()
	return r, nil
}

// Ended is closed when the device has stopped, by itself or switched off; Err says why.
func (r *Running) Ended() <-chan struct{} { return r.ended }

// Err is what the device stopped with, after Ended.
func (r *Running) Err() error { return r.err }

// Off switches the device off; what is not committed stays on its disk.
func (r *Running) Off() error {
	r.stop()
	<-r.ended
	return errors.Join(r.err, r.Close())
}
