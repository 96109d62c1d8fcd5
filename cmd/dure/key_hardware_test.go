package main

import (
	"errors"
	"testing"
)

// What real chips do is tested in internal/e2e.
func TestKeyAddRefuses(t *testing.T) {
	s := newStage(t)
	s.do("key", "add", "alice", "tpm:0x81010005").want(t, exitFailed, "There is a key named alice already")
	s.do("key", "add", "meter", "tpm:0x81010005?device=/nowhere").want(t, exitFailed, "key.unreachable")
	s.do("key", "add", "meter", "alice.hex").want(t, exitFailed, "dure key import")
	s.do("key", "add", "meter", "tpm:0x81010005?device=/nowhere&pin-value=1").want(t, exitFailed, "pin-source")
	s.do("key", "new", "meter", "--in", "tpm:0x81010005?device=/nowhere", "--kind", "ed25519").want(t, exitFailed, "key.unsupported")
	s.do("key", "new", "meter", "--in", "tpm:0x81010005?device=/nowhere", "--kind", "rsa").want(t, exitUsage, "rsa")
}

// A PIN comes from DURE_PIN or a prompt, once for each token, and is never the passphrase.
func TestAskPIN(t *testing.T) {
	env := map[string]string{"DURE_PASSPHRASE": "correct horse"}
	a := newApp(console{getenv: func(k string) string { return env[k] }})
	if _, err := a.askPIN("the token t"); err == nil {
		t.Error("a PIN from nowhere")
	}
	asked := 0
	a.secret = func(string) (string, error) { asked++; return "4711", nil }
	for range 2 {
		if pin, err := a.askPIN("the token t"); err != nil || pin != "4711" || asked != 1 {
			t.Errorf("%s, asked %d times: %v", pin, asked, err)
		}
	}
	env["DURE_PIN"] = "8150"
	if pin, err := a.askPIN("the token t"); err != nil || pin != "8150" {
		t.Errorf("%s: %v", pin, err)
	}
	delete(env, "DURE_PIN")
	a.secret = func(string) (string, error) { return "", errors.New("no terminal") }
	if _, err := a.askPIN("the token u"); err == nil {
		t.Error("a PIN from nowhere")
	}
}

func TestDeviceSendRefuses(t *testing.T) {
	s := newStage(t)
	s.do("device", "reading", "speed.ring", "1", "--unit", "km/h", "--boot", "1", "--sequence", "1", "--by", "alice", "-o", "r.cbor").want(t, exitOK)
	s.do("device", "send", "alice.hex", "--gateway", "127.0.0.1:1", "--by", "alice").want(t, exitFailed, "reading.")
	s.do("device", "send", "r.cbor", "--gateway", "127.0.0.1:1", "--gateway-ca", "alice.hex", "--by", "alice").want(t, exitUsage, "no certificates")
	s.do("device", "send", "r.cbor", "--gateway", "127.0.0.1:1", "--by", "alice").want(t, exitFailed, "is not reached", "Send the same file again")
	s.do("device", "send", "r.cbor", "--gateway", "nowhere", "--by", "alice").want(t, exitFailed, "coaps://host:port")
}
