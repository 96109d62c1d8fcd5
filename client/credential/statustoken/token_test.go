package statustoken

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"strings"
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

// TestOthersToken reads a list that @sd-jwt/jwt-status-list 0.19.0 made.
func TestOthersToken(t *testing.T) {
	b, err := os.ReadFile("testdata/sd-jwt-js.jwt")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSpace(string(b))
	got, err := Verify(text, key.Public(), uri, now)
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint32]uint32{3: 1, 9: 2, 63: 3}
	for i := range got.List.Len() {
		if status, ok := got.List.Get(i); !ok || status != want[i] {
			t.Errorf("entry %d is %d, want %d", i, status, want[i])
		}
	}
	if got.List.Len() != 64 || got.TTL != time.Minute {
		t.Errorf("%+v", got)
	}
}
