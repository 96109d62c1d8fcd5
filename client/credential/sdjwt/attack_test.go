package sdjwt

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/fault"
)

var (
	clock     = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	issuerKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	holderKey = p256(2)
)

func p256(seed byte) *ecdsa.PrivateKey {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		panic(err)
	}
	return key
}

// opaque is a key of which nothing but the interface is known, as one in a chip.
type opaque struct{ crypto.Signer }

const typ = "dc+sd-jwt"

func makeToken(t testing.TB, key crypto.Signer) *Token {
	t.Helper()
	payload, disclosures, err := Conceal(map[string]any{
		"iss": "did:example:1", "name": Hide("김하늘"),
		"address": Hide(map[string]any{"city": Hide("Gimpo"), "country": "KR"}),
		"roles":   []any{"member", Hide("auditor"), Hide("trader")},
	}, 2, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Issue(key, map[string]any{"typ": typ}, payload, disclosures)
	if err != nil {
		t.Fatal(err)
	}
	token, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func bind(t testing.TB, token *Token, paths ...string) *Token {
	t.Helper()
	shown, err := token.Select(func(d Disclosure) bool {
		return strings.Contains(" "+strings.Join(paths, " ")+" ", " "+d.Path.String()+" ")
	})
	if err != nil {
		t.Fatal(err)
	}
	bound, err := shown.Bind(holderKey, "https://shop.example", "n-1", clock)
	if err != nil {
		t.Fatal(err)
	}
	return bound
}

func expect() Expect {
	return Expect{Holder: &holderKey.PublicKey, Audience: "https://shop.example", Nonce: "n-1", Now: clock, MaxAge: time.Minute}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if fault.Code(err) != code {
		t.Errorf("have %v, want %s", err, code)
	}
}

func TestRoundTrip(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"ed25519": issuerKey, "p256": p256(3), "in a chip": opaque{issuerKey}, "in a chip, p256": opaque{p256(3)}} {
		t.Run(name, func(t *testing.T) {
			token := makeToken(t, key)
			shown, err := Parse(bind(t, token, "address.city", "roles.2").String())
			if err != nil {
				t.Fatal(err)
			}
			if err := shown.Verify(key.Public(), typ); err != nil {
				t.Error(err)
			}
			if err := shown.VerifyBinding(expect()); err != nil {
				t.Error(err)
			}
			// The object around the city comes with it; the name, a role and the decoys do not.
			have, err := encode(shown.Claims)
			if want := `{"address":{"city":"Gimpo","country":"KR"},"iss":"did:example:1","roles":["member","trader"]}`; err != nil || string(have) != want {
				t.Errorf("%v: have %s, want %s", err, have, want)
			}
			if strings.Contains(shown.String(), token.Disclosures[0].Encoded) && token.Disclosures[0].Path.String() == "name" {
				t.Error("the name was disclosed")
			}
		})
	}
}

func TestForged(t *testing.T) {
	token := makeToken(t, issuerKey)
	wantCode(t, token.Verify(p256(9).Public(), typ), "credential.bad_algorithm")
	wantCode(t, token.Verify(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32)).Public(), typ), "credential.bad_signature")
	wantCode(t, token.Verify(issuerKey.Public(), "statuslist+jwt"), "credential.wrong_type")
}

// replaceHeader leaves payload and signature as they are.
func replaceHeader(token *Token, header string) *JWS {
	parts := strings.Split(token.Issued.Text, ".")
	parts[0] = base64url.EncodeToString([]byte(header))
	j, err := ParseJWS(strings.Join(parts, "."))
	if err != nil {
		panic(err)
	}
	return j
}

func TestAlgorithmConfusion(t *testing.T) {
	token := makeToken(t, issuerKey)
	for _, alg := range []string{"none", "None", "HS256", "ES256", "RS256", "", "ES256K"} {
		wantCode(t, replaceHeader(token, `{"typ":"dc+sd-jwt","alg":"`+alg+`"}`).Verify(issuerKey.Public(), typ), "credential.bad_algorithm")
	}
	wantCode(t, replaceHeader(token, `{"typ":"dc+sd-jwt","alg":7}`).Verify(issuerKey.Public(), typ), "credential.bad_algorithm")
	wantCode(t, replaceHeader(token, `{"typ":"dc+sd-jwt"}`).Verify(issuerKey.Public(), typ), "credential.bad_algorithm")
	wantCode(t, replaceHeader(token, `{"typ":"dc+sd-jwt","alg":"Ed25519"}`).Verify(issuerKey.Public(), typ), "credential.bad_signature")
}

// TestNamedEd25519 takes a signature whose header has the name of RFC 9864.
func TestNamedEd25519(t *testing.T) {
	signed := base64url.EncodeToString([]byte(`{"alg":"Ed25519","typ":"dc+sd-jwt"}`)) + "." + base64url.EncodeToString([]byte(`{}`))
	j, err := ParseJWS(signed + "." + base64url.EncodeToString(ed25519.Sign(issuerKey, []byte(signed))))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Verify(issuerKey.Public(), typ); err != nil {
		t.Error(err)
	}
}

func TestForeignDisclosure(t *testing.T) {
	token := makeToken(t, issuerKey)
	added := base64url.EncodeToString([]byte(`["salt","accredited",true]`))
	_, err := Parse(token.unbound() + added + "~")
	wantCode(t, err, "credential.foreign_disclosure")
	_, err = Parse(token.unbound() + token.Disclosures[0].Encoded + "~")
	wantCode(t, err, "credential.duplicate_digest")
	// A disclosure within another that is withheld has no place either.
	var city string
	for _, d := range token.Disclosures {
		if d.Path.String() == "address.city" {
			city = d.Encoded
		}
	}
	_, err = Parse(token.Issued.Text + "~" + city + "~")
	wantCode(t, err, "credential.foreign_disclosure")
}

// TestLineBreaks puts one into each part of a token, where a decoder that skips them would read the same bytes.
func TestLineBreaks(t *testing.T) {
	token := makeToken(t, issuerKey)
	for i, part := range strings.FieldsFunc(token.unbound(), func(r rune) bool { return r == '.' || r == '~' }) {
		for _, lineBreak := range []string{"\r", "\n", "\r\n"} {
			_, err := Parse(strings.Replace(token.unbound(), part, part[:5]+lineBreak+part[5:], 1))
			if fault.Code(err) != "credential.malformed" {
				t.Errorf("%q in part %d: %v", lineBreak, i, err)
			}
		}
	}
}

// crafted signs a payload as it is.
func crafted(t *testing.T, payload string, disclosures ...string) error {
	t.Helper()
	text, err := Sign(issuerKey, map[string]any{"typ": typ}, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Parse(text + "~" + strings.Join(append(disclosures, ""), "~"))
	return err
}

func TestCraftedPayload(t *testing.T) {
	encoded := base64url.EncodeToString([]byte(`["salt","name","Kim"]`))
	digest := digestOf(encoded)
	element := base64url.EncodeToString([]byte(`["salt","Kim"]`))
	for _, c := range []struct {
		payload, code string
		disclosures   []string
	}{
		{`{"_sd":["` + digest + `","` + digest + `"]}`, "credential.duplicate_digest", nil},
		{`{"_sd":["` + digest + `"],"a":[{"...":"` + digest + `"}]}`, "credential.duplicate_digest", nil},
		{`{"_sd":["` + digest + `"],"name":"Lee"}`, "credential.duplicate_claim", []string{encoded}},
		{`{"_sd":["` + digest + `"],"_sd_alg":"md5"}`, "credential.bad_algorithm", []string{encoded}},
		{`{"_sd":["` + digestOf(element) + `"]}`, "credential.malformed", []string{element}},
		{`{"a":[{"...":"` + digest + `"}]}`, "credential.malformed", []string{encoded}},
		{`{"a":[{"...":"` + digest + `","b":1}]}`, "credential.malformed", []string{encoded}},
		{`{"a":{"...":"` + digest + `"}}`, "credential.malformed", nil},
		{`{"_sd":"` + digest + `"}`, "credential.malformed", nil},
		{`{"_sd":[1]}`, "credential.malformed", nil},
		{`{"_sd":null}`, "credential.malformed", nil},
		{`{"a":{"_sd_alg":"sha-256"}}`, "credential.malformed", nil},
		{`{"a":1,"a":2}`, "credential.malformed", nil},
		{`{"a":1} {}`, "credential.malformed", nil},
		{`[]`, "credential.malformed", nil},
		{`{"a":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}`, "credential.too_large", nil},
	} {
		if err := crafted(t, c.payload, c.disclosures...); fault.Code(err) != c.code {
			t.Errorf("%s: have %v, want %s", c.payload, err, c.code)
		}
	}
	for _, d := range []string{`["salt","_sd","x"]`, `["salt","...","x"]`, `["salt"]`, `[1,"name","x"]`, `["salt",1,"x"]`, `{}`, `["salt","a","b","c"]`} {
		if err := crafted(t, `{}`, base64url.EncodeToString([]byte(d))); fault.Code(err) != "credential.malformed" {
			t.Errorf("%s: %v", d, err)
		}
	}
	wantCode(t, crafted(t, `{}`, make([]string, MaxDisclosures+1)...), "credential.too_large")
}

func TestBindingAttacks(t *testing.T) {
	token := makeToken(t, issuerKey)
	bound := bind(t, token, "name")
	change := func(f func(*Expect)) error {
		e := expect()
		f(&e)
		return bound.VerifyBinding(e)
	}
	wantCode(t, change(func(e *Expect) { e.Audience = "https://other.example" }), "credential.wrong_audience")
	wantCode(t, change(func(e *Expect) { e.Nonce = "n-2" }), "credential.wrong_nonce")
	wantCode(t, change(func(e *Expect) { e.Holder = p256(7).Public() }), "credential.wrong_holder")
	wantCode(t, change(func(e *Expect) { e.Now = clock.Add(time.Hour) }), "credential.stale")
	wantCode(t, change(func(e *Expect) { e.Now = clock.Add(-time.Hour) }), "credential.stale")
	wantCode(t, token.VerifyBinding(expect()), "credential.not_bound")

	// A thief who swaps in what the holder did not choose to show.
	more := bind(t, token, "name", "roles.1")
	more.Binding = bound.Binding
	wantCode(t, more.VerifyBinding(expect()), "credential.altered")
	// Another credential's binding.
	swapped := *bind(t, makeToken(t, issuerKey), "name")
	swapped.Binding = bound.Binding
	wantCode(t, swapped.VerifyBinding(expect()), "credential.altered")
	// The issuer's own JWS is no key binding, even when the keys are the same.
	asBinding := *bound
	asBinding.Binding = token.Issued
	wantCode(t, asBinding.VerifyBinding(expect()), "credential.wrong_type")
}

func TestPrivateJWK(t *testing.T) {
	jwk, err := PublicJWK(holderKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	jwk["d"] = "AQ"
	_, err = ParseJWK(jwk)
	wantCode(t, err, "key.malformed")
	_, err = ParseJWK(map[string]any{"kty": "oct", "k": "AAAA"})
	wantCode(t, err, "key.malformed")
}

func TestDecoys(t *testing.T) {
	sizes := map[int]bool{}
	for decoys := range 3 {
		payload, _, err := Conceal(map[string]any{"a": Hide(1)}, decoys, bytes.NewReader(bytes.Repeat([]byte{1, 2, 3, 4, 5}, 100)))
		if err != nil {
			t.Fatal(err)
		}
		sizes[len(payload["_sd"].([]string))] = true
	}
	if len(sizes) != 3 {
		t.Errorf("%v", sizes)
	}
	if len(base64url.EncodeToString(make([]byte, sha256.Size))) != len(digestOf("x")) {
		t.Error("a decoy looks otherwise than a digest")
	}
	_, _, err := Conceal(map[string]any{"_sd": 1}, 0, rand.Reader)
	wantCode(t, err, "credential.malformed")
	_, _, err = Conceal(map[string]any{"a": 1}, -1, rand.Reader)
	wantCode(t, err, "credential.too_large")
}
