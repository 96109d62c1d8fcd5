package torture

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// echo is a server that sends back what it gets, behind a link.
func echo(t *testing.T) *link {
	t.Helper()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		for {
			c, err := server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	l, err := newLink(server.Addr().String(), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func dialLink(t *testing.T, l *link) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// there sends something and says whether it came back within the time.
func there(t *testing.T, c net.Conn, text string, within time.Duration) bool {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		return false
	}
	return back(c, text, within)
}

func back(c net.Conn, text string, within time.Duration) bool {
	got := make([]byte, len(text))
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return false
	}
	_, err := io.ReadFull(c, got)
	return err == nil && string(got) == text
}

func TestLink(t *testing.T) {
	l := echo(t)
	c := dialLink(t, l)
	if !there(t, c, "calm", 5*time.Second) {
		t.Fatal("nothing passes")
	}
	l.set(weather{delay: 30 * time.Millisecond})
	if began := time.Now(); !there(t, c, "late", 5*time.Second) || time.Since(began) < 60*time.Millisecond {
		t.Errorf("there and back in %v", time.Since(began))
	}
	l.cut(silent)
	if there(t, c, "silence", 100*time.Millisecond) {
		t.Error("a cut link carries")
	}
	l.heal()
	if !back(c, "silence", 5*time.Second) {
		t.Error("what was held back does not arrive")
	}
	l.cut(refusing)
	if there(t, c, "broken", time.Second) || there(t, dialLink(t, l), "refused", time.Second) {
		t.Error("a refusing link carries")
	}
	l.heal()
	if !there(t, dialLink(t, l), "again", 5*time.Second) {
		t.Error("nothing passes after the cut")
	}
	l.set(weather{drop: 1})
	if there(t, dialLink(t, l), "storm", time.Second) {
		t.Error("a link that drops all carries")
	}
}

// More than a link holds arrives in full and in order.
func TestLinkOrder(t *testing.T) {
	l := echo(t)
	l.set(weather{jitter: 2 * time.Millisecond, stall: 0.1, stallFor: 5 * time.Millisecond})
	c := dialLink(t, l)
	sent := make([]byte, 2*pieces*pieceBytes)
	for i := range sent {
		sent[i] = byte(i >> 8)
	}
	go func() { _, _ = c.Write(sent) }()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("other bytes than were sent: %v", err)
	}
}
