package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

// sale writes an agreement of Alice and Bob to sale.agree and gives Bob his side of it.
func (s *stage) sale() {
	s.t.Helper()
	s.do("asset", "transfer", "krw", "5000", "--to", "bob").want(s.t, exitOK)
	s.do("agree", "new", "-o", "sale.agree", "--transfer", "alice bob 900.00 eur car", "--transfer", "bob alice 4000 krw").want(s.t, exitOK)
}

// edit changes the JSON of an agreement file.
func (s *stage) edit(name string, change func(f *agreementFile)) {
	s.t.Helper()
	var f agreementFile
	if err := json.Unmarshal([]byte(s.read(name)), &f); err != nil {
		s.t.Fatal(err)
	}
	change(&f)
	out, err := json.Marshal(f)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(name, string(out))
}

func TestAgreeMerge(t *testing.T) {
	s := newStage(t)
	s.sale()
	s.write("bob.agree", s.read("sale.agree"))
	s.do("agree", "sign", "sale.agree", "--as", "alice", "--yes").want(t, exitOK)
	s.doWith("yes\n", "agree", "sign", "bob.agree", "--as", "bob").want(t, exitOK, "You are about to sign", "pays 4,000 krw", "Signed")
	s.do("agree", "submit", "sale.agree").want(t, exitFailed, "bob still must")
	s.do("agree", "merge", "sale.agree", "bob.agree").want(t, exitOK)
	s.do("agree", "sign", "sale.agree", "--as", "bob", "--yes").want(t, exitOK, "already")
	s.do("agree", "submit", "sale.agree").want(t, exitOK)
	s.do("agree", "submit", "bob.agree", "sale.agree").want(t, exitOK) // once more: the same outcome
	if got := s.ledger.Balance("eur", s.key("bob").Key().Address()); got != "90000" {
		t.Errorf("bob has %s", got)
	}
	s.do("agree", "new", "-o", "other.agree", "--transfer", "alice bob 1 krw").want(t, exitOK)
	s.do("agree", "merge", "sale.agree", "other.agree").want(t, exitFailed, "two agreements")
}

// TestAgreeDeceit: what is shown and signed is the body, whatever else the file says.
func TestAgreeDeceit(t *testing.T) {
	s := newStage(t)
	s.sale()
	honest := s.read("sale.agree")
	s.edit("sale.agree", func(f *agreementFile) { f.Summary = []string{"alice pays 0.01 eur to bob"} })
	r := s.doWith("no\n", "agree", "sign", "sale.agree", "--as", "alice")
	r.want(t, exitFailed, "pays 900.00 eur", "not what its body says", "Not done")
	if strings.Contains(r.out+r.err, "0.01") {
		t.Error("the false summary was shown")
	}
	for name, change := range map[string]func(f *agreementFile){
		"another body":      func(f *agreementFile) { f.Body[len(f.Body)-1] ^= 1 },
		"another network":   func(f *agreementFile) { f.Network = "test-00112233445566778899aabbccddeeff" },
		"another id":        func(f *agreementFile) { f.ID = strings.Repeat("0", 64) },
		"another format":    func(f *agreementFile) { f.Format = "dure-agreement-2" },
		"a false signature": func(f *agreementFile) { f.Signatures[0].Witness[60] ^= 1 },
		"a signature twice": func(f *agreementFile) { f.Signatures = append(f.Signatures, f.Signatures[0]) },
	} {
		s.write("sale.agree", honest)
		s.do("agree", "sign", "sale.agree", "--as", "bob", "--yes").want(t, exitOK)
		s.edit("sale.agree", change)
		if r := s.do("agree", "sign", "sale.agree", "--as", "alice", "--yes"); r.code != exitNotVerified {
			t.Errorf("%s: exit code %d\n%s%s", name, r.code, r.out, r.err)
		}
	}
}

func TestAgreeExpires(t *testing.T) {
	s := newStage(t)
	s.sale()
	s.clock.move(8 * 24 * time.Hour)
	s.do("agree", "sign", "sale.agree", "--as", "alice", "--yes").want(t, exitFailed, "expired")
}

// TestAgreeOffline: signing needs no node. Amounts are then shown in smallest units.
func TestAgreeOffline(t *testing.T) {
	s := newStage(t)
	s.sale()
	s.env["DURE_NODE"] = "http://127.0.0.1:1"
	s.do("agree", "sign", "sale.agree", "--as", "alice", "--yes", "--patience", "1ms").want(t, exitOK, "90000 smallest units of eur", "no node answers")
	s.env["DURE_NODE"] = s.node.URL
	s.do("agree", "sign", "sale.agree", "--as", "bob", "--yes").want(t, exitOK, "900.00 eur")
	s.do("agree", "submit", "sale.agree").want(t, exitOK)
}

func FuzzAgreement(f *testing.F) {
	f.Add([]byte(`{"format":"dure-agreement-1","network":"test-00112233445566778899aabbccddeeff","id":"","body":"","signatures":[]}`))
	f.Add([]byte(`{"format":"dure-agreement-1","signatures":[{"key":"","witness":"CAESIA=="}]}`))
	f.Add([]byte(`[]`))
	f.Add(signedAgreement(f))
	f.Fuzz(func(t *testing.T, content []byte) {
		g, err := decodeAgreement(content)
		if err != nil {
			return
		}
		again, err := g.encode(g.stored)
		if err != nil {
			t.Fatal(err)
		}
		back, err := decodeAgreement(again)
		if err != nil || back.id() != g.id() || len(back.tx.Witnesses) != len(g.tx.Witnesses) {
			t.Errorf("it does not survive being written again: %v", err)
		}
	})
}

// signedAgreement is a good file, so that fuzzing starts from one.
func signedAgreement(f *testing.F) []byte {
	f.Helper()
	signer, err := tx.NewEd25519Signer(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	network := "test-00112233445566778899aabbccddeeff"
	signed, err := client.NewTransaction(network).Pause(signer.Key().Address(), "krw").Sign(time.UnixMilli(0), signer)
	if err != nil {
		f.Fatal(err)
	}
	g, err := (&agreement{network: network}).with(signed.Raw)
	if err != nil {
		f.Fatal(err)
	}
	content, err := g.encode([]string{"it is paused"})
	if err != nil {
		f.Fatal(err)
	}
	return content
}

// Lists of accounts in actions are read by name like single ones.
func TestActionsWithLists(t *testing.T) {
	s := newStage(t)
	s.write("actions.json", `[{"actor": "alice", "account_set_recovery": {"rules": {"guardians": ["bob", "alice"], "threshold": 1, "wait_ms": 3600000}}}]`)
	bob, alice := s.key("bob").Key().Address().String(), s.key("alice").Key().Address().String()
	s.do("agree", "new", "-o", "g.agree", "--actions", "actions.json").want(t, exitOK, `{"guardians":["`+bob+`","`+alice+`"]`)
	s.write("actions.json", `[{"actor": "alice", "account_set_recovery": {"rules": {"guardians": ["nobody at all"]}}}]`)
	s.do("agree", "new", "-o", "h.agree", "--actions", "actions.json").want(t, exitUsage, "nobody at all")
}
