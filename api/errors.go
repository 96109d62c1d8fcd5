package api

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// errorInterceptor turns errors of handlers into Connect errors with a dure.api.v1.Error in their details.
type errorInterceptor struct{ s *Server }

func (i errorInterceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		res, err := next(ctx, r)
		if err != nil {
			return nil, i.s.connectError(ctx, r.Spec().Procedure, err)
		}
		return res, nil
	}
}

func (i errorInterceptor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (i errorInterceptor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, c connect.StreamingHandlerConn) error {
		if err := next(ctx, c); err != nil {
			return i.s.connectError(ctx, c.Spec().Procedure, err)
		}
		return nil
	}
}

// connectError is err as callers see it. What is no refusal is logged and answered without its text, which may name
// files and hosts.
func (s *Server) connectError(ctx context.Context, procedure string, err error) error {
	var known *connect.Error
	if errors.As(err, &known) {
		return err
	}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return ctx.Err() // connect maps it
	}
	refusal, code := refusalOf(err), connect.CodeInternal
	if refusal.Code == "internal" {
		s.log.Error("a request failed inside", "procedure", procedure, "error", err)
	} else {
		code = connectCode(refusal.Code)
	}
	out := connect.NewError(code, errors.New(refusal.Message))
	busy := code == connect.CodeResourceExhausted || code == connect.CodeUnavailable
	if d, err := connect.NewErrorDetail(apiError(refusal, busy, retryAfterMS(busy))); err == nil {
		out.AddDetail(d)
	}
	return out
}

// refusalOf is the refusal that err wraps, or one that says no more than that something broke.
func refusalOf(err error) *fault.Error {
	var refusal *fault.Error
	if errors.As(err, &refusal) && refusal.Code != "internal" {
		return refusal
	}
	return fault.New("internal", "something broke inside the node; its log says what")
}

func (s *Server) recovered(_ context.Context, spec connect.Spec, _ http.Header, v any) error {
	s.log.Error("a request broke its handler", "procedure", spec.Procedure, "panic", v, "stack", string(debug.Stack()))
	return refusalOf(nil)
}

// connectCode maps a refusal's code to the status of Connect and gRPC, by its second half.
func connectCode(code string) connect.Code {
	switch code {
	case "pool.full", "node.busy":
		return connect.CodeResourceExhausted
	case "node.stopping", "node.catching_up", "node.wrong_clock", "index.off", "index.unavailable", "receipt.not_yet", "checkpoint.not_yet":
		return connect.CodeUnavailable
	case "submit.unfinished", "query.too_slow":
		return connect.CodeDeadlineExceeded
	case "state.not_yet", "state.pruned":
		return connect.CodeOutOfRange
	case "account.not_authorised", "asset.not_issuer", "account.not_sponsor", "account.not_member", "device.not_entitled":
		return connect.CodePermissionDenied
	case "access.not_yours":
		return connect.CodePermissionDenied
	case "access.audience":
		return connect.CodeInvalidArgument
	case "access.token_needed", "access.token_bad", "access.token_expired", "access.stream_ended", "access.proof_bad", "access.proof_stale", "access.proof_replayed",
		"access.challenge_bad", "access.challenge_expired", "access.signature_bad", "access.frozen", "access.key_not_acting":
		return connect.CodeUnauthenticated
	}
	_, what, _ := strings.Cut(code, ".")
	switch what {
	case "unknown", "unknown_model", "unknown_schema", "unknown_list", "unknown_service", "no_consent", "pruned":
		return connect.CodeNotFound
	case "malformed", "too_large", "bad_token", "bad", "missing", "unsupported", "unknown_field", "bad_signature",
		"wrong_network", "too_many":
		return connect.CodeInvalidArgument
	case "exists", "duplicate":
		return connect.CodeAlreadyExists
	}
	return connect.CodeFailedPrecondition
}

// retryAfterMS is when a request may be sent again that was refused for the moment only.
func retryAfterMS(busy bool) int32 {
	if busy {
		return 1000
	}
	return 0
}

// apiError is a refusal as the API shows it.
func apiError(e *fault.Error, retryable bool, afterMS int32) *apiv1.Error {
	return &apiv1.Error{
		Code: e.Code, Message: e.Message, Fields: fieldMap(e.Fields), Retryable: retryable, RetryAfterMs: afterMS,
	}
}

func fieldMap(fields []fault.Field) map[string]string {
	if len(fields) == 0 {
		return nil
	}
	m := make(map[string]string, len(fields))
	for _, f := range fields {
		m[f.Name] = f.Value
	}
	return m
}
