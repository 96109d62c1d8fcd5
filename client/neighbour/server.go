package neighbour

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/certificate"
	"github.com/dureledger/dure/client/coap"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
)

// Config says for whom a device has proofs, and from where.
type Config struct {
	// Listen is the UDP address, host:port; "" means any free port of this machine alone.
	Listen string
	// Address and Key are the device's own.
	Address tx.Address
	Key     crypto.Signer
	// Allow are the devices that may ask, at most 256.
	Allow []tx.Address
	// Asker keeps the device's newest checkpoint.
	Asker *Asker
	// Source is the device's own gateway or node; nil: it has what it kept.
	Source Source
	// Every is how often the source is asked for a newer checkpoint; 0 means a minute.
	Every time.Duration
	Log   *slog.Logger
}

const (
	maxAllow     = 256
	defaultEvery = time.Minute
)

// Server is a device that hands proofs to its neighbours.
type Server struct {
	cfg    Config
	proofs *Proofs
	coap   *coap.Server
	close  func() error
}

// Serve begins to listen. Code neighbour.nobody when no device is allowed, or too many.
func Serve(cfg Config) (*Server, error) {
	if len(cfg.Allow) == 0 || len(cfg.Allow) > maxAllow {
		return nil, fault.New("neighbour.nobody", fmt.Sprintf("Name the devices that may ask, 1 to %d of them.", maxAllow))
	}
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.Every <= 0 {
		cfg.Every = defaultEvery
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	der, err := certificate.Make(cfg.Address, cfg.Key)
	if err != nil {
		return nil, err
	}
	own := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: cfg.Key}
	s := &Server{cfg: cfg}
	s.proofs = NewProofs(s)
	s.coap, err = coap.Listen(cfg.Listen, coap.Config{
		Certificate: func() (*tls.Certificate, error) { return own, nil }, Admit: s.admit, Serve: s.serve, Devices: len(cfg.Allow), Log: cfg.Log,
	})
	if err != nil {
		return nil, err
	}
	s.close = sync.OnceValue(s.coap.Close)
	return s, nil
}

// Listening is the UDP address where it does.
func (s *Server) Listening() string { return s.coap.Address() }

// Close stops it.
func (s *Server) Close() error { return s.close() }

// Keep verifies a receipt file, from what is trusted in the beginning or the newest checkpoint, and has it for the neighbours, whether or not the
// source can be reached.
func (s *Server) Keep(file []byte) error {
	memory := s.cfg.Asker.Memory
	seen, err := memory.Load()
	if err != nil {
		return err
	}
	v, err := seen.Anchor.VerifyReceipt(file)
	if err != nil && memory.Anchor != nil {
		v, err = memory.Anchor.VerifyReceipt(file)
	}
	if err != nil {
		return err
	}
	s.proofs.Keep(hex.EncodeToString(v.ID[:]), file)
	return nil
}

// Run keeps the newest checkpoint until ctx ends. It returns with code witness.second_history when validators have signed a second history: what
// the device knows must not be handed on then, until people have looked at it.
func (s *Server) Run(ctx context.Context) error {
	if s.cfg.Source == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(s.cfg.Every)
	defer tick.Stop()
	for {
		round, cancel := context.WithTimeout(ctx, s.cfg.Every)
		v, err := s.cfg.Asker.Checkpoint(round, s.cfg.Source)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case fault.Code(err) == "witness.second_history":
			s.cfg.Log.Error("a second history", "error", err)
			return errors.Join(err, s.Close())
		case err != nil:
			s.cfg.Log.Warn("no newer checkpoint is to be had; trying again", "error", err)
		case v != nil:
			s.cfg.Log.Info("took a newer checkpoint", "height", v.Grounds.Height, "size", v.Checkpoint.Size, "cosigned", len(v.Cosignatures))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// admit lets in whom it is told to, each with the key that its address is made from: no ledger is asked, so one whose key was changed is not known.
func (s *Server) admit(_ context.Context, device tx.Address, key tx.Key) error {
	if !slices.Contains(s.cfg.Allow, device) {
		return fault.New("neighbour.not_allowed", device.String()+" is not among the devices that may ask.", "device", device)
	}
	return ownKey(device, key)
}

func ownKey(device tx.Address, key tx.Key) error {
	if key.Address() != device {
		return fault.New("neighbour.wrong_key", fmt.Sprintf("The key of the certificate, %s, is not the one that the address %s is made from.", key.Address(), device), "device", device)
	}
	return nil
}

// links is the answer to GET /.well-known/core (RFC 6690).
const links = `</checkpoint>;rt="dure.checkpoint";ct=42,</witnessed>;rt="dure.witnessed";ct=42,</receipt>;rt="dure.receipt";ct=42`

func (s *Server) serve(r *coap.Request) {
	switch {
	case s.proofs.Serve(r, refusal):
	case r.Path != "/.well-known/core":
		r.Answer(coap.Refusal(codes.NotFound, "Nothing is here. /.well-known/core lists what there is."))
	case r.Get(message.AppLinkFormat):
		r.Content(message.AppLinkFormat, []byte(links))
	}
}

func refusal(err error) coap.Response {
	switch code := fault.Code(err); {
	case errors.Is(err, client.ErrNotFound):
		return coap.Refusal(codes.NotFound, "The neighbour has no such proof, and its gateway neither.")
	case code == "", code == "gateway.queue_full":
		return coap.Busy("The neighbour's gateway does not answer. Ask again. [neighbour.no_gateway]")
	default:
		return coap.Refusal(codes.BadRequest, fault.As(err).Message+" ["+code+"]")
	}
}

// Checkpoint implements Source for the proofs that it serves: what its own source has, or else the checkpoint that it kept.
func (s *Server) Checkpoint(ctx context.Context, w Want) (*proof.Extension, error) {
	var failed error
	if s.cfg.Source != nil {
		e, err := s.cfg.Source.Checkpoint(ctx, w)
		if err == nil || fault.Code(err) == "proof.before_anchor" {
			return e, err
		}
		failed = err
	}
	seen, err := s.cfg.Asker.Memory.Load()
	if err != nil {
		return nil, err
	}
	c := seen.Checkpoint
	switch {
	case c == nil, w.Witnessed && len(c.Lines) == 0:
		if failed == nil {
			failed = client.ErrNotFound
		}
		return nil, failed
	case c.Height < w.Trusted:
		return nil, fault.New("proof.before_anchor", fmt.Sprintf("The newest checkpoint here is of height %d.", c.Height), "height", c.Height)
	}
	file, err := c.Encode()
	if err != nil {
		return nil, err
	}
	return &proof.Extension{Checkpoint: file}, nil
}

// Receipt implements Source.
func (s *Server) Receipt(ctx context.Context, transaction string, trusted int64) ([]byte, error) {
	err := client.ErrNotFound
	if s.cfg.Source != nil {
		var file []byte
		if file, err = s.cfg.Source.Receipt(ctx, transaction, trusted); err == nil {
			return file, nil
		}
	}
	if file, ok := s.proofs.Kept(transaction); ok {
		return file, nil
	}
	return nil, err
}

// Dial connects to a neighbour as a device. The neighbour shows a certificate for the key that its address is made from; expect says which address,
// the zero address any.
func Dial(ctx context.Context, address string, own tls.Certificate, expect tx.Address) (*coap.Client, error) {
	return coap.Dial(ctx, address, coap.DialConfig{Certificate: own, Verify: func(shown *x509.Certificate) error {
		device, key, err := certificate.Holder(shown)
		switch {
		case err != nil:
			return err
		case expect != tx.Address{} && device != expect:
			return fault.New("neighbour.another", fmt.Sprintf("The neighbour is %s, not %s.", device, expect), "neighbour", device)
		}
		return ownKey(device, key)
	}})
}
