package api

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"

	"github.com/dureledger/dure/ledger/fault"
)

// WrapUnary lets a request through to its handler if the rule of its procedure does, and the answer back to the reader.
func (g *gate) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		rule := ruleFor(r.Spec().Procedure)
		if rule.who == everybody {
			return next(ctx, r)
		}
		a, err := g.authenticate(ctx, r.Spec().Procedure, r.Header())
		if err != nil {
			return nil, g.challenged(ctx, r.Spec().Procedure, err)
		}
		if err := rule.allows(ctx, a, r.Any()); err != nil {
			return nil, err
		}
		res, err := next(ctx, r)
		if err != nil {
			return nil, err
		}
		return res, rule.shows(a, res.Any())
	}
}

// WrapStreamingClient is never called: the gate is a server's.
func (g *gate) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler is WrapUnary for streams, which also end when what let the reader in does.
func (g *gate) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, c connect.StreamingHandlerConn) error {
		rule := ruleFor(c.Spec().Procedure)
		if rule.who == everybody {
			return next(ctx, c)
		}
		a, err := g.authenticate(ctx, c.Spec().Procedure, c.RequestHeader())
		if err != nil {
			return g.challenged(ctx, c.Spec().Procedure, err)
		}
		ctx, end := context.WithCancelCause(ctx)
		defer end(nil)
		go g.follow(ctx, *a, end)
		err = next(ctx, &gatedStream{c, ctx, rule, a, a.all})
		if why := ended(ctx); why != nil {
			return g.challenged(ctx, c.Spec().Procedure, why)
		}
		return err
	}
}

var errStreamEnded = fault.New("access.stream_ended", "What opened this stream has ended. Go on from the last cursor with a new token.")

// gatedStream is a stream of which every message passes the gate.
type gatedStream struct {
	connect.StreamingHandlerConn
	ctx  context.Context
	rule rule
	a    *asker
	all  bool // when it began
}

func (s *gatedStream) Receive(m any) error {
	if err := s.StreamingHandlerConn.Receive(m); err != nil {
		return err //nolint:wrapcheck // io.EOF is told by itself
	}
	return s.rule.allows(s.ctx, s.a, m)
}

func (s *gatedStream) Send(m any) error {
	if err := s.a.standing(); err != nil { // what was committed with its freezing is not shown any more
		return err
	}
	if s.all && !s.a.all { // what it asked for, it might not ask for now
		return errStreamEnded
	}
	if m != nil {
		if err := s.rule.shows(s.a, m); err != nil {
			return err
		}
	}
	return s.StreamingHandlerConn.Send(m) //nolint:wrapcheck // connect's own
}

// follow ends a stream when its token ends or the account's state says so.
func (g *gate) follow(ctx context.Context, a asker, end context.CancelCauseFunc) {
	over := time.NewTimer(time.UnixMilli(a.ends).Sub(g.now()))
	defer over.Stop()
	for {
		advanced := g.s.ledger.Advanced()
		if err := a.standing(); err != nil {
			end(err)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-over.C:
			end(errStreamEnded)
			return
		case <-advanced:
		}
	}
}

// ended is the refusal that ended a stream, nil if none did.
func ended(ctx context.Context) error {
	var refusal *fault.Error
	if errors.As(context.Cause(ctx), &refusal) {
		return refusal
	}
	return nil
}

// challenged is err as callers see it, with the header that says what is missing (RFC 9449, section 7.1).
func (g *gate) challenged(ctx context.Context, procedure string, err error) error {
	told := g.s.connectError(ctx, procedure, err)
	var answer *connect.Error
	if !errors.As(told, &answer) {
		return told
	}
	switch code := fault.Code(err); code {
	case "access.token_needed":
		answer.Meta().Set("WWW-Authenticate", `DPoP algs="ES256"`)
	case "access.proof_bad", "access.proof_stale", "access.proof_replayed":
		answer.Meta().Set("WWW-Authenticate", `DPoP error="invalid_dpop_proof", error_description="`+code+`", algs="ES256"`)
	case "access.token_bad", "access.token_expired", "access.stream_ended", "access.frozen", "access.key_not_acting":
		answer.Meta().Set("WWW-Authenticate", `DPoP error="invalid_token", error_description="`+code+`", algs="ES256"`)
	}
	return answer
}
