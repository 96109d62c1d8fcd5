package identity

import (
	"fmt"
	"strings"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// setService sets the service of the actor at which people sign in, in place of an earlier one.
func (m *Module) setService(c *exec.Context, call *identityv1.SetService) error {
	if err := m.mustBeOrganisation(c.View, c.Actor); err != nil {
		return err
	}
	if err := checkService(call.GetService()); err != nil {
		return err
	}
	services.Set(c.View, c.Actor, &identityv1.StoredService{Service: call.GetService(), SetAt: c.Time, Tx: c.Tx[:]})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityServiceSet{IdentityServiceSet: &identityv1.ServiceSet{Account: c.Actor[:]}}})
	return nil
}

// removeService takes a service away, by its organisation or by the member that admitted it, if still a member.
func (m *Module) removeService(c *exec.Context, call *identityv1.RemoveService) error {
	a, err := toAddress("account", call.GetAccount())
	if err != nil {
		return err
	}
	if err := checkReason(call.GetReason()); err != nil {
		return err
	}
	if !services.Has(c.View, a) {
		return unknownService(a)
	}
	o, _ := organisations.Get(c.View, a)
	admitter := string(o.GetAdmittedBy()) == string(c.Actor[:]) && m.members.IsMember(c.View, c.Actor)
	if !admitter && a != c.Actor {
		return fault.New("identity.not_entitled", "Only "+a.String()+" itself, or the member that admitted it, takes its service away; the members may dismiss it by vote.",
			"account", a, "actor", c.Actor)
	}
	services.Delete(c.View, a)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityServiceRemoved{
		IdentityServiceRemoved: &identityv1.ServiceRemoved{Account: a[:], RemovedBy: c.Actor[:], Reason: call.GetReason()},
	}})
	return nil
}

func unknownService(a tx.Address) error {
	return fault.New("identity.unknown_service", a.String()+" has no service at which people sign in: it set none, it was taken away, or the organisation was dismissed or is frozen.", "account", a)
}

func checkService(s *identityv1.Service) error {
	if err := text.Check("identity.bad_text", "Korean name of a service", s.GetNameKo(), 1, MaxName); err != nil {
		return err
	}
	if err := text.Check("identity.bad_text", "English name of a service", s.GetNameEn(), 1, MaxName); err != nil {
		return err
	}
	if n := len(s.GetRedirectUris()); n == 0 || n > MaxURIs || len(s.GetPostLogoutRedirectUris()) > MaxURIs {
		return badService(fmt.Sprintf("A service has 1 to %d addresses at which people come back, and at most %d for after signing out.", MaxURIs, MaxURIs))
	}
	for _, list := range [][]string{s.GetRedirectUris(), s.GetPostLogoutRedirectUris()} {
		for _, uri := range list {
			if !isWeb(uri) {
				return badURI()
			}
		}
	}
	if s.GetBackchannelLogoutUri() != "" && !isWeb(s.GetBackchannelLogoutUri()) {
		return badURI()
	}
	if err := checkServiceKeys(s.GetKeys()); err != nil {
		return err
	}
	return checkItems(s.GetMayAsk())
}

func checkServiceKeys(keys [][]byte) error {
	if len(keys) > MaxServiceKeys {
		return badService(fmt.Sprintf("A service has at most %d keys: one, and the next.", MaxServiceKeys))
	}
	for _, key := range keys {
		if tx.CheckKey(tx.Key{Kind: accountv1.KeyKind_KEY_KIND_P256, Public: key}) != nil {
			return badService("A key of a service is a point of P-256 in 33 bytes, SEC 1 compressed.")
		}
	}
	return nil
}

func checkItems(items []string) error {
	if len(items) > MaxItems {
		return badService(fmt.Sprintf("A service may ask people for at most %d items.", MaxItems))
	}
	for i, item := range items {
		if !isName(item, MaxItem, "_") || hasLongNumber(item) {
			return badService(fmt.Sprintf("An item is 1 to %d of a-z, 0-9 and '_', a letter first and no five digits in a row.", MaxItem))
		}
		for _, other := range items[:i] {
			if other == item {
				return badService("The item " + item + " is there twice.")
			}
		}
	}
	return nil
}

func badService(what string) error { return fault.New("identity.bad_service", what) }

// badURI repeats nothing of the address: it may have been mistaken for another field.
func badURI() error {
	return badService(fmt.Sprintf("An address of a service is https, or http at localhost or 127.0.0.1, at most %d bytes, without user, query and fragment.", MaxContact))
}

// isWeb says whether s is an address that browsers go to, and nothing of a person is likely to be in: exactly as it is compared later, so in lower case up
// to the path and without escapes that browsers might write in another way.
func isWeb(s string) bool {
	scheme, rest, ok := strings.Cut(s, "://")
	authority, path, _ := strings.Cut(rest, "/")
	host, port, colon := strings.Cut(authority, ":")
	switch {
	case !ok || len(s) > MaxContact || host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "":
		return false
	case colon && (port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != ""):
		return false
	case strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~") != "", strings.Contains("/"+path+"/", "/../"), strings.Contains("/"+path+"/", "/./"):
		return false
	}
	return scheme == "https" || scheme == "http" && (host == "localhost" || host == "127.0.0.1")
}

// ServiceAt returns the service of an organisation at a time in unix milliseconds, if it has one, has been an organisation since it set it, and is not frozen.
// Code identity.unknown_service.
func (m *Module) ServiceAt(g state.Getter, a tx.Address, now int64) (*identityv1.StoredService, error) {
	s, ok := services.Get(g, a)
	if !ok || !m.IsOrganisation(g, a) || m.accounts.IsFrozen(g, a, now) {
		return nil, unknownService(a)
	}
	// Who was dismissed and is admitted again sets it anew, as rights do not come back either.
	if o, ok := organisations.Get(g, a); ok && !m.members.IsMember(g, a) && s.GetSetAt() < o.GetSinceAt() {
		return nil, unknownService(a)
	}
	return s, nil
}

// AscendServices calls fn for the account of each service that is stored after one, also of those that are no organisations any more, in order, until fn
// returns false.
func AscendServices(r state.Reader, after tx.Address, fn func(tx.Address) bool) {
	services.AscendAfter(r, nil, after, func(a tx.Address, _ *identityv1.StoredService) bool { return fn(a) })
}
