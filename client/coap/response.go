package coap

import (
	"bytes"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
)

// Response is what a request gets.
type Response struct {
	Code codes.Code
	// Format of the body, unless it is a diagnostic (RFC 7252, section 5.5.2), which has none.
	Format message.MediaType
	Body   []byte
	// Ends: the device may not be here any more; the connection ends when it has heard this.
	Ends bool
	// options besides the format's.
	options []option
}

// option has an unsigned integer for a value, or bytes if there are any.
type option struct {
	id    message.OptionID
	value uint32
	bytes []byte
}

// diagnostic marks a body that is for people.
const diagnostic message.MediaType = 0xffff

// With is the response with an option more.
func (r Response) With(id message.OptionID, value uint32) Response {
	r.options = append(r.options[:len(r.options):len(r.options)], option{id: id, value: value})
	return r
}

// fill makes a message of it. The token, the type and the message id are the caller's.
func (r Response) fill(m *pool.Message) {
	m.SetCode(r.Code)
	if len(r.Body) > 0 {
		if r.Format != diagnostic {
			m.SetContentFormat(r.Format)
		}
		m.SetBody(bytes.NewReader(r.Body))
	}
	for _, o := range r.options {
		if o.bytes != nil {
			m.SetOptionBytes(o.id, o.bytes)
			continue
		}
		m.SetOptionUint32(o.id, o.value)
	}
}

// Content has a body, which must fit a message: at most 1,024 bytes.
func Content(format message.MediaType, body []byte) Response {
	return Response{Code: codes.Content, Format: format, Body: body}
}

// Refusal says why not, in words for people.
func Refusal(code codes.Code, words string) Response {
	return Response{Code: code, Format: diagnostic, Body: []byte(words)}
}

// fullAge is after how many seconds who was refused for want of room may try again.
const fullAge = 5

// Busy is for what is refused for now.
func Busy(words string) Response {
	return Refusal(codes.ServiceUnavailable, words).With(message.MaxAge, fullAge)
}

func tooLarge(most int) Response {
	return Refusal(codes.RequestEntityTooLarge, "At most so many bytes are taken as Size1 says.").With(message.Size1, uint32(most))
}
