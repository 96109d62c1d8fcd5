package credential

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client/credential/sdjwt"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	network = "test-0a1b"
	shop    = "https://shop.example"
	nonce   = "n-0S6_WzA2Mj"
)

var (
	clockNow  = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
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

func addressOf(key crypto.Signer) tx.Address {
	k, err := tx.KeyOf(key.Public())
	if err != nil {
		panic(err)
	}
	return k.Address()
}

// book is a ledger in memory.
type book struct {
	changes map[tx.Address]keyChanges
	frozen  map[tx.Address]bool
	ruled   map[tx.Address]bool
	rights  map[tx.Address]*record
	status  map[uint32]int
}

func newBook() *book {
	issuer := addressOf(issuerKey)
	return &book{
		changes: map[tx.Address]keyChanges{issuer: nil}, frozen: map[tx.Address]bool{}, ruled: map[tx.Address]bool{}, status: map[uint32]int{},
		rights: map[tx.Address]*record{issuer: {since: clockNow.AddDate(-1, 0, 0), ends: clockNow.AddDate(1, 0, 0)}},
	}
}

func (b *book) Network(context.Context) (string, error) { return network, nil }
func (b *book) Grounds() string                         { return "a book in memory" }

func (b *book) Key(_ context.Context, account, key tx.Address, at time.Time) (Standing, error) {
	changes, known := b.changes[account]
	if !known {
		return Standing{}, unknownIssuer(account)
	}
	if err := checkAccount(account, !b.ruled[account], b.frozen[account]); err != nil {
		return Standing{}, err
	}
	return changes.standing(account, key, at)
}

func (b *book) Right(_ context.Context, issuer tx.Address, schema string, at, now time.Time) (Right, error) {
	return judge(func(holder tx.Address) (*record, error) { return b.rights[holder], nil }, issuer, schema, at, now)
}

func (b *book) Status(_ context.Context, _ tx.Address, _, index uint32) (int, error) {
	return b.status[index], nil
}

func terms(change func(*Terms)) Terms {
	t := Terms{
		Issuer: ID{network, addressOf(issuerKey)}, Schema: "resident", Holder: holderKey.Public(),
		Claims: map[string]any{
			"name": sdjwt.Hide("김하늘"), "city": "Gimpo", "address": sdjwt.Hide(map[string]any{"street": sdjwt.Hide("Sau-ro 1"), "zip": sdjwt.Hide("10109")}),
			"roles": []any{sdjwt.Hide("voter"), sdjwt.Hide("owner")},
		},
		Issued: clockNow, Expires: clockNow.AddDate(1, 0, 0), List: 1, Index: 7, Decoys: 1,
	}
	if change != nil {
		change(&t)
	}
	return t
}

func issue(t testing.TB, key crypto.Signer, change func(*Terms)) string {
	t.Helper()
	text, err := Issue(key, terms(change), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func present(t testing.TB, text string, fields ...string) string {
	t.Helper()
	c, err := Read(text)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := c.Present(holderKey, fields, shop, nonce, clockNow)
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

func check() Check {
	return Check{Audience: shop, Nonce: nonce, Now: clockNow, Schemas: []string{"resident"}}
}

func TestIssueShowVerify(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"ed25519": issuerKey, "p256": p256(3)} {
		t.Run(name, func(t *testing.T) {
			b := newBook()
			b.changes[addressOf(key)], b.rights[addressOf(key)] = nil, b.rights[addressOf(issuerKey)]
			text := issue(t, key, func(c *Terms) { c.Issuer.Account = addressOf(key) })
			mine, err := Read(text)
			if err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, f := range mine.Fields() {
				fields = append(fields, f.Path)
			}
			if have := strings.Join(fields, " "); have != "address address.street address.zip city name roles roles.0 roles.1" && have != "address address.street address.zip city name roles.0 roles.1 roles" {
				t.Errorf("fields %s", have)
			}
			v, err := Verify(t.Context(), b, present(t, text, "address.zip", "roles.1"), check())
			if err != nil {
				t.Fatal(err)
			}
			if !v.Presented || v.Claims["name"] != nil || v.Claims["city"] != "Gimpo" || len(v.Claims["roles"].([]any)) != 1 {
				t.Errorf("%v", v.Claims)
			}
			if address := v.Claims["address"].(map[string]any); address["zip"] != "10109" || address["street"] != nil {
				t.Errorf("%v", address)
			}
		})
	}
}

// TestAttacks: each is refused, and named.
func TestAttacks(t *testing.T) {
	good := issue(t, issuerKey, nil)
	thief := p256(9)
	swapped := func() string { // the holder's key replaced in the signed part
		own, err := sdjwt.PublicJWK(holderKey.Public())
		if err != nil {
			t.Fatal(err)
		}
		stolen, err := sdjwt.PublicJWK(thief.Public())
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.SplitN(good, ".", 3)
		payload, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.NewReplacer(own["x"].(string), stolen["x"].(string), own["y"].(string), stolen["y"].(string)).Replace(string(payload))
		return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[2]
	}
	byThief := func(c *Terms) { c.Issuer.Account = addressOf(thief) }
	for name, a := range map[string]struct {
		code  string
		text  string
		check func(*Check)
		book  func(*book)
	}{
		"forged: another's key under the issuer's name": {"credential.wrong_issuer_key", present(t, issue(t, thief, nil), "name"), nil, nil},
		"forged: a signature that is none":              {"credential.bad_signature", tamper(present(t, good)), nil, nil},
		"holder's key swapped":                          {"credential.bad_signature", swapped(), func(c *Check) { c.Audience, c.Nonce = "", "" }, nil},
		"expired":                                       {"credential.expired", present(t, good), func(c *Check) { c.Now = clockNow.AddDate(2, 0, 0) }, nil},
		"not yet valid":                                 {"credential.not_yet_valid", present(t, issue(t, issuerKey, func(c *Terms) { c.NotBefore = clockNow.Add(time.Hour) })), nil, nil},
		"issued in the future":                          {"credential.not_yet_valid", present(t, issue(t, issuerKey, func(c *Terms) { c.Issued = clockNow.Add(time.Hour) })), nil, nil},
		"wrong audience":                                {"credential.wrong_audience", present(t, good), func(c *Check) { c.Audience = "https://other.example" }, nil},
		"replayed nonce":                                {"credential.wrong_nonce", present(t, good), func(c *Check) { c.Nonce = "n-2" }, nil},
		"shown long ago":                                {"credential.stale", present(t, good), func(c *Check) { c.Now = clockNow.Add(time.Hour) }, nil},
		"not presented at all":                          {"credential.not_bound", good, nil, nil},
		"revoked":                                       {"credential.revoked", present(t, good), nil, func(b *book) { b.status[7] = 1 }},
		"suspended":                                     {"credential.suspended", present(t, good), nil, func(b *book) { b.status[7] = 2 }},
		"a status that nobody knows":                    {"credential.revoked", present(t, good), nil, func(b *book) { b.status[7] = 3 }},
		"no status where one is wanted":                 {"credential.no_status", present(t, issue(t, issuerKey, func(c *Terms) { c.List = 0 })), func(c *Check) { c.Revocable = true }, nil},
		"another schema":                                {"credential.wrong_schema", present(t, issue(t, issuerKey, func(c *Terms) { c.Schema = "employee" })), nil, nil},
		"another issuer than is accepted":               {"credential.wrong_issuer", present(t, good), func(c *Check) { c.Issuers = []tx.Address{{1}} }, nil},
		"another ledger":                                {"credential.wrong_network", present(t, issue(t, issuerKey, func(c *Terms) { c.Issuer.Network = "other-0a1b" })), nil, nil},
		"issuer without an account":                     {"credential.issuer_unknown", present(t, issue(t, thief, byThief)), nil, nil},
		"issuer without a licence":                      {"credential.not_licensed", present(t, issue(t, thief, byThief)), nil, func(b *book) { b.changes[addressOf(thief)] = nil }},
		"issuer frozen":                                 {"credential.issuer_frozen", present(t, good), nil, func(b *book) { b.frozen[addressOf(issuerKey)] = true }},
		"issuer acts by several keys":                   {"credential.issuer_ruled", present(t, good), nil, func(b *book) { b.ruled[addressOf(issuerKey)] = true }},
		"a disclosure added":                            {"credential.foreign_disclosure", good + "WyJzYWx0IiwiYWNjcmVkaXRlZCIsdHJ1ZV0~", nil, nil},
		"a disclosure twice":                            {"credential.duplicate_digest", good + strings.Split(good, "~")[1] + "~", nil, nil},
		"alg none":                                      {"credential.bad_algorithm", unsigned(good), nil, nil},
		"oversized":                                     {"credential.too_large", good + strings.Repeat("A", sdjwt.MaxText), nil, nil},
		"licence began later":                           {"credential.not_licensed", present(t, good), nil, func(b *book) { b.rights[addressOf(issuerKey)].since = clockNow.Add(time.Hour) }},
		"licence had ended":                             {"credential.not_licensed", present(t, good), nil, func(b *book) { b.rights[addressOf(issuerKey)].ends = clockNow.Add(-time.Hour) }},
		"licence taken back before": {"credential.not_licensed", present(t, good), nil, func(b *book) {
			b.rights[addressOf(issuerKey)].revoked, b.rights[addressOf(issuerKey)].reason = clockNow.Add(-time.Hour), "ended"
		}},
		"licence taken back since, for a breach": {"credential.not_licensed", present(t, good), func(c *Check) { c.MaxAge, c.Now = 24*time.Hour, clockNow.Add(2*time.Hour) }, func(b *book) {
			b.rights[addressOf(issuerKey)].revoked, b.rights[addressOf(issuerKey)].reason = clockNow.Add(time.Hour), "breach"
		}},
		"a key that was replaced before": {"credential.wrong_issuer_key", present(t, good), nil, func(b *book) {
			b.changes[addressOf(issuerKey)] = keyChanges{{at: clockNow.Add(-time.Hour), key: addressOf(thief).String()}}
		}},
		"a key replaced since, where today's is wanted": {"credential.old_issuer_key", present(t, good), func(c *Check) { c.CurrentKey = true }, func(b *book) {
			b.changes[addressOf(issuerKey)] = keyChanges{{at: clockNow.Add(time.Hour), key: addressOf(thief).String()}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c, b := check(), newBook()
			if a.check != nil {
				a.check(&c)
			}
			if a.book != nil {
				a.book(b)
			}
			if _, err := Verify(t.Context(), b, a.text, c); fault.Code(err) != a.code {
				t.Errorf("have %v, want %s", err, a.code)
			}
		})
	}
}

// unsigned says in the header that nobody signs.
func unsigned(text string) string {
	_, rest, _ := strings.Cut(text, ".")
	jwk, err := sdjwt.PublicJWK(issuerKey.Public())
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"dc+sd-jwt","jwk":{"kty":"OKP","crv":"Ed25519","x":"`+jwk["x"].(string)+`"}}`)) + "." + rest
}

// tamper changes a byte of the issuer's signature.
func tamper(text string) string {
	at := strings.Index(text, "~") - 10
	changed := byte('A')
	if text[at] == 'A' {
		changed = 'B'
	}
	return text[:at] + string(changed) + text[at+1:]
}

// TestKeyChange: a credential outlives its issuer's key.
func TestKeyChange(t *testing.T) {
	b, second, third := newBook(), p256(4), p256(5)
	account := addressOf(issuerKey)
	b.changes[account] = keyChanges{{at: clockNow.Add(2 * time.Hour), key: addressOf(third).String()}, {at: clockNow.Add(time.Hour), key: addressOf(second).String()}}
	at := func(key crypto.Signer, when time.Duration) (Standing, error) {
		return b.Key(t.Context(), account, addressOf(key), clockNow.Add(when))
	}
	for _, c := range []struct {
		key      crypto.Signer
		when     time.Duration
		replaced time.Duration
	}{{issuerKey, 0, time.Hour}, {second, 90 * time.Minute, 2 * time.Hour}, {third, 3 * time.Hour, 0}} {
		s, err := at(c.key, c.when)
		if err != nil || c.replaced == 0 != s.Replaced.IsZero() || c.replaced > 0 && !s.Replaced.Equal(clockNow.Add(c.replaced)) {
			t.Errorf("after %s: %v %v", c.when, s, err)
		}
	}
	for _, c := range []struct {
		key  crypto.Signer
		when time.Duration
	}{{issuerKey, 90 * time.Minute}, {second, 0}, {second, 3 * time.Hour}, {third, 90 * time.Minute}} {
		if s, err := at(c.key, c.when); fault.Code(err) != "credential.wrong_issuer_key" {
			t.Errorf("after %s: %v %v", c.when, s, err)
		}
	}
}

// TestRights: a right that ended leaves what was issued before, and rests on those above it.
func TestRights(t *testing.T) {
	city, office, clerk := tx.Address{1}, tx.Address{2}, tx.Address{3}
	year := func(from int) (time.Time, time.Time) {
		return clockNow.AddDate(from, 0, 0), clockNow.AddDate(from+1, 0, 0)
	}
	rights := map[tx.Address]*record{city: {depth: 2}, office: {giver: city, depth: 1}, clerk: {giver: office}}
	for _, r := range rights {
		r.since, r.ends = year(-1)
	}
	find := func(holder tx.Address) (*record, error) { return rights[holder], nil }
	before := clockNow.AddDate(0, -6, 0)
	r, err := judge(find, clerk, "resident", before, clockNow.AddDate(0, -1, 0))
	if err != nil || r.Over != "" || r.Giver != office {
		t.Errorf("%+v %v", r, err)
	}
	if r, err = judge(find, clerk, "resident", before, clockNow.AddDate(5, 0, 0)); err != nil || r.Over == "" {
		t.Errorf("after its end: %+v %v", r, err)
	}
	for name, change := range map[string]func(){
		"the middle one taken back for a breach": func() { rights[office].revoked, rights[office].reason = clockNow, "breach" },
		"the middle one given anew later":        func() { rights[office].since = before.AddDate(0, -1, 0) },
		"not to be passed on":                    func() { rights[office].depth = 0 },
		"the first is gone":                      func() { delete(rights, city) },
		"a ring":                                 func() { rights[city].giver = clerk },
	} {
		kept := map[tx.Address]record{}
		for a, r := range rights {
			kept[a] = *r
		}
		change()
		if _, err := judge(find, clerk, "resident", before, clockNow); fault.Code(err) != "credential.not_licensed" {
			t.Errorf("%s: %v", name, err)
		}
		for a, r := range kept {
			rights[a] = &r
		}
	}
}

func TestReadRefuses(t *testing.T) {
	craft := func(payload map[string]any, hide ...string) string {
		t.Helper()
		claims := map[string]any{"iss": ID{network, addressOf(issuerKey)}.String(), "vct": SchemaName(network, "resident"), "iat": clockNow.Unix()}
		for name, v := range payload {
			claims[name] = v
		}
		for _, name := range hide {
			claims[name] = sdjwt.Hide(claims[name])
		}
		header, err := Header(issuerKey, ID{network, addressOf(issuerKey)})
		if err != nil {
			t.Fatal(err)
		}
		header["typ"] = Type
		signed, disclosures, err := sdjwt.Conceal(claims, 0, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		text, err := sdjwt.Issue(issuerKey, header, signed, disclosures)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	list := func(uri string, idx any) map[string]any {
		return map[string]any{"status": map[string]any{"status_list": map[string]any{"idx": idx, "uri": uri}}}
	}
	own := ListName(ID{network, addressOf(issuerKey)}, 1)
	for name, c := range map[string]struct{ text, code string }{
		"end that can be withheld":    {craft(map[string]any{"exp": 1}, "exp"), "credential.malformed"},
		"status that can be withheld": {craft(list(own, 1), "status"), "credential.malformed"},
		"issuer elsewhere":            {craft(map[string]any{"iss": "https://issuer.example"}), "credential.bad_name"},
		"small letters in the issuer": {craft(map[string]any{"iss": strings.ToLower(ID{network, addressOf(issuerKey)}.String())}), "credential.bad_name"},
		"another ledger's schema":     {craft(map[string]any{"vct": SchemaName("other-1", "resident")}), "credential.wrong_network"},
		"time that is no number":      {craft(map[string]any{"exp": "tomorrow"}), "credential.malformed"},
		"another's list":              {craft(list(ListName(ID{network, tx.Address{9}}, 1), 1)), "credential.other_list"},
		"negative entry":              {craft(list(own, -1)), "credential.malformed"},
		"status without a list":       {craft(map[string]any{"status": map[string]any{}}), "credential.malformed"},
		"holder's private key":        {craft(map[string]any{"cnf": map[string]any{"jwk": map[string]any{"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}}}), "key.malformed"},
	} {
		if _, err := Read(c.text); fault.Code(err) != c.code {
			t.Errorf("%s: have %v, want %s", name, err, c.code)
		}
	}
	_, err := Issue(issuerKey, terms(func(c *Terms) { c.Claims["iss"] = "me" }), rand.Reader)
	if fault.Code(err) != "credential.reserved_claim" {
		t.Error(err)
	}
	c, err := Read(issue(t, issuerKey, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Present(holderKey, []string{"salary"}, shop, nonce, clockNow); fault.Code(err) != "credential.no_such_field" {
		t.Error(err)
	}
	if _, err := c.Present(p256(8), nil, shop, nonce, clockNow); fault.Code(err) != "credential.wrong_holder" {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	id := ID{network, addressOf(issuerKey)}
	if got, err := ParseID(id.String()); err != nil || got != id {
		t.Errorf("%v %v", got, err)
	}
	if got, list, err := ParseList(ListName(id, 12)); err != nil || got != id || list != 12 {
		t.Errorf("%v %d %v", got, list, err)
	}
	for _, text := range []string{"", "did:dure:", "did:dure:x:0x12", "did:web:" + network, id.String() + "#1", " " + id.String(), ListName(id, 0), id.String() + "/status/01", id.String() + "/status/99999999999"} {
		if _, err := ParseID(text); fault.Code(err) != "credential.bad_name" {
			t.Errorf("%q: %v", text, err)
		}
		if _, _, err := ParseList(text); fault.Code(err) != "credential.bad_name" {
			t.Errorf("%q: %v", text, err)
		}
	}
}
