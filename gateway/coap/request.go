package coap

import (
	"context"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/dureledger/dure/client/coap"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/ledger/reading"
)

// The paths of requests.
const (
	pathReading   = "/reading"
	pathTx        = "/tx"
	pathChallenge = "/challenge"
	pathCommand   = "/command"
	pathCore      = "/.well-known/core"
)

// links is the answer to GET /.well-known/core (RFC 6690).
const links = `</reading>;rt="dure.reading";ct=18,</tx>;rt="dure.tx";ct=42,</challenge>;rt="dure.challenge";ct=0;obs,` +
	`</command>;rt="dure.command";ct=0;obs,</receipt>;rt="dure.receipt";ct=42,` +
	`</checkpoint>;rt="dure.checkpoint";ct=42,</witnessed>;rt="dure.witnessed";ct=42`

// serve finds out what a request wants.
func (s *Server) serve(r *coap.Request) {
	if s.proofs.Serve(r, func(err error) coap.Response {
		return ofError(err, "The ledger has no such transaction, or no proof of it yet.")
	}) {
		return
	}
	done := func(a gateway.Answer) { r.Answer(ofAnswer(a)) }
	switch r.Path {
	case pathReading:
		if body := r.Post(message.AppCoseSign1, message.AppJSON, reading.MaxBytes); body != nil {
			ctx, cancel := context.WithTimeout(r.Session.Life(), gateway.AdmitTime)
			defer cancel()
			s.cfg.Handler.Reading(ctx, r.Session.Device, r.Session.Key, body, done)
		}
	case pathTx:
		if body := r.Post(message.AppOctets, message.AppJSON, s.cfg.Handler.MaxMessage()); body != nil {
			s.cfg.Handler.Transaction(r.Session.Device, body, done)
		}
	case pathChallenge:
		if r.Get(message.TextPlain) {
			s.challenge(r)
		}
	case pathCommand:
		if r.Get(message.TextPlain) {
			s.command(r)
		}
	case pathCore:
		if r.Get(message.AppLinkFormat) {
			r.Content(message.AppLinkFormat, []byte(links))
		}
	default:
		r.Answer(coap.Refusal(codes.NotFound, "Nothing is here. "+pathCore+" lists what there is."))
	}
}

// challenge answers with the open challenge. Who observes it is answered with an empty body when there is none, as an error would end the observation
// (RFC 7641, section 4.2).
func (s *Server) challenge(r *coap.Request) {
	observes := r.Observe()
	go func() {
		ctx, cancel := context.WithTimeout(r.Session.Life(), gateway.AdmitTime)
		defer cancel()
		nonce, err := s.cfg.Handler.Nonce(ctx, r.Session.Device)
		switch {
		case err != nil:
			r.Session.Unobserve(pathChallenge)
			r.Answer(ofError(err, "There is no such device."))
		case observes:
			r.Told(message.TextPlain, []byte(nonce))
		case nonce == "":
			r.Answer(coap.Refusal(codes.NotFound, "Nobody asks."))
		default:
			r.Content(message.TextPlain, []byte(nonce))
		}
	}()
}
