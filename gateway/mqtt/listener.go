package mqtt

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"
)

const (
	// helloTime is how long a connection may take for its handshake and its CONNECT.
	helloTime = 10 * time.Second
	// strangers is how many connections may be at it besides those that are through.
	strangers = 512
)

// listener brings the broker connections: at most so many at a time, each with a deadline until the device is known. It goes on when the
// process has no more file descriptors, and a fault of the broker's with one connection ends that connection alone.
type listener struct {
	net  net.Listener
	tls  *tls.Config
	most int64
	open atomic.Int64
	log  *slog.Logger
	// fell is called after a connection's goroutine panicked.
	fell func()
}

func (l *listener) ID() string              { return "mqtt" }
func (l *listener) Address() string         { return l.net.Addr().String() }
func (l *listener) Protocol() string        { return "mqtts" }
func (l *listener) Init(*slog.Logger) error { return nil }

// Serve accepts until the listener is closed.
func (l *listener) Serve(establish listeners.EstablishFn) {
	for {
		c, err := l.net.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.log.Warn("a connection could not be accepted", "error", err)
			time.Sleep(100 * time.Millisecond) // out of file descriptors, most likely
			continue
		}
		if l.open.Add(1) > l.most {
			l.open.Add(-1)
			c.Close()
			continue
		}
		go l.serve(establish, c)
	}
}

func (l *listener) serve(establish listeners.EstablishFn, c net.Conn) {
	defer l.open.Add(-1)
	defer c.Close()
	defer func() {
		if fault := recover(); fault != nil {
			l.log.Error("a connection ended by a fault of the program; please report it", "fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
			l.fell()
		}
	}()
	_ = c.SetDeadline(time.Now().Add(helloTime))
	if err := establish(l.ID(), tls.Server(c, l.tls)); err != nil {
		l.log.Debug("a connection ended", "from", c.RemoteAddr().String(), "error", err)
	}
}

// Close implements listeners.Listener.
func (l *listener) Close(closeClients listeners.CloseFn) {
	l.net.Close()
	closeClients(l.ID())
}
