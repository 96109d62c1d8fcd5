package tx_test

import (
	"strings"
	"testing"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

func newPasskey() *txtest.Passkey {
	return txtest.NewPasskey(txtest.Secret(1), txtest.RPID, txtest.Origin)
}

func TestWebAuthnVerify(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*txtest.Passkey)
		must   string // part of the refusal; empty: accepted
	}{
		{"ordinary", func(*txtest.Passkey) {}, ""},
		{"synced", func(p *txtest.Passkey) { p.Flags |= 0x18 }, ""},
		{"with extensions", func(p *txtest.Passkey) { p.Flags |= 0x80; p.Extra = []byte{0xa0} }, ""},
		{"not touched", func(p *txtest.Passkey) { p.Flags = 0x04 }, "touching"},
		{"not verified", func(p *txtest.Passkey) { p.Flags = 0x01 }, "proving who they are"},
		{"backed up but not eligible", func(p *txtest.Passkey) { p.Flags |= 0x10 }, "backup"},
		{"unannounced bytes", func(p *txtest.Passkey) { p.Extra = []byte{0xa0} }, "no flag announces"},
		{"registration", func(p *txtest.Passkey) { p.Type = "webauthn.create" }, "webauthn.get"},
	} {
		p := newPasskey()
		c.change(p)
		err := mustDecode(t, mustSign(t, transferBody(), p)).Verify()
		switch {
		case c.must == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.must != "" && (fault.Code(err) != "tx.bad_signature" || !strings.Contains(err.Error(), c.must)):
			t.Errorf("%s: %v, want a message with %q", c.name, err, c.must)
		}
	}
}

func TestWebAuthnClientDataSpellings(t *testing.T) {
	d := mustDecode(t, mustSign(t, transferBody(), newPasskey()))
	usual := string(newPasskey().ClientDataJSON(d.ID))
	for _, c := range []struct {
		name, from, to string
		good           bool
	}{
		{"as it is", "", "", true},
		{"spaces and other order", usual, " {\n\"origin\" : \"o\", " + usual[1:strings.Index(usual, `,"origin"`)] + "\t}\r\n", true},
		{"unknown members", `{"type"`, `{"androidPackageName":"x","a":[1,-0.5e+3,{"b":null}],"type"`, true},
		{"escaped member name", `"type"`, `"\u0074ype"`, true},
		{"second type", `{"type"`, `{"type":"webauthn.get","type"`, false},
		{"second type, escaped", `{"type"`, `{"\u0074ype":"webauthn.get","type"`, false},
		{"second unknown member", `{"type"`, `{"x":1,"x":1,"type"`, false},
		{"no origin", `"origin"`, `"Origin"`, false},
		{"type in capitals", `"type"`, `"Type"`, false},
		{"type is a number", `"webauthn.get"`, `1`, false},
		{"crossOrigin is a text", `"crossOrigin":false`, `"crossOrigin":"false"`, false},
		{"byte order mark", `{"type"`, "\ufeff{\"type\"", false},
		{"trailing comma", `}`, `,}`, false},
		{"trailing text", `}`, `}x`, false},
		{"not UTF-8", `{"type"`, "{\"x\":\"\xff\",\"type\"", false},
		{"half a surrogate pair", `{"type"`, `{"x":"\ud800","type"`, false},
		{"control character", `{"type"`, "{\"x\":\"\n\",\"type\"", false},
		{"number with leading zero", `{"type"`, `{"x":01,"type"`, false},
		{"too deep", `{"type"`, `{"x":[[[[[[[[[[]]]]]]]]]],"type"`, false},
		{"challenge padded", `","origin"`, `=","origin"`, false},
		{"array", usual, "[]", false},
	} {
		w, err := newPasskey().SignClientData([]byte(strings.Replace(usual, c.from, c.to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		d.Witnesses[0] = w
		if err := d.Verify(); (err == nil) != c.good || err != nil && fault.Code(err) != "tx.bad_signature" {
			t.Errorf("%s: %v, want good %v", c.name, err, c.good)
		}
	}
}

func TestWebAuthnChallengeOfAnotherTransaction(t *testing.T) {
	p := newPasskey()
	d := mustDecode(t, mustSign(t, transferBody(), p))
	w, err := p.Sign([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	d.Witnesses[0] = w
	if err := d.Verify(); fault.Code(err) != "tx.bad_signature" || !strings.Contains(err.Error(), "challenge") {
		t.Fatal(err)
	}
}

func TestCheckPolicy(t *testing.T) {
	rules := tx.Rules{RPID: txtest.RPID, Origins: []string{"https://other.example", txtest.Origin}}
	for _, c := range []struct {
		name   string
		change func(*txtest.Passkey)
		rules  tx.Rules
		must   string
	}{
		{"good", func(*txtest.Passkey) {}, rules, ""},
		{"no passkeys here", func(*txtest.Passkey) {}, tx.Rules{}, "no passkeys"},
		{"no origins", func(*txtest.Passkey) {}, tx.Rules{RPID: txtest.RPID}, "origin"},
		{"other relying party", func(p *txtest.Passkey) { p.RPID = "evil.example" }, rules, "relying party"},
		{"other origin", func(p *txtest.Passkey) { p.Origin = "https://bank.example.evil.example" }, rules, "origin"},
		{"origin with a slash", func(p *txtest.Passkey) { p.Origin += "/" }, rules, "origin"},
		{"embedded", func(p *txtest.Passkey) { p.CrossOrigin = true }, rules, "embedded"},
	} {
		p := newPasskey()
		c.change(p)
		d := mustDecode(t, mustSign(t, transferBody(), txtest.Ed25519(1), p))
		if err := d.Verify(); err != nil {
			t.Errorf("%s: the policy is not part of the signature: %v", c.name, err)
		}
		err := d.CheckPolicy(c.rules)
		switch {
		case c.must == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.must != "" && (fault.Code(err) != "account.not_authorised" || !strings.Contains(err.Error(), c.must)):
			t.Errorf("%s: %v, want a message with %q", c.name, err, c.must)
		}
	}
	if err := mustDecode(t, mustSign(t, transferBody(), txtest.Ed25519(1))).CheckPolicy(tx.Rules{}); err != nil {
		t.Errorf("other kinds: %v", err)
	}
}
