package coap

import (
	"bytes"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/net/blockwise"
)

// observer is the request that asked to be told of changes (RFC 7641), and how often it was told.
type observer struct {
	token message.Token
	count uint32
}

// Observe says whether the device wants to be told of what is at the path of a GET from now on; then the answer goes by Told. One request
// observes a path: a later one takes its place.
func (r *Request) Observe() bool {
	value, err := r.message.Observe()
	if err != nil {
		return false
	}
	d := r.Session
	d.mu.Lock()
	defer d.mu.Unlock()
	if value != 0 {
		delete(d.observers, r.Path)
		return false
	}
	d.observers[r.Path] = &observer{token: bytes.Clone(r.message.Token())}
	return true
}

// Told answers a request that observes. An answer that is no content ends the observation (RFC 7641, section 4.2).
func (r *Request) Told(format message.MediaType, body []byte) {
	a := cut(body, format, r.block)
	if _, number, ok := r.Session.count(r.Path); ok {
		a = a.With(message.Observe, number)
	}
	r.done(a)
}

// Unobserve ends the observation of a path.
func (d *Session) Unobserve(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.observers, path)
}

// Observes says whether the device observes a path.
func (d *Session) Observes(path string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.observers[path] != nil
}

// count counts what an observer is told.
func (d *Session) count(path string) (message.Token, uint32, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.observers[path]
	if o == nil {
		return nil, 0, false
	}
	o.count++
	return o.token, o.count, true
}

// Notify tells the device what is at a path now, if it observes it, and waits until it has heard. A body that does not fit a message is cut: the
// device gets the rest with a GET.
func (d *Session) Notify(path string, format message.MediaType, body []byte) {
	token, number, ok := d.count(path)
	if !ok || d.send(token, cut(body, format, block{szx: blockwise.SZX1024}).With(message.Observe, number), true) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if o := d.observers[path]; o != nil && bytes.Equal(o.token, token) {
		delete(d.observers, path)
	}
}
