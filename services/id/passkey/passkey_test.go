package passkey_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/services/id/passkey"
	"github.com/dureledger/dure/services/id/passkey/passkeytest"
	"github.com/dureledger/dure/services/id/refusal"
)

const (
	rpID   = "localhost"
	origin = "http://localhost:8090"
)

// clock is a time that tests set.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func ceremonies() (*passkey.Ceremonies, *clock) {
	c := &clock{time.UnixMilli(1_800_000_000_000)}
	return passkey.New(rpID, origin, origin, c.now), c
}

// A passkey that was made here is found again from what it signs alone.
func TestCreateAndAssert(t *testing.T) {
	c, _ := ceremonies()
	for range 20 {
		a := passkeytest.New(t, rpID, origin)
		made, err := c.Create(a.Create(t, c.Begin("b")), "b")
		if err != nil {
			t.Fatal(err)
		}
		if made.Public != a.Public(t) {
			t.Fatalf("key %x, want %x", made.Public, a.Public(t))
		}
		got, err := c.Assert(a.Assert(t, c.Begin("b"), []byte("handle")), "b")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(got.Candidates, made.Public) {
			t.Fatalf("the key %x is not among the candidates %x", made.Public, got.Candidates)
		}
		for _, p := range got.Candidates {
			if err := got.Verify(p); err != nil {
				t.Errorf("a candidate does not verify: %v", err)
			}
		}
		if err := got.Verify(passkeytest.New(t, rpID, origin).Public(t)); refusal.Code(err) != "signin.bad_signature" {
			t.Errorf("another key: %v", err)
		}
		if string(got.UserHandle) != "handle" || got.Count != 2 || string(got.CredentialID) != string(a.ID) {
			t.Errorf("%+v", got)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		name, code string
		spoil      func(*passkeytest.Authenticator)
	}{
		{"another page", "signin.wrong_origin", func(a *passkeytest.Authenticator) { a.Origin = "https://evil.example" }},
		{"another port", "signin.wrong_origin", func(a *passkeytest.Authenticator) { a.Origin = "http://localhost:8091" }},
		{"another relying party", "signin.wrong_rp", func(a *passkeytest.Authenticator) { a.RPID = "evil.example" }},
		{"no fingerprint, face or PIN", "signin.not_verified", func(a *passkeytest.Authenticator) { a.Flags = 1 }},
		{"not touched", "signin.not_verified", func(a *passkeytest.Authenticator) { a.Flags = 4 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, _ := ceremonies()
			a := passkeytest.New(t, rpID, origin)
			test.spoil(a)
			if _, err := c.Assert(a.Assert(t, c.Begin("b"), nil), "b"); refusal.Code(err) != test.code {
				t.Errorf("sign in: %v, want %s", err, test.code)
			}
			if _, err := c.Create(a.Create(t, c.Begin("b")), "b"); refusal.Code(err) != test.code {
				t.Errorf("make: %v, want %s", err, test.code)
			}
		})
	}
}

func TestChallenges(t *testing.T) {
	c, clock := ceremonies()
	a := passkeytest.New(t, rpID, origin)
	want := func(what string, answer []byte, browser, code string) {
		t.Helper()
		if _, err := c.Assert(answer, browser); refusal.Code(err) != code {
			t.Errorf("%s: %v, want %q", what, err, code)
		}
	}
	answer := a.Assert(t, c.Begin("b"), nil)
	want("another browser", answer, "other", "signin.replayed")
	want("the first time", answer, "b", "")
	want("a second time", answer, "b", "signin.replayed")
	want("a challenge nobody gave", a.Assert(t, passkey.Text(make([]byte, 32)), nil), "b", "signin.replayed")
	late := a.Assert(t, c.Begin("b"), nil)
	clock.t = clock.t.Add(passkey.Lifetime)
	want("too late", late, "b", "signin.replayed")
	want("a new passkey", a.Create(t, c.Begin("b")), "b", "signin.malformed")
	want("nothing", nil, "b", "signin.malformed")
	want("too large", []byte(strings.Repeat(" ", passkey.MaxAnswer+1)), "b", "signin.malformed")
}

func FuzzAnswers(f *testing.F) {
	c, _ := ceremonies()
	a := passkeytest.New(f, rpID, origin)
	f.Add(a.Assert(f, c.Begin("b"), nil))
	f.Add(a.Create(f, c.Begin("b")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got, err := c.Assert(raw, "b"); err == nil {
			for _, p := range got.Candidates {
				if err := got.Verify(p); err != nil {
					t.Errorf("a candidate does not verify: %v", err)
				}
			}
		} else if refusal.Code(err) == "signin.failed" {
			t.Errorf("a refusal without a code: %v", err)
		}
		if _, err := c.Create(raw, "b"); refusal.Code(err) == "signin.failed" {
			t.Errorf("a refusal without a code: %v", err)
		}
	})
}
