package device

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/dureledger/dure/client/coap"
)

// coapLine is a line over CoAP with DTLS.
type coapLine struct {
	d    *Device
	dial func(context.Context) (*coap.Client, error)
	done chan struct{} // closed when it connects no more

	mu   sync.Mutex
	conn *coap.Client  // nil: not connected
	came chan struct{} // closed when there is a connection
}

const (
	// firstPause is the wait before connecting again, which is doubled each time until longestPause.
	firstPause   = 200 * time.Millisecond
	longestPause = 30 * time.Second
	// maxList bounds a list of commands, maxReceipt a receipt, bytes.
	maxList    = 4 << 10
	maxReceipt = 1 << 20
)

func (d *Device) coap(ctx context.Context, host string, own tls.Certificate) *coapLine {
	l := &coapLine{d: d, came: make(chan struct{}), done: make(chan struct{})}
	l.dial = func(ctx context.Context) (*coap.Client, error) {
		return coap.Dial(ctx, host, coap.DialConfig{Certificate: own, TLS: d.cfg.TLS})
	}
	go l.keep(ctx)
	return l
}

// keep connects again and again until ctx ends.
func (l *coapLine) keep(ctx context.Context) {
	defer close(l.done)
	wait := firstPause
	for ctx.Err() == nil {
		c, err := l.dial(ctx)
		if err != nil {
			if ctx.Err() == nil {
				l.d.cfg.Log.Warn("the gateway is not reached; trying again", "gateway", l.d.cfg.Gateway, "error", err)
			}
			if !pause(ctx, wait/2+rand.N(wait)) {
				return
			}
			wait = min(2*wait, longestPause)
			continue
		}
		began := time.Now()
		l.up(c)
		l.listen(ctx, c)
		l.down()
		c.Close()
		if wait = 2 * wait; time.Since(began) > longestPause {
			wait = firstPause
		}
		if wait = min(wait, longestPause); !pause(ctx, wait/2+rand.N(wait)) {
			return
		}
	}
}

func (l *coapLine) up(c *coap.Client) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = c
	close(l.came)
}

func (l *coapLine) down() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.came = nil, make(chan struct{})
}

// await is the connection when there is one; nil if ctx ends before.
func (l *coapLine) await(ctx context.Context) *coap.Client {
	for {
		l.mu.Lock()
		conn, came := l.conn, l.came
		l.mu.Unlock()
		if conn != nil {
			return conn
		}
		select {
		case <-ctx.Done():
			return nil
		case <-came:
		}
	}
}

// close implements line. The context that keeps it connected has ended.
func (l *coapLine) close() { <-l.done }

// listen hears challenges and commands on a connection until it or ctx ends. The gateway says at once which are open.
func (l *coapLine) listen(ctx context.Context, c *coap.Client) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{}, 2) // an observation that the gateway ends is begun anew, on a new connection
	end := func() {
		select {
		case ended <- struct{}{}:
		default:
		}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	if l.d.cfg.Measure != nil {
		wg.Go(func() {
			l.observe(ctx, c, "/challenge", end, func(a coap.Answer, _ bool) {
				if len(a.Body) > 0 {
					l.d.heardChallenge(string(a.Body))
				}
			})
		})
	}
	if l.d.obeys() {
		lists := make(chan list, 1)
		wg.Go(func() { l.fetch(ctx, c, lists) })
		wg.Go(func() {
			l.observe(ctx, c, "/command", end, func(a coap.Answer, more bool) {
				select {
				case <-lists: // each is all that is open
				default:
				}
				select {
				case lists <- list{string(a.Body), more}:
				default:
				}
			})
		})
	}
	select {
	case <-ctx.Done():
	case <-c.Done():
	case <-ended:
	}
}

func (l *coapLine) observe(ctx context.Context, c *coap.Client, path string, end func(), told func(coap.Answer, bool)) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err := c.Observe(ctx, path, func(a coap.Answer, more bool) {
		if !a.OK() {
			end()
			return
		}
		told(a, more)
	})
	if err != nil {
		if ctx.Err() == nil {
			l.d.cfg.Log.Warn("what is at "+path+" cannot be heard on this connection", "error", err)
		}
		end()
	}
}

// list is what is at /command: the transactions with open commands, a line each. more: it goes on.
type list struct {
	text string
	more bool
}

// fetch gets the receipts of the transactions that lists name, each once on a connection.
func (l *coapLine) fetch(ctx context.Context, c *coap.Client, lists <-chan list) {
	had := map[string]bool{}
	var now list
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now = <-lists:
		case <-again:
		}
		again = nil
		if err := l.take(ctx, c, now, had); err != nil && ctx.Err() == nil {
			l.d.cfg.Log.Warn("commands are not to be had; asking again", "error", err)
			again = time.After(retryPause)
		}
	}
}

// take gets the receipts of a list that it had not. had is what of the list it has then: what is not open any more is not told again.
func (l *coapLine) take(ctx context.Context, c *coap.Client, now list, had map[string]bool) error {
	if now.more {
		a, err := c.Get(ctx, "/command", maxList)
		if err != nil || !a.OK() {
			return refused("the list of commands", a, err)
		}
		now.text = string(a.Body)
	}
	open := strings.Fields(now.text)
	maps.DeleteFunc(had, func(id string, _ bool) bool { return !slices.Contains(open, id) })
	for _, id := range open {
		if had[id] {
			continue
		}
		a, err := c.Get(ctx, "/receipt/"+id, maxReceipt)
		if err != nil || !a.OK() {
			return refused("the receipt of "+id, a, err)
		}
		select {
		case l.d.receipts <- a.Body:
			had[id] = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func refused(what string, a coap.Answer, err error) error {
	if err == nil {
		err = errors.New(string(a.Body))
	}
	return fmt.Errorf("device: %s: %w", what, err)
}

// publish implements line with a confirmable request.
func (l *coapLine) publish(ctx context.Context, to string, payload []byte) (s Settled, done bool) {
	c := l.await(ctx)
	if c == nil {
		return s, false
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	s, done, err := post(ctx, c, to, payload)
	if err != nil {
		l.d.cfg.Log.Info("a message was not answered; sending it again", "error", err)
		if ctx.Err() == nil {
			c.Close() // it was repeated as often as CoAP does
		}
	}
	return s, done
}

// post sends a message once. done: sending it again would change nothing.
func post(ctx context.Context, c *coap.Client, to string, payload []byte) (s Settled, done bool, err error) {
	format := message.AppOctets
	if to == toReading {
		format = message.AppCoseSign1
	}
	a, err := c.Post(ctx, "/"+to, format, payload)
	if err != nil {
		return s, false, err
	}
	s.Said, s.Committed = said(a), a.OK()
	return s, s.Committed || a.Code>>5 == 4 && a.Code != codes.RequestEntityIncomplete, nil
}

// said is an answer in the words that the gateway has over MQTT.
func said(a coap.Answer) string {
	var outcome struct{ Verdict, Reason string }
	switch {
	case !a.OK():
		return string(a.Body)
	case json.Unmarshal(a.Body, &outcome) != nil:
		return fmt.Sprintf("%v", a.Code)
	case outcome.Reason != "":
		return outcome.Verdict + ": " + outcome.Reason
	}
	return outcome.Verdict
}
