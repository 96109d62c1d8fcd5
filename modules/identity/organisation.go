package identity

import (
	"strings"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// admit makes an account an organisation that the acting member licenses.
func (m *Module) admit(c *exec.Context, call *identityv1.Admit) error {
	if !m.members.IsMember(c.View, c.Actor) {
		return fault.New("identity.not_member", c.Actor.String()+" is not a member of the network; a member admits organisations, or the members by vote.", "account", c.Actor)
	}
	a, err := m.admissible(c, call)
	if err != nil {
		return err
	}
	if !m.accounts.AgreesOrSponsor(c, a) { // lest anybody's account be made public as an organisation
		return fault.New("identity.not_agreed", "Neither the key of "+a.String()+" nor that of its sponsor has signed that it is an organisation. Sign the transaction with one of them too.", "account", a)
	}
	m.putOrganisation(c, a, call, c.Actor[:])
	return nil
}

// admissible checks what is said of an organisation to be admitted.
func (m *Module) admissible(c *exec.Context, call *identityv1.Admit) (tx.Address, error) {
	a, err := m.account(c.View, "account", call.GetAccount())
	if err != nil {
		return a, err
	}
	if err := checkOrganisation(call.GetName(), call.GetKind(), call.GetContact()); err != nil {
		return a, err
	}
	if m.IsOrganisation(c.View, a) {
		return a, fault.New("identity.exists", a.String()+" is an organisation already.", "account", a)
	}
	return a, nil
}

func (m *Module) putOrganisation(c *exec.Context, a tx.Address, call *identityv1.Admit, by []byte) {
	organisations.Set(c.View, a, &identityv1.Organisation{
		Name: call.GetName(), Kind: call.GetKind(), Contact: call.GetContact(), AdmittedBy: by, SinceAt: c.Time,
	})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityAdmitted{
		IdentityAdmitted: &identityv1.Admitted{Account: a[:], AdmittedBy: by, Kind: call.GetKind()},
	}})
}

func checkOrganisation(name string, kind identityv1.Kind, contact string) error {
	if err := text.Check("identity.bad_text", "name", name, 1, MaxName); err != nil {
		return err
	}
	if _, known := identityv1.Kind_name[int32(kind)]; !known || kind <= identityv1.Kind_KIND_MEMBER {
		return fault.New("identity.bad_kind", "Say what it is: a licensed firm, a public body, an association, a school, a medical institution or a shop. A member is one by being a member.",
			"kind", int32(kind))
	}
	return checkContact(contact)
}

// checkContact lets nothing be a contact but a page: no address of a person, no telephone number, nothing that is asked of the page.
func checkContact(contact string) error {
	if contact == "" {
		return nil
	}
	rest, ok := strings.CutPrefix(contact, "https://")
	host, path, _ := strings.Cut(rest, "/")
	if !ok || len(contact) > MaxContact || host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:") != "" ||
		strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-~%") != "" {
		return fault.New("identity.bad_contact", "The contact is a page such as https://bank.example/contact, at most 200 bytes, without user, query and fragment.", "contact", contact)
	}
	return nil
}

// dismiss ends that an account is an organisation, by who admitted it, if still a member, or by itself.
func (m *Module) dismiss(c *exec.Context, call *identityv1.Dismiss) error {
	a, o, err := m.admitted(c, call)
	if err != nil {
		return err
	}
	admitter := string(o.GetAdmittedBy()) == string(c.Actor[:]) && m.members.IsMember(c.View, c.Actor)
	if !admitter && a != c.Actor {
		return fault.New("identity.not_entitled", "Only the member that admitted "+a.String()+", or itself, may end that it is an organisation; the members may by vote.",
			"account", a, "actor", c.Actor)
	}
	m.endOrganisation(c, a, o, call.GetReason(), c.Actor[:])
	return nil
}

// admitted returns an organisation that was admitted and is one still.
func (m *Module) admitted(c *exec.Context, call *identityv1.Dismiss) (tx.Address, *identityv1.Organisation, error) {
	a, err := toAddress("account", call.GetAccount())
	if err != nil {
		return a, nil, err
	}
	if err := checkReason(call.GetReason()); err != nil {
		return a, nil, err
	}
	o, ok := organisations.Get(c.View, a)
	if !ok || o.GetSinceAt() == 0 || o.GetDismissedAt() != 0 {
		return a, nil, fault.New("identity.not_admitted", a.String()+" is not an organisation that was admitted.", "account", a)
	}
	if m.members.IsMember(c.View, a) {
		return a, nil, fault.New("identity.is_member", a.String()+" is a member of the network, and an organisation by that.", "account", a)
	}
	return a, o, nil
}

func (m *Module) endOrganisation(c *exec.Context, a tx.Address, o *identityv1.Organisation, why identityv1.Reason, by []byte) {
	o.DismissedAt, o.DismissReason = c.Time, why
	organisations.Set(c.View, a, o)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityDismissed{
		IdentityDismissed: &identityv1.Dismissed{Account: a[:], DismissedBy: by, Reason: why},
	}})
}

// describe replaces the contact of an organisation. Of a member this is all that is stored here.
func (m *Module) describe(c *exec.Context, call *identityv1.Describe) error {
	if err := m.mustBeOrganisation(c.View, c.Actor); err != nil {
		return err
	}
	if err := checkContact(call.GetContact()); err != nil {
		return err
	}
	o, ok := organisations.Get(c.View, c.Actor)
	if !ok {
		o = &identityv1.Organisation{}
	}
	o.Contact = call.GetContact()
	organisations.Set(c.View, c.Actor, o)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentityDescribed{IdentityDescribed: &identityv1.Described{Account: c.Actor[:]}}})
	return nil
}

// IsOrganisation says whether an account is an organisation now: a member, or admitted and not dismissed.
func (m *Module) IsOrganisation(g state.Getter, a tx.Address) bool {
	if m.members.IsMember(g, a) {
		return true
	}
	o, ok := organisations.Get(g, a)
	return ok && o.GetSinceAt() != 0 && o.GetDismissedAt() == 0
}

func (m *Module) mustBeOrganisation(g state.Getter, a tx.Address) error {
	if !m.IsOrganisation(g, a) {
		return fault.New("identity.not_organisation", a.String()+" is not an organisation of this network. Ask a member to admit it.", "account", a)
	}
	return nil
}
