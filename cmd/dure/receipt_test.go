package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReceiptOffline verifies the published vectors with no node to ask: the only address given is one nobody listens on.
func TestReceiptOffline(t *testing.T) {
	vectors, err := filepath.Abs("../../client/light/testdata")
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t)
	s.env["DURE_NODE"] = "http://127.0.0.1:1"
	file := func(name string) string { return filepath.Join(vectors, name) }
	genesis := file("changing.json")
	s.do("receipt", "verify", file("receipt-changing.dure"), "--genesis", genesis).want(t, exitOK, "rests on", "genesis keys")
	s.do("receipt", "verify", file("receipt-changing.dure"), "--genesis", genesis, "--json").want(t, exitOK, `"verified":true`)
	s.do("checkpoint", "verify", file("checkpoint-changing.txt"), "--genesis", genesis).want(t, exitOK, "checkpoint")
	s.do("receipt", "verify", file("receipt-changing.dure")).want(t, exitUsage, "--genesis")
	s.do("receipt", "verify", file("receipt-changing.dure"), "--genesis", file("quiet.json")).want(t, exitNotVerified, "NOT VERIFIED")

	good, err := os.ReadFile(file("receipt-changing.dure"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(good); i += 37 { // client/light flips every byte; here it is the exit code that matters
		bad := slices.Clone(good)
		bad[i] ^= 1
		s.write("bad.dure", string(bad))
		if r := s.do("receipt", "verify", "bad.dure", "--genesis", genesis); r.code != exitNotVerified {
			t.Errorf("byte %d flipped: exit code %d", i, r.code)
		}
	}
	s.write("doc.txt", "something else")
	s.do("record", "check", "doc.txt", "--receipt", file("receipt-changing.dure"), "--genesis", genesis).want(t, exitNotVerified, "does not say that this file was recorded")
	if n := s.node.Calls("GetStatus"); n != 0 || strings.Contains(s.env["DURE_NODE"], s.node.URL) {
		t.Errorf("a node was asked %d times", n)
	}
}
