package coap

import (
	"fmt"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/net/blockwise"
)

// Request is what a device asks. What it carries is read before Serve returns; it is answered once, from any goroutine.
type Request struct {
	Session *Session
	Path    string

	message *pool.Message
	block   block // of the answer, that is asked for
	done    func(Response)
}

// Answer answers the request.
func (r *Request) Answer(a Response) { r.done(a) }

// Content answers with a body, or with the block of it that was asked for; the first, if it does not fit a message and none was.
func (r *Request) Content(format message.MediaType, body []byte) { r.done(cut(body, format, r.block)) }

// First says whether the first block of the answer is asked for, after Get.
func (r *Request) First() bool { return r.block.num == 0 }

// Get says whether the request is a proper GET of what has a content format; else it is answered.
func (r *Request) Get(gives message.MediaType) bool { return r.fits(codes.GET, gives) }

// fits says whether a request has the method, no critical option that is not known here, and takes the format of the answer; else it is answered.
func (r *Request) fits(method codes.Code, gives message.MediaType) bool {
	for _, o := range r.message.Options() {
		switch o.ID {
		case message.URIHost, message.URIPort, message.URIPath, message.Accept, message.Block1, message.Block2:
		default:
			if o.ID%2 == 1 {
				r.done(Refusal(codes.BadOption, fmt.Sprintf("Option %d is not taken here.", o.ID)))
				return false
			}
		}
	}
	if r.message.Code() != method {
		r.done(Refusal(codes.MethodNotAllowed, "The method here is "+method.String()+"."))
		return false
	}
	if format, err := r.message.Accept(); err == nil && format != gives {
		r.done(Refusal(codes.NotAcceptable, fmt.Sprintf("The answer has the content format %d.", gives)))
		return false
	}
	r.block = block{szx: blockwise.SZX1024}
	if value, err := r.message.GetOptionUint32(message.Block2); err == nil {
		if r.block, err = readBlock(value); err != nil {
			r.done(Refusal(codes.BadRequest, err.Error()))
			return false
		}
	}
	return true
}

// Post is what a POST carries when all of it has come; nil when the request has been answered, also because more blocks are to come.
func (r *Request) Post(takes, gives message.MediaType, most int) []byte {
	if !r.fits(codes.POST, gives) {
		return nil
	}
	if format, err := r.message.ContentFormat(); err == nil && format != takes {
		r.done(Refusal(codes.UnsupportedMediaType, fmt.Sprintf("The content format here is %d.", takes)))
		return nil
	}
	payload, err := r.message.ReadBody()
	if err != nil {
		r.done(Refusal(codes.BadRequest, err.Error()))
		return nil
	}
	announced, _ := r.message.GetOptionUint32(message.Size1)
	if len(payload) > most || int64(announced) > int64(most) {
		r.done(tooLarge(most))
		return nil
	}
	value, err := r.message.GetOptionUint32(message.Block1)
	if err != nil { // it is no block
		if len(payload) == 0 {
			r.done(Refusal(codes.BadRequest, "There is no body."))
			return nil
		}
		return payload
	}
	b, err := readBlock(value)
	if err != nil {
		r.done(Refusal(codes.BadRequest, err.Error()))
		return nil
	}
	answer, whole := r.Session.block(r.Path, b, payload, most)
	if len(whole) == 0 {
		r.done(answer)
		return nil
	}
	done := r.done
	r.done = func(a Response) { done(a.With(message.Block1, b.value())) }
	return whole
}

// block takes a block of a body.
func (d *Session) block(path string, b block, payload []byte, most int) (r Response, whole []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b.num == 0 {
		d.drop()
		select {
		case d.server.uploads <- struct{}{}:
			d.coming = &upload{path: path, began: time.Now()}
		default:
			return Busy("As many bodies are coming in blocks as may be at a time."), nil
		}
	}
	u := d.coming
	if u == nil {
		u = &upload{}
	}
	r, whole, ok := u.add(path, b, payload, most)
	if !ok || !b.more {
		d.drop()
	}
	if ok && !b.more && len(whole) == 0 {
		r = Refusal(codes.BadRequest, "There is no body.")
	}
	return r, whole
}
