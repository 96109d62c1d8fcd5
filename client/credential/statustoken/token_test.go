package statustoken

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/statuslist"
)

var (
	key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	now = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
)

const uri = "https://issuer.example/lists/1"

func token(t *testing.T, change func(*Token)) string {
	t.Helper()
	tok := Token{Subject: uri, Issued: now, Expires: now.Add(time.Hour), TTL: time.Minute, List: statuslist.List{Bits: 1, Entries: make([]byte, 2)}}
	change(&tok)
	text, err := Sign(key, nil, tok)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestToken(t *testing.T) {
	text := token(t, func(tok *Token) { tok.List.Set(5, statuslist.Invalid) })
	got, err := Verify(text, key.Public(), uri, now)
	if err != nil {
		t.Fatal(err)
	}
	if status, ok := got.List.Get(5); !ok || status != statuslist.Invalid || got.TTL != time.Minute {
		t.Errorf("%d %v %+v", status, ok, got)
	}
	for name, c := range map[string]struct {
		code string
		text string
		at   time.Time
		uri  string
	}{
		"another list":       {"credential.bad_status_list", text, now, uri + "0"},
		"no list":            {"credential.bad_status_list", text, now, ""},
		"copy kept too long": {"credential.status_expired", text, now.Add(2 * time.Minute), uri},
		"expired":            {"credential.status_expired", token(t, func(tok *Token) { tok.TTL = 0 }), now.Add(time.Hour), uri},
		"from the future":    {"credential.bad_status_list", text, now.Add(-time.Hour), uri},
		"tampered with":      {"credential.bad_signature", text[:len(text)-4] + "AAAA", now, uri},
	} {
		if _, err := Verify(c.text, key.Public(), c.uri, c.at); fault.Code(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Verify(text, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)).Public(), uri, now); fault.Code(err) != "credential.bad_signature" {
		t.Errorf("another's key: %v", err)
	}
}
