package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// A device's certificate is for its own key and names it; its reading is what the key signs for this network.
func TestDeviceCertAndReading(t *testing.T) {
	s := newStage(t)
	s.do("device", "cert", "alice", "-o", "car").want(t, exitOK, "Wrote car.pem and car-key.pem", s.address("alice"))
	pair, err := tls.X509KeyPair([]byte(s.read("car.pem")), []byte(s.read("car-key.pem")))
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := certificate.CheckSignature(certificate.SignatureAlgorithm, certificate.RawTBSCertificate, certificate.Signature); err != nil || certificate.Subject.CommonName != s.address("alice") {
		t.Errorf("%s: %v", certificate.Subject, err)
	}
	s.do("device", "cert", "alice", "-o", "car").want(t, exitFailed, "exists already")
	s.do("key", "new", "wallet", "--kind", "secp256k1").want(t, exitOK)
	s.do("device", "cert", "wallet").want(t, exitFailed, "reading.bad_key")

	s.do("device", "reading", "speed.ring", "52.30", "--unit", "km/h", "--boot", "4", "--sequence", "17", "--by", "alice", "-o", "r.cbor").want(t, exitOK, "52.3 km/h for speed.ring", "4, 17")
	r, err := reading.Parse([]byte(s.read("r.cbor")))
	if err != nil {
		t.Fatal(err)
	}
	key := s.key("alice").Key()
	if err := tx.VerifyReading(s.ledger.ID, key.Address(), key, r); err != nil || r.Time != s.clock.Now().UnixMilli() || r.Boot != 4 {
		t.Errorf("%+v: %v", r, err)
	}
	s.do("device", "reading", "speed.ring", "1", "--unit", "km/h", "--boot", "4", "--sequence", "18", "--by", "alice", "-o", "-", "--at", "2026-11-22T08:00:00Z").want(t, exitOK, "speed.ring")
	s.do("device", "reading", "speed.ring", "fast", "--unit", "km/h", "--boot", "4", "--sequence", "18", "--by", "alice", "-o", "x").want(t, exitFailed, "reading.bad_value")
	s.do("device", "reading", "Speed", "1", "--unit", "km/h", "--boot", "4", "--sequence", "18", "--by", "alice", "-o", "x").want(t, exitFailed, "reading.malformed")
}

func TestGatewaySettings(t *testing.T) {
	s := newStage(t)
	s.do("gateway").want(t, exitUsage, "cert")
	s.do("gateway", "--cert", "no.pem", "--cert-key", "no-key.pem").want(t, exitFailed, "no.pem")
	s.do("device", "cert", "alice", "-o", "gw").want(t, exitOK)
	s.do("gateway", "--cert", "gw.pem", "--cert-key", "gw-key.pem", "--log-level", "loud").want(t, exitUsage, "log.level")
	s.do("gateway", "--cert", "gw.pem", "--cert-key", "gw-key.pem", "--as", "mallory").want(t, exitFailed, "account.unknown")
}

// A renewed certificate is shown without a restart, a broken one is not.
func TestRenewedCertificate(t *testing.T) {
	s := newStage(t)
	s.do("device", "cert", "alice", "-o", "gw").want(t, exitOK)
	files := &certificateFiles{cert: "gw.pem", key: "gw-key.pem", log: slog.New(slog.DiscardHandler)}
	first, err := files.get()
	if err != nil {
		t.Fatal(err)
	}
	change := func(name, content string, at time.Time) {
		s.write(name, content)
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	change("gw.pem", "broken", time.Unix(1, 0))
	if again, err := files.get(); err != nil || again != first {
		t.Errorf("after a broken one: %v", err)
	}
	s.do("device", "cert", "bob", "-o", "new").want(t, exitOK)
	change("gw.pem", s.read("new.pem"), time.Unix(2, 0))
	change("gw-key.pem", s.read("new-key.pem"), time.Unix(2, 0))
	if renewed, err := files.get(); err != nil || bytes.Equal(renewed.Certificate[0], first.Certificate[0]) {
		t.Errorf("the renewed one is not shown: %v", err)
	}
}
