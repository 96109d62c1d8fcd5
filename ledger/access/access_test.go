package access_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/dureledger/dure/ledger/access"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// The proofs of RFC 9449, sections 5 and 7.1, the thumbprint of their key (section 6.1), and the hash of the token.
const (
	rfcHead       = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19."
	rfcToken      = rfcHead + "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	rfcResource   = rfcHead + "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
	rfcThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
)

func TestProofsOfTheRFC(t *testing.T) {
	p, err := access.Parse(rfcToken)
	if want := (access.Proof{Thumbprint: rfcThumbprint, Method: "POST", URL: "https://server.example.com/token", At: 1562262616, ID: "-BwC3ESc6acc2lTc"}); err != nil || *p != want {
		t.Errorf("%+v, %v", p, err)
	}
	p, err = access.Parse(rfcResource)
	if err != nil || p.Method != "GET" || p.Token != access.TokenHash("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU") {
		t.Errorf("%+v, %v", p, err)
	}
}

// secret is the private key of the golden files.
func secret(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, draft string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(draft))
	r, s, err := ecdsa.Sign(nil, secret(t), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return access.Complete(draft, append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func TestWhatIsDraftedIsParsed(t *testing.T) {
	thumbprint, err := access.Thumbprint(&secret(t).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	p := access.Proof{Thumbprint: thumbprint, Method: "POST", URL: "https://node.example/dure.api.v1.LedgerService/GetBlock", At: 1_767_225_600, ID: "one", Token: access.TokenHash("t")}
	draft, err := access.Draft(p, &secret(t).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := access.Parse(sign(t, draft)); err != nil || *got != p {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestProofsThatDoNotCount(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	head, err := base64.RawURLEncoding.DecodeString(strings.TrimSuffix(rfcHead, "."))
	if err != nil {
		t.Fatal(err)
	}
	with := func(from, to string) string { return encode([]byte(strings.Replace(string(head), from, to, 1))) }
	claims := encode([]byte(`{"jti":"1","htm":"POST","htu":"https://a/b","iat":1}`))
	for name, text := range map[string]string{
		"nothing": "", "two parts": "a.b", "not base64": rfcToken[:40] + "*" + rfcToken[41:], "padding": rfcToken + "=",
		"a changed claim": strings.Replace(rfcToken, "eyJqdGkiOiItQ", "eyJqdGkiOiItR", 1), "a short signature": rfcToken[:len(rfcToken)-2],
		"no algorithm": with("ES256", "none") + "." + claims + ".", "a secret for all": sign(t, with("ES256", "HS256")+"."+claims),
		"another type": sign(t, with("dpop+jwt", "JWT")+"."+claims), "a curve of 384 bits": sign(t, with("P-256", "P-384")+"."+claims),
		"no point": sign(t, with("l8tF", "l8tG")+"."+claims), "a private key": sign(t, with(`"crv"`, `"d":"AA","crv"`)+"."+claims),
		"critical": sign(t, with(`"alg"`, `"crit":["x"],"alg"`)+"."+claims), "another's key": sign(t, strings.TrimSuffix(rfcHead, ".")+"."+claims),
		"a time with a fraction": sign(t, own(t)+"."+encode([]byte(`{"jti":"1","iat":1.5}`))), "two values": sign(t, own(t)+"."+encode([]byte(`{"jti":"1"}{}`))),
		"no id": sign(t, own(t)+"."+encode([]byte(`{"iat":1}`))), "a long id": sign(t, own(t)+"."+encode([]byte(`{"jti":"`+strings.Repeat("x", 129)+`"}`))),
		"endless": strings.Repeat("a", access.MaxProof+1),
	} {
		if p, err := access.Parse(text); fault.Code(err) != "access.proof_bad" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// own is the header of a proof of the test's key.
func own(t testing.TB) string {
	t.Helper()
	draft, err := access.Draft(access.Proof{ID: "1"}, &secret(t).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(draft, ".")
	return head
}

func TestAuthority(t *testing.T) {
	for _, tc := range [][3]string{
		{"http", "Node.Example", "node.example"}, {"http", "node.example:80", "node.example"}, {"https", "node.example:443", "node.example"},
		{"https", "node.example:80", "node.example:80"}, {"http", "node.example.:8080", "node.example:8080"}, {"http", "[::1]:80", "[::1]"}, {"http", "[::1]:8080", "[::1]:8080"},
	} {
		if got := access.Authority(tc[0], tc[1]); got != tc[2] {
			t.Errorf("%v: %q", tc, got)
		}
	}
}

// testdata/claim.json is for other implementations.
func TestClaimDigest(t *testing.T) {
	var file []struct{ Network, Audience, Account, Nonce, Thumbprint, Digest string }
	raw, err := os.ReadFile("testdata/claim.json")
	if err == nil {
		err = json.Unmarshal(raw, &file)
	}
	if err != nil || len(file) == 0 {
		t.Fatal(err)
	}
	for _, c := range file {
		account, err := tx.ParseAddress(c.Account)
		if err != nil {
			t.Fatal(err)
		}
		digest := access.Claim{Network: c.Network, Audience: c.Audience, Account: account, Nonce: c.Nonce, Thumbprint: c.Thumbprint}.Digest()
		if got := hex.EncodeToString(digest[:]); got != c.Digest {
			t.Errorf("%s: %s", c.Audience, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(rfcToken)
	f.Add(rfcResource)
	f.Add("..")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := access.Parse(text)
		if err != nil {
			if fault.Code(err) != "access.proof_bad" {
				t.Error(err)
			}
			return
		}
		if len(p.Thumbprint) != 43 || p.ID == "" || len(p.ID) > access.MaxID {
			t.Errorf("%+v", p)
		}
	})
}
