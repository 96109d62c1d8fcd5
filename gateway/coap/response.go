package coap

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/gateway"
)

// response is what a request gets.
type response struct {
	code codes.Code
	// format of the body, unless it is a diagnostic (RFC 7252, section 5.5.2), which has none.
	format message.MediaType
	body   []byte
	// options besides the format's.
	options []option
	// ends: the device may not be here any more.
	ends bool
}

// option has an unsigned integer for a value, or bytes if there are any.
type option struct {
	id    message.OptionID
	value uint32
	bytes []byte
}

// diagnostic marks a body that is for people.
const diagnostic message.MediaType = 0xffff

func (r response) with(id message.OptionID, value uint32) response {
	r.options = append(r.options[:len(r.options):len(r.options)], option{id: id, value: value})
	return r
}

// fill makes a message of it. The token, the type and the message id are the caller's.
func (r response) fill(m *pool.Message) {
	m.SetCode(r.code)
	if len(r.body) > 0 {
		if r.format != diagnostic {
			m.SetContentFormat(r.format)
		}
		m.SetBody(bytes.NewReader(r.body))
	}
	for _, o := range r.options {
		if o.bytes != nil {
			m.SetOptionBytes(o.id, o.bytes)
			continue
		}
		m.SetOptionUint32(o.id, o.value)
	}
}

// refusal says why not, in words for people.
func refusal(code codes.Code, words string) response {
	return response{code: code, format: diagnostic, body: []byte(words)}
}

const (
	// fullAge and unknownAge are the seconds after which a device may try again.
	fullAge    = 5
	unknownAge = 1
)

// busy is for what is refused for now.
func busy(words string) response {
	return refusal(codes.ServiceUnavailable, words).with(message.MaxAge, fullAge)
}

func tooLarge(most int) response {
	return refusal(codes.RequestEntityTooLarge, "At most so many bytes are taken as Size1 says.").with(message.Size1, uint32(most))
}

// ofAnswer is the response to a reading or a transaction. What is committed has the answer as JSON, as docs/devices.md describes it.
func ofAnswer(a gateway.Answer) response {
	if a.Kind == gateway.Taken {
		text, err := json.Marshal(a)
		if err != nil {
			return refusal(codes.InternalServerError, err.Error())
		}
		return response{code: codes.Changed, format: message.AppJSON, body: text}
	}
	return ofKind(a.Kind, a.Code, a.Words())
}

func ofKind(kind gateway.Kind, code, words string) response {
	r := refusal(codes.BadRequest, words)
	switch {
	case gateway.Ends(code):
		r.code, r.ends = codes.Unauthorized, true
	case kind == gateway.NotAllowed:
		r.code = codes.Forbidden
	case kind == gateway.Full:
		return busy(words)
	case kind == gateway.NotKnown:
		r.code = codes.ServiceUnavailable
		return r.with(message.MaxAge, unknownAge)
	}
	return r
}

// ofError is the response when the ledger could not be asked, or has nothing.
func ofError(err error, missing string) response {
	if errors.Is(err, client.ErrNotFound) {
		return refusal(codes.NotFound, missing)
	}
	var refused *client.Refusal
	if errors.As(err, &refused) && !refused.Retryable {
		return ofKind(gateway.Refused, refused.Code, refused.Message+" ["+refused.Code+"]")
	}
	return ofKind(gateway.NotKnown, "", "The ledger does not answer. Ask again. [gateway.not_known]")
}
