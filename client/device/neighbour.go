package device

import (
	"context"
	"path/filepath"

	"github.com/dureledger/dure/client/neighbour"
	"github.com/dureledger/dure/client/witness"
	"github.com/dureledger/dure/ledger/proof"
)

// neighbour hands proofs to neighbours until stop is called. A second history ends that, not the device: it is in the log, and what was shown is kept.
func (d *Device) neighbour(ctx context.Context, l line) (stop func(), err error) {
	cfg := *d.cfg.Neighbour
	cfg.Address, cfg.Key, cfg.Log = d.cfg.Address, d.cfg.Key, d.cfg.Log
	cfg.Asker = &neighbour.Asker{Memory: witness.Memory{File: filepath.Join(d.cfg.Dir, "checkpoint"), Anchor: d.cfg.Anchor}}
	if over, ok := l.(*coapLine); ok {
		cfg.Source = over
	}
	s, err := neighbour.Serve(cfg)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		_ = s.Run(ctx) // it has logged why
	}()
	return func() {
		cancel()
		<-ended
		if err := s.Close(); err != nil {
			d.cfg.Log.Warn("the neighbours' socket is not closed", "error", err)
		}
	}, nil
}

// Checkpoint implements neighbour.Source with what the gateway has.
func (l *coapLine) Checkpoint(ctx context.Context, w neighbour.Want) (*proof.Extension, error) {
	c := l.await(ctx)
	if c == nil {
		return nil, ctx.Err()
	}
	return neighbour.Peer{Conn: c}.Checkpoint(ctx, w)
}

// Receipt implements neighbour.Source.
func (l *coapLine) Receipt(ctx context.Context, transaction string, trusted int64) ([]byte, error) {
	c := l.await(ctx)
	if c == nil {
		return nil, ctx.Err()
	}
	return neighbour.Peer{Conn: c}.Receipt(ctx, transaction, trusted)
}
