package coap

import (
	"encoding/json"
	"errors"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/coap"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/ledger/fault"
)

// unknownAge is after how many seconds a device may ask again what became of its message.
const unknownAge = 1

// ofAnswer is the response to a reading or a transaction. What is committed has the answer as JSON, as docs/devices.md describes it.
func ofAnswer(a gateway.Answer) coap.Response {
	if a.Kind == gateway.Taken {
		text, err := json.Marshal(a)
		if err != nil {
			return coap.Refusal(codes.InternalServerError, err.Error())
		}
		return coap.Response{Code: codes.Changed, Format: message.AppJSON, Body: text}
	}
	return ofKind(a.Kind, a.Code, a.Words())
}

func ofKind(kind gateway.Kind, code, words string) coap.Response {
	r := coap.Refusal(codes.BadRequest, words)
	switch {
	case gateway.Ends(code):
		r.Code, r.Ends = codes.Unauthorized, true
	case kind == gateway.NotAllowed:
		r.Code = codes.Forbidden
	case kind == gateway.Full:
		return coap.Busy(words)
	case kind == gateway.NotKnown:
		r.Code = codes.ServiceUnavailable
		return r.With(message.MaxAge, unknownAge)
	}
	return r
}

// ofError is the response when the ledger could not be asked, or has nothing.
func ofError(err error, missing string) coap.Response {
	if errors.Is(err, client.ErrNotFound) {
		return coap.Refusal(codes.NotFound, missing)
	}
	var refused *client.Refusal
	if errors.As(err, &refused) && !refused.Retryable {
		return ofKind(gateway.Refused, refused.Code, refused.Message+" ["+refused.Code+"]")
	}
	if code := fault.Code(err); code != "" {
		return ofKind(gateway.KindOf(err), code, fault.As(err).Message+" ["+code+"]")
	}
	return ofKind(gateway.NotKnown, "", "The ledger does not answer. Ask again. [gateway.not_known]")
}

func isNotYet(err error) bool { return fault.Code(err) == "gateway.not_yet" }
