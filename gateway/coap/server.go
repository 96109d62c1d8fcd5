package coap

import (
	"context"
	"sync"

	"github.com/plgd-dev/go-coap/v3/message"

	"github.com/dureledger/dure/client/coap"
	"github.com/dureledger/dure/client/neighbour"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/ledger/tx"
)

// Server is the door for CoAP. It implements gateway.Door.
type Server struct {
	cfg    gateway.DoorConfig
	coap   *coap.Server
	proofs *neighbour.Proofs

	mu sync.Mutex
	// looking has the connections for which commands are looked for, and the newest transaction that is wanted.
	looking map[*coap.Session]string
}

// Listen starts a server on a UDP address, host:port.
func Listen(address string, cfg gateway.DoorConfig) (*Server, error) {
	if cfg.Devices <= 0 {
		cfg.Devices = gateway.DefaultDevices
	}
	s := &Server{cfg: cfg, proofs: neighbour.NewProofs(cfg.Handler), looking: map[*coap.Session]string{}}
	metrics := newMetrics()
	var err error
	if s.coap, err = coap.Listen(address, coap.Config{
		Certificate: cfg.Certificate, Admit: cfg.Handler.Admit, Serve: s.serve, Devices: cfg.Devices, Tally: metrics, Log: cfg.Log,
	}); err != nil {
		return nil, err
	}
	if cfg.Registry != nil {
		if err := metrics.register(cfg.Registry, s.Connected); err != nil {
			_ = s.coap.Close()
			return nil, err
		}
	}
	return s, nil
}

// Address is where the server listens.
func (s *Server) Address() string { return s.coap.Address() }

// Connected is how many devices are here.
func (s *Server) Connected() int { return s.coap.Connected() }

// Changed implements gateway.Door: it asks again whether the device's key may act for it, and cuts it off if not.
func (s *Server) Changed(device tx.Address) {
	if d := s.coap.Here(device); d != nil {
		go func() {
			ctx, cancel := context.WithTimeout(d.Life(), gateway.AdmitTime)
			defer cancel()
			if err := s.cfg.Handler.Admit(ctx, device, d.Key); err != nil && gateway.KindOf(err) == gateway.NotAllowed {
				d.Cut("not allowed", err.Error())
			}
		}()
	}
}

// Challenge implements gateway.Door.
func (s *Server) Challenge(device tx.Address, nonce string) {
	if d := s.coap.Here(device); d != nil && nonce != "" {
		go d.Notify(pathChallenge, message.TextPlain, []byte(nonce))
	}
}

// Commanded implements gateway.Door.
func (s *Server) Commanded(device tx.Address, transaction string) {
	if d := s.coap.Here(device); d != nil && d.Observes(pathCommand) {
		s.look(d, transaction)
	}
}

// Close ends the connections and lets nobody in any more, when every request has its answer or a moment later: what was taken and not
// answered its device sends again. The handler takes nothing any more, but answers.
func (s *Server) Close() error { return s.coap.Close() }
