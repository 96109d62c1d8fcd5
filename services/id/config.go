package id

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Settings are a provider's, from a file of its member.
type Settings struct {
	// Name of the member, as people know it.
	Name string `json:"name"`
	// Issuer is the address of the provider for browsers and services, such as https://id.bank.example, without a path. It is not one of
	// the network's origins, so that no signature that is given there can be one of a transaction. Plain http is for this machine alone.
	Issuer string `json:"issuer"`
	// RelatedOrigins are the addresses of the other members' providers, which the provider at the relying party's own host names to browsers.
	RelatedOrigins []string `json:"related_origins,omitempty"`
	// Operator and Bank prove phone numbers and bank accounts.
	Operator Service `json:"operator"`
	Bank     Service `json:"bank"`
	// ClientIPHeader is the header in which a proxy in front says who asks, such as X-Forwarded-For, of which the last entry counts. Empty:
	// nobody is in front.
	ClientIPHeader string `json:"client_ip_header,omitempty"`
	// LedgerPage is the address of a node's pages, at which people look at the receipts of their consents; empty: no links.
	LedgerPage string `json:"ledger_page,omitempty"`
	// Services are those that people may sign in at, besides those that organisations set on the ledger.
	Services []Party `json:"services"`
}

// Party is a service that people sign in at: a relying party of OpenID Connect.
type Party struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// SecretSHA256 is the SHA-256 of the client secret, 64 hex digits; empty for an app that can keep no secret.
	SecretSHA256           string   `json:"secret_sha256,omitempty"`
	RedirectURIs           []string `json:"redirect_uris"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	BackchannelLogoutURI   string   `json:"backchannel_logout_uri,omitempty"`
	// SecretInForm: it sends its secret in the form (client_secret_post) rather than by HTTP Basic.
	SecretInForm bool `json:"secret_in_form,omitempty"`
	// MayAsk are the items that it may ask people for: see Items.
	MayAsk []string `json:"may_ask,omitempty"`
	// Subject is public (the default: the person's account) or pairwise (a number that only this service has).
	Subject string `json:"subject,omitempty"`
	// OnLedger: an organisation of this name set it on the ledger, with the keys (P-256, SEC 1 compressed) by which it shows who it is.
	OnLedger     bool     `json:"-"`
	Organisation string   `json:"-"`
	Keys         [][]byte `json:"-"`
}

// maxSettings bounds a file of settings, in bytes; maxParties the services in it.
const (
	maxSettings = 1 << 20
	maxParties  = 1000
)

// ReadSettings reads and checks a file of settings.
func ReadSettings(raw []byte) (*Settings, error) {
	if len(raw) > maxSettings {
		return nil, errors.New("the settings are larger than 1 MiB")
	}
	s := &Settings{}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("the settings are no JSON of the right form: %w", err)
	}
	return s, s.check()
}

func (s *Settings) check() error {
	if s.Name == "" || len(s.Name) > 100 {
		return errors.New("name: want the member's name, at most 100 bytes")
	}
	if err := checkAddress("issuer", s.Issuer, false); err != nil {
		return err
	}
	if u, err := url.Parse(s.Issuer); err != nil || u.Path != "" || u.RawQuery != "" {
		return errors.New("issuer: want a scheme and a host, such as https://id.bank.example, without a path")
	}
	for name, service := range map[string]Service{"operator": s.Operator, "bank": s.Bank} {
		if err := checkAddress(name+".url", service.URL, false); err != nil {
			return err
		}
	}
	if s.LedgerPage != "" {
		if err := checkAddress("ledger_page", s.LedgerPage, false); err != nil {
			return err
		}
	}
	if len(s.Services) > maxParties {
		return fmt.Errorf("services: there may be at most %d", maxParties)
	}
	seen := map[string]bool{}
	for _, p := range s.Services {
		if err := p.Check(); err != nil {
			return fmt.Errorf("services: %q: %w", p.ID, err)
		}
		if seen[p.ID] {
			return fmt.Errorf("services: %q is there twice", p.ID)
		}
		seen[p.ID] = true
	}
	return nil
}

var partyID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// Check says what is wrong with a service's entry.
func (p Party) Check() error {
	if _, account := parseAccount(p.ID); account {
		return errors.New("an account's address is the client id of a service on the ledger: dure org service set")
	}
	if !partyID.MatchString(p.ID) || p.Name == "" || len(p.Name) > 100 {
		return errors.New("want an id of 1 to 100 letters, digits, dots, dashes and underscores, and a name of at most 100 bytes")
	}
	if sum, err := hex.DecodeString(p.SecretSHA256); err != nil || len(sum) != 0 && len(sum) != 32 {
		return errors.New("secret_sha256: want 64 hex digits, or nothing")
	}
	if len(p.RedirectURIs) == 0 {
		return errors.New("redirect_uris: want at least one")
	}
	for _, u := range slices.Concat(p.RedirectURIs, p.PostLogoutRedirectURIs) {
		if err := checkAddress("redirect uri", u, p.SecretSHA256 == ""); err != nil {
			return err
		}
	}
	if p.BackchannelLogoutURI != "" {
		if err := checkAddress("backchannel_logout_uri", p.BackchannelLogoutURI, false); err != nil {
			return err
		}
	}
	for _, item := range p.MayAsk {
		if !slices.Contains(Items, item) {
			return fmt.Errorf("may_ask: there is no item %q; the items are %s", item, strings.Join(Items, ", "))
		}
	}
	switch p.Subject {
	case "", "public":
	case "pairwise":
		if slices.Contains(p.MayAsk, ItemAccount) {
			return errors.New("subject: pairwise hides the person's account, which may_ask lets it ask for")
		}
	default:
		return fmt.Errorf("subject: want public or pairwise, not %q", p.Subject)
	}
	return nil
}

// checkAddress takes https anywhere and http on this machine, without fragment, user or wildcard. An app that can keep no secret may have
// a scheme of its own (RFC 8252, section 7.1), which has a dot.
func checkAddress(what, text string, app bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Fragment != "" || u.User != nil || strings.ContainsAny(text, "*# \\") || len(text) > 500 {
		return fmt.Errorf("%s: %q is no address, or has a fragment, a user or a wildcard", what, text)
	}
	switch {
	case u.Scheme == "https" && u.Host != "":
		return nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case app && strings.Contains(u.Scheme, "."):
		return nil
	}
	return fmt.Errorf("%s: %q is not https; plain http is for this machine alone", what, text)
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// origin is the scheme and host of an address, as policies of pages have it; with a scheme of an app the scheme alone.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if u.Host == "" {
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}
