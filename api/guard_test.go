package api

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
)

func TestBodiesTogetherAreBounded(t *testing.T) {
	s := &Server{}
	first := s.newBody(httptest.NewRecorder(), io.NopCloser(strings.NewReader("1234")))
	if _, err := io.ReadAll(first); err != nil || s.bodies.Load() != 4 {
		t.Fatalf("%v, %d bytes held", err, s.bodies.Load())
	}
	s.bodies.Add(maxBodies - 5)
	second := s.newBody(httptest.NewRecorder(), io.NopCloser(strings.NewReader("1234")))
	_, err := io.ReadAll(second)
	var refused *connect.Error
	if !errors.As(err, &refused) || refused.Code() != connect.CodeResourceExhausted {
		t.Errorf("one byte too many: %v", err)
	}
	second.release()
	first.release()
	if s.bodies.Load() != maxBodies-5 {
		t.Errorf("%d bytes held after release", s.bodies.Load())
	}
}

func TestHosts(t *testing.T) {
	s := &Server{hosts: hostSet([]string{"Node.Example."})}
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:80": true, "127.0.0.1:26657": true, "[::1]:1": true, "::1": true, "[::ffff:127.0.0.1]": true,
		"node.example": true, "node.example.:443": true, "": false, "example": false, "8.8.8.8": false, "[::2]:80": false,
		"127.0.0.1.nip.io": false, "localhost@evil": false,
	} {
		if got := s.hostAllowed(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func FuzzHost(f *testing.F) {
	s := &Server{hosts: hostSet([]string{"node.example"})}
	f.Add("localhost:80")
	f.Add("[::1%25eth0]:80")
	f.Add("evil.example:127.0.0.1")
	f.Fuzz(func(t *testing.T, host string) {
		if s.hostAllowed(host) && strings.Contains(strings.ToLower(host), "evil") {
			t.Errorf("%q is let in", host)
		}
	})
}
