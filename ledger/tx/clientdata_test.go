package tx

import (
	"encoding/json"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
)

// FuzzWebAuthn: client data that is accepted is JSON that another parser reads the same way; no input disturbs verification.
func FuzzWebAuthn(f *testing.F) {
	auth := append(make([]byte, 32), 5, 0, 0, 0, 0)
	for _, s := range []string{
		`{"type":"webauthn.get","challenge":"AA","origin":"https://bank.example","crossOrigin":false}`,
		`{"type":"webauthn.get","challenge":"AA","origin":"\u00e9\ud83d\ude00\n","x":[1,2.5e-3,{"y":null}],"crossOrigin":true}`,
		` { "origin" : "" , "challenge" : "" , "type" : "" } `,
		`{"type":"a","type":"b","challenge":"","origin":""}`,
		`{"x":"\ud800"}`, `[[[[[[[[[[`, `{`, `{}`, "\ufeff{}", `{"a":-}`, `{"a":1.}`, `{"a":1e}`,
	} {
		f.Add([]byte(s), auth)
	}
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, client, auth []byte) {
		w := &txv1.Witness{
			Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, PublicKey: make([]byte, 33), Signature: make([]byte, 64),
			AuthenticatorData: auth, ClientDataJson: client,
		}
		d := &Tx{Witnesses: []*txv1.Witness{w}}
		if d.Verify() == nil {
			t.Fatal("an empty signature was accepted")
		}
		if d.CheckPolicy(Rules{RPID: "x", Origins: []string{"y"}}) == nil {
			t.Fatal("the wrong relying party was accepted")
		}
		c, err := parseClientData(client)
		if err != nil {
			return
		}
		var other map[string]any
		if err := json.Unmarshal(client, &other); err != nil {
			t.Fatalf("accepted %q, which is not JSON: %v", client, err)
		}
		cross, _ := other["crossOrigin"].(bool)
		if c.typ != other["type"] || c.challenge != other["challenge"] || c.origin != other["origin"] || c.crossOrigin != cross {
			t.Fatalf("read %q as %+v, another parser as %v", client, c, other)
		}
	})
}
