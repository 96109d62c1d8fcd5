package id_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dureledger/dure/services/id"
)

// Settings that would let people be led elsewhere, or sent in clear, are refused.
func TestSettings(t *testing.T) {
	good := func() (*id.Settings, *id.Party) {
		s := &id.Settings{Name: "Member", Issuer: "https://id.bank.example", Operator: id.Service{URL: "https://sms.example"}, Bank: id.Service{URL: "http://127.0.0.1:1"},
			Services: []id.Party{{ID: "shop", Name: "Shop", SecretSHA256: strings.Repeat("ab", 32), RedirectURIs: []string{"https://shop.example/cb"}, MayAsk: []string{id.ItemPhone}}}}
		return s, &s.Services[0]
	}
	read := func(s *id.Settings) error {
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		_, err = id.ReadSettings(raw)
		return err
	}
	if s, _ := good(); read(s) != nil {
		t.Fatal(read(s))
	}
	for name, spoil := range map[string]func(*id.Settings, *id.Party){
		"no name":                   func(s *id.Settings, _ *id.Party) { s.Name = "" },
		"an issuer in clear":        func(s *id.Settings, _ *id.Party) { s.Issuer = "http://id.bank.example" },
		"an issuer with a path":     func(s *id.Settings, _ *id.Party) { s.Issuer += "/id" },
		"no bank":                   func(s *id.Settings, _ *id.Party) { s.Bank.URL = "" },
		"a redirect in clear":       func(_ *id.Settings, p *id.Party) { p.RedirectURIs = []string{"http://shop.example/cb"} },
		"a wildcard":                func(_ *id.Settings, p *id.Party) { p.RedirectURIs = []string{"https://*.shop.example/cb"} },
		"a fragment":                func(_ *id.Settings, p *id.Party) { p.RedirectURIs = []string{"https://shop.example/#cb"} },
		"a script":                  func(_ *id.Settings, p *id.Party) { p.RedirectURIs = []string{"javascript:alert(1)"} },
		"an app's scheme at a site": func(_ *id.Settings, p *id.Party) { p.RedirectURIs = []string{"com.example.app:/cb"} },
		"no redirect":               func(_ *id.Settings, p *id.Party) { p.RedirectURIs = nil },
		"half a hash":               func(_ *id.Settings, p *id.Party) { p.SecretSHA256 = "ab" },
		"an unknown item":           func(_ *id.Settings, p *id.Party) { p.MayAsk = []string{"password"} },
		"a hidden account asked":    func(_ *id.Settings, p *id.Party) { p.Subject, p.MayAsk = "pairwise", []string{id.ItemAccount} },
		"an account for an id":      func(_ *id.Settings, p *id.Party) { p.ID = "0x" + strings.Repeat("ab", 20) },
		"a ledger's page in clear":  func(s *id.Settings, _ *id.Party) { s.LedgerPage = "http://node.bank.example" },
		"an id with a space":        func(_ *id.Settings, p *id.Party) { p.ID = "the shop" },
		"the same service twice":    func(s *id.Settings, p *id.Party) { s.Services = append(s.Services, *p) },
	} {
		s, p := good()
		if spoil(s, p); read(s) == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if s, p := good(); true {
		p.SecretSHA256, p.RedirectURIs = "", []string{"com.example.app:/cb"}
		if err := read(s); err != nil {
			t.Errorf("an app: %v", err)
		}
	}
	if _, err := id.ReadSettings([]byte(`{"nam": "x"}`)); err == nil {
		t.Error("an unknown setting is taken")
	}
}
