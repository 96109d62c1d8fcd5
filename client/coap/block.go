package coap

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/net/blockwise"
)

// A body that comes or goes in blocks (RFC 7959). A connection has one coming at a time; what goes is cut anew for each request.

// block is a value of the options Block1 and Block2.
type block struct {
	szx  blockwise.SZX
	num  int64
	more bool
}

// readBlock reads one. Blocks have 16 to 1,024 bytes.
func readBlock(value uint32) (block, error) {
	szx, num, more, err := blockwise.DecodeBlockOption(value)
	if err == nil && szx > blockwise.SZX1024 {
		err = fmt.Errorf("block size %d is reserved", szx)
	}
	return block{szx, num, more}, err
}

func (b block) value() uint32 {
	v := uint32(b.num)<<4 | uint32(b.szx)
	if b.more {
		v |= 8
	}
	return v
}

// upload is a body that comes in blocks.
type upload struct {
	path  string
	body  []byte
	began time.Time
}

// add takes the next block. It returns the response to it, or the whole body when this was the last. ok says whether the upload goes on.
func (u *upload) add(path string, b block, payload []byte, most int) (r Response, body []byte, ok bool) {
	size := b.szx.Size()
	switch {
	case path != u.path || b.num*size != int64(len(u.body)):
		return Refusal(codes.RequestEntityIncomplete, "Blocks before this one are missing. Begin with the first."), nil, false
	case b.more && int64(len(payload)) != size, int64(len(payload)) > size:
		return Refusal(codes.BadRequest, "The block is not as long as it says."), nil, false
	case len(u.body)+len(payload) > most:
		return tooLarge(most).With(message.Block1, b.value()), nil, false
	}
	u.body = append(u.body, payload...)
	if b.more {
		return Response{Code: codes.Continue}.With(message.Block1, b.value()), nil, true
	}
	return Response{}, u.body, true
}

// cut is the response with the block of a body that was asked for; the first, if it does not fit a message and none was.
func cut(body []byte, format message.MediaType, b block) Response {
	size := b.szx.Size()
	from := b.num * size
	if from > 0 && from >= int64(len(body)) {
		return Refusal(codes.BadRequest, fmt.Sprintf("There is no block %d: the body has %d bytes.", b.num, len(body)))
	}
	until := min(from+size, int64(len(body)))
	b.more = until < int64(len(body))
	r := Response{Code: codes.Content, Format: format, Body: bytes.Clone(body[from:until])}
	if b.more || b.num > 0 {
		sum := sha256.Sum256(body)
		r.options = append(r.options, option{id: message.ETag, bytes: sum[:8]})
		r = r.With(message.Block2, b.value()).With(message.Size2, uint32(len(body)))
	}
	return r
}
