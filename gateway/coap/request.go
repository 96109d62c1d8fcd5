package coap

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/net/blockwise"

	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/ledger/reading"
)

// The paths of requests.
const (
	pathReading   = "/reading"
	pathTx        = "/tx"
	pathChallenge = "/challenge"
	pathReceipt   = "/receipt/"
	pathCore      = "/.well-known/core"
)

// links is the answer to GET /.well-known/core (RFC 6690).
const links = `</reading>;rt="dure.reading";ct=18,</tx>;rt="dure.tx";ct=42,</challenge>;rt="dure.challenge";ct=0;obs,</receipt>;rt="dure.receipt";ct=42`

// route finds out what a request wants. done is called once, perhaps later.
func (d *session) route(m *pool.Message, done func(response)) {
	path, err := m.Path()
	if err != nil {
		done(refusal(codes.NotFound, "There is no path."))
		return
	}
	if id, ok := strings.CutPrefix(path, pathReceipt); ok {
		if d.fits(m, codes.GET, message.AppOctets, done) {
			d.receipt(m, id, done)
		}
		return
	}
	switch path {
	case pathReading:
		if body, done := d.body(m, path, message.AppCoseSign1, reading.MaxBytes, done); body != nil {
			ctx, cancel := context.WithTimeout(d.life, admitTime)
			defer cancel()
			d.server.cfg.Handler.Reading(ctx, d.device, d.key, body, func(a gateway.Answer) { done(ofAnswer(a)) })
		}
	case pathTx:
		if body, done := d.body(m, path, message.AppOctets, d.server.cfg.Handler.MaxMessage(), done); body != nil {
			d.server.cfg.Handler.Transaction(d.device, body, func(a gateway.Answer) { done(ofAnswer(a)) })
		}
	case pathChallenge:
		if d.fits(m, codes.GET, message.TextPlain, done) {
			d.challenge(m, done)
		}
	case pathCore:
		if d.fits(m, codes.GET, message.AppLinkFormat, done) {
			done(response{code: codes.Content, format: message.AppLinkFormat, body: []byte(links)})
		}
	default:
		done(refusal(codes.NotFound, "Nothing is here. "+pathCore+" lists what there is."))
	}
}

// fits says whether a request has the method, no critical option that is not known here, and takes the format of the answer; else it is answered.
func (d *session) fits(m *pool.Message, method codes.Code, gives message.MediaType, done func(response)) bool {
	for _, o := range m.Options() {
		switch o.ID {
		case message.URIHost, message.URIPort, message.URIPath, message.Accept, message.Block1, message.Block2:
		default:
			if o.ID%2 == 1 {
				done(refusal(codes.BadOption, fmt.Sprintf("Option %d is not taken here.", o.ID)))
				return false
			}
		}
	}
	if m.Code() != method {
		done(refusal(codes.MethodNotAllowed, "The method here is "+method.String()+"."))
		return false
	}
	if format, err := m.Accept(); err == nil && format != gives {
		done(refusal(codes.NotAcceptable, fmt.Sprintf("The answer has the content format %d.", gives)))
		return false
	}
	return true
}

// body is what a POST carries when all of it has come, with done to answer it; nil when it has been answered.
func (d *session) body(m *pool.Message, path string, takes message.MediaType, most int, done func(response)) ([]byte, func(response)) {
	if !d.fits(m, codes.POST, message.AppJSON, done) {
		return nil, nil
	}
	if format, err := m.ContentFormat(); err == nil && format != takes {
		done(refusal(codes.UnsupportedMediaType, fmt.Sprintf("The content format here is %d.", takes)))
		return nil, nil
	}
	payload, err := m.ReadBody()
	if err != nil {
		done(refusal(codes.BadRequest, err.Error()))
		return nil, nil
	}
	announced, _ := m.GetOptionUint32(message.Size1)
	if len(payload) > most || int64(announced) > int64(most) {
		done(tooLarge(most))
		return nil, nil
	}
	value, err := m.GetOptionUint32(message.Block1)
	if err != nil { // it is no block
		if len(payload) == 0 {
			done(refusal(codes.BadRequest, "There is no body."))
			return nil, nil
		}
		return payload, done
	}
	b, err := readBlock(value)
	if err != nil {
		done(refusal(codes.BadRequest, err.Error()))
		return nil, nil
	}
	r, whole := d.block(path, b, payload, most)
	if len(whole) == 0 {
		done(r)
		return nil, nil
	}
	return whole, func(r response) { done(r.with(message.Block1, b.value())) }
}

// block takes a block of a body.
func (d *session) block(path string, b block, payload []byte, most int) (r response, whole []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b.num == 0 {
		d.drop()
		select {
		case d.server.uploads <- struct{}{}:
			d.coming = &upload{path: path, began: time.Now()}
		default:
			return busy("As many bodies are coming in blocks as may be at a time."), nil
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
		r = refusal(codes.BadRequest, "There is no body.")
	}
	return r, whole
}

// challenge is what a device is asked.
func challenge(nonce string) response {
	return response{code: codes.Content, format: message.TextPlain, body: []byte(nonce)}
}

// challenge answers with the open challenge. Who observes it is answered with an empty body when there is none, as an error would end the observation
// (RFC 7641, section 4.2).
func (d *session) challenge(m *pool.Message, done func(response)) {
	number, observing := uint32(0), false
	if o, err := m.Observe(); err == nil {
		d.mu.Lock()
		if observing = o == 0; observing {
			d.observer = append(message.Token{}, m.Token()...)
			d.observed++
			number = d.observed
		} else {
			d.observer = nil
		}
		d.mu.Unlock()
	}
	go func() {
		ctx, cancel := context.WithTimeout(d.life, admitTime)
		defer cancel()
		nonce, err := d.server.cfg.Handler.Nonce(ctx, d.device)
		switch {
		case err != nil:
			d.mu.Lock()
			d.observer = nil
			d.mu.Unlock()
			done(ofError(err, "There is no such device."))
		case observing:
			done(challenge(nonce).with(message.Observe, number))
		case nonce == "":
			done(refusal(codes.NotFound, "Nobody asks."))
		default:
			done(challenge(nonce))
		}
	}()
}

var transactionID = regexp.MustCompile(`^[0-9a-f]{64}$`)

// receipt answers with a receipt file, or the block of it that is asked for.
func (d *session) receipt(m *pool.Message, id string, done func(response)) {
	b := block{szx: blockwise.SZX1024}
	if value, err := m.GetOptionUint32(message.Block2); err == nil {
		if b, err = readBlock(value); err != nil {
			done(refusal(codes.BadRequest, err.Error()))
			return
		}
	}
	if !transactionID.MatchString(id) {
		done(refusal(codes.BadRequest, "A transaction's id has 64 hex digits, in lower case."))
		return
	}
	go func() {
		file, err := d.server.receipts.get(d.server.life, id)
		if err != nil {
			done(ofError(err, "The ledger has no such transaction, or no receipt of it yet."))
			return
		}
		done(cut(file, message.AppOctets, b))
	}()
}
