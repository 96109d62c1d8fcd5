package client

import (
	"context"
	"encoding/hex"
	"iter"
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// AdmitOrganisation makes an account an organisation that the member licenses. The account's key or its sponsor's signs too. Contact is an https address, or empty.
func (d *Draft) AdmitOrganisation(member, account tx.Address, name string, kind identityv1.Kind, contact string) *Draft {
	return d.Append(&txv1.Action{Actor: member[:], Call: &txv1.Action_IdentityAdmit{
		IdentityAdmit: &identityv1.Admit{Account: account[:], Name: name, Kind: kind, Contact: contact}}})
}

// DismissOrganisation ends that an account is an organisation, by the member that admitted it or by itself.
func (d *Draft) DismissOrganisation(actor, account tx.Address, why identityv1.Reason) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_IdentityDismiss{
		IdentityDismiss: &identityv1.Dismiss{Account: account[:], Reason: why}}})
}

// DescribeOrganisation replaces an organisation's contact.
func (d *Draft) DescribeOrganisation(organisation tx.Address, contact string) *Draft {
	return d.Append(&txv1.Action{Actor: organisation[:], Call: &txv1.Action_IdentityDescribe{IdentityDescribe: &identityv1.Describe{Contact: contact}}})
}

// RegisterSchema registers a schema of credentials. Everything in it is public and never changes.
func (d *Draft) RegisterSchema(organisation tx.Address, schema *identityv1.RegisterSchema) *Draft {
	return d.Append(&txv1.Action{Actor: organisation[:], Call: &txv1.Action_IdentityRegisterSchema{IdentityRegisterSchema: schema}})
}

// Decide proposes what members decide by vote about organisations and rights to issue, and votes for it.
func (d *Draft) Decide(member tx.Address, decision *identityv1.Decision) *Draft {
	return d.Propose(member, &networkv1.Change{Kind: &networkv1.Change_Identity{Identity: decision}})
}

// DelegateRight passes the actor's right to issue a schema on, until a time that is not after its own ends, to be passed on so many further times.
func (d *Draft) DelegateRight(actor tx.Address, schema string, holder tx.Address, ends time.Time, depth uint32) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_IdentityDelegate{
		IdentityDelegate: &identityv1.Delegate{Schema: schema, Holder: holder[:], EndsAt: ends.UnixMilli(), Depth: depth}}})
}

// RevokeRight takes a right back that the actor gave, or gives up its own. What rests on it ends with it.
func (d *Draft) RevokeRight(actor tx.Address, schema string, holder tx.Address, why identityv1.Reason) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_IdentityRevoke{
		IdentityRevoke: &identityv1.Revoke{Schema: schema, Holder: holder[:], Reason: why}}})
}

// Attest puts a fact about an account on the ledger: a value of the schema's choices, or none.
func (d *Draft) Attest(issuer, account tx.Address, schema, value string, ends time.Time) *Draft {
	return d.Append(&txv1.Action{Actor: issuer[:], Call: &txv1.Action_IdentityAttest{
		IdentityAttest: &identityv1.Attest{Account: account[:], Schema: schema, Value: value, EndsAt: ends.UnixMilli()}}})
}

// WithdrawAttribute ends a fact that the issuer attested.
func (d *Draft) WithdrawAttribute(issuer, account tx.Address, schema, value string, why identityv1.Reason) *Draft {
	return d.Append(&txv1.Action{Actor: issuer[:], Call: &txv1.Action_IdentityWithdraw{
		IdentityWithdraw: &identityv1.Withdraw{Account: account[:], Schema: schema, Value: value, Reason: why}}})
}

// GiveConsent says that a person agrees to what a document says, towards a recipient, until a time. Of the document only the digest is sent; put a
// random number of 16 bytes or more into it, so that nobody finds it by trying.
func (d *Draft) GiveConsent(person, recipient tx.Address, digest [32]byte, ends time.Time) *Draft {
	return d.Append(&txv1.Action{Actor: person[:], Call: &txv1.Action_IdentityGiveConsent{
		IdentityGiveConsent: &identityv1.GiveConsent{Recipient: recipient[:], Digest: digest[:], EndsAt: ends.UnixMilli()}}})
}

// WithdrawConsent ends a person's consent.
func (d *Draft) WithdrawConsent(person, recipient tx.Address, digest [32]byte) *Draft {
	return d.Append(&txv1.Action{Actor: person[:], Call: &txv1.Action_IdentityWithdrawConsent{
		IdentityWithdrawConsent: &identityv1.WithdrawConsent{Recipient: recipient[:], Digest: digest[:]}}})
}

// Organisation returns an organisation, also one that was dismissed. Code identity.unknown.
func (c *Client) Organisation(ctx context.Context, account tx.Address) (*apiv1.Organisation, error) {
	res, err := read(ctx, c, &apiv1.GetOrganisationRequest{Account: account.String()},
		func(n *node) method[apiv1.GetOrganisationRequest, apiv1.GetOrganisationResponse] {
			return n.identity.GetOrganisation
		})
	return res.GetOrganisation(), err
}

// Organisations lists members and those admitted, also those dismissed, in order of address.
func (c *Client) Organisations(ctx context.Context) iter.Seq2[*apiv1.Organisation, error] {
	return pages(func(token string) ([]*apiv1.Organisation, string, error) {
		res, err := read(ctx, c, &apiv1.ListOrganisationsRequest{PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListOrganisationsRequest, apiv1.ListOrganisationsResponse] {
				return n.identity.ListOrganisations
			})
		return res.GetOrganisations(), res.GetNextPageToken(), err
	})
}

// Schema returns a schema. Code identity.unknown_schema.
func (c *Client) Schema(ctx context.Context, schema string) (*apiv1.Schema, error) {
	res, err := read(ctx, c, &apiv1.GetSchemaRequest{Schema: schema},
		func(n *node) method[apiv1.GetSchemaRequest, apiv1.GetSchemaResponse] { return n.identity.GetSchema })
	return res.GetSchema(), err
}

// Schemas lists schemas in alphabetical order.
func (c *Client) Schemas(ctx context.Context) iter.Seq2[*apiv1.Schema, error] {
	return pages(func(token string) ([]*apiv1.Schema, string, error) {
		res, err := read(ctx, c, &apiv1.ListSchemasRequest{PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListSchemasRequest, apiv1.ListSchemasResponse] {
				return n.identity.ListSchemas
			})
		return res.GetSchemas(), res.GetNextPageToken(), err
	})
}

// RightsTo lists who may issue a schema, or could. Code identity.unknown_schema.
func (c *Client) RightsTo(ctx context.Context, schema string) iter.Seq2[*apiv1.Right, error] {
	return c.rights(ctx, &apiv1.ListRightsRequest{Schema: schema})
}

// RightsOf lists what an organisation may issue, or could.
func (c *Client) RightsOf(ctx context.Context, holder tx.Address) iter.Seq2[*apiv1.Right, error] {
	return c.rights(ctx, &apiv1.ListRightsRequest{Holder: holder.String()})
}

func (c *Client) rights(ctx context.Context, req *apiv1.ListRightsRequest) iter.Seq2[*apiv1.Right, error] {
	return pages(func(token string) ([]*apiv1.Right, string, error) {
		req.PageSize, req.PageToken = pageSize, token
		res, err := read(ctx, c, req, func(n *node) method[apiv1.ListRightsRequest, apiv1.ListRightsResponse] { return n.identity.ListRights })
		return res.GetRights(), res.GetNextPageToken(), err
	})
}

// MayIssue says whether an issuer has the right to issue a schema now.
func (c *Client) MayIssue(ctx context.Context, issuer tx.Address, schema string) (bool, error) {
	for right, err := range c.RightsTo(ctx, schema) {
		if err != nil {
			return false, err
		}
		if right.GetHolder() == issuer.String() {
			return right.GetEffective(), nil
		}
	}
	return false, nil
}

// Attributes lists the facts about an account, of one schema unless that is empty, also those that have ended.
func (c *Client) Attributes(ctx context.Context, account tx.Address, schema string) iter.Seq2[*apiv1.Attribute, error] {
	return c.attributes(ctx, &apiv1.ListAttributesRequest{Account: account.String(), Schema: schema})
}

// AttributesBy lists the facts that an issuer attests or attested.
func (c *Client) AttributesBy(ctx context.Context, issuer tx.Address) iter.Seq2[*apiv1.Attribute, error] {
	return c.attributes(ctx, &apiv1.ListAttributesRequest{Issuer: issuer.String()})
}

func (c *Client) attributes(ctx context.Context, req *apiv1.ListAttributesRequest) iter.Seq2[*apiv1.Attribute, error] {
	return pages(func(token string) ([]*apiv1.Attribute, string, error) {
		req.PageSize, req.PageToken = pageSize, token
		res, err := read(ctx, c, req, func(n *node) method[apiv1.ListAttributesRequest, apiv1.ListAttributesResponse] {
			return n.identity.ListAttributes
		})
		return res.GetAttributes(), res.GetNextPageToken(), err
	})
}

// HasAttribute asks whether a fact is attested of an account at a time; the zero time is now, an empty value stands for any. Code identity.unknown_schema.
func (c *Client) HasAttribute(ctx context.Context, account tx.Address, schema, value string, at time.Time) (*apiv1.HasAttributeResponse, error) {
	req := &apiv1.HasAttributeRequest{Account: account.String(), Schema: schema, Value: value}
	if !at.IsZero() {
		req.At = at.UTC().Format(time.RFC3339Nano)
	}
	return read(ctx, c, req, func(n *node) method[apiv1.HasAttributeRequest, apiv1.HasAttributeResponse] {
		return n.identity.HasAttribute
	})
}

// Consent returns what a person agreed to towards a recipient. Code identity.no_consent if they never did.
func (c *Client) Consent(ctx context.Context, person, recipient tx.Address, digest [32]byte) (*apiv1.Consent, error) {
	res, err := read(ctx, c, &apiv1.GetConsentRequest{Person: person.String(), Recipient: recipient.String(), Digest: hex.EncodeToString(digest[:])},
		func(n *node) method[apiv1.GetConsentRequest, apiv1.GetConsentResponse] { return n.identity.GetConsent })
	return res.GetConsent(), err
}

// ConsentsOf lists what a person agreed to, also what has ended.
func (c *Client) ConsentsOf(ctx context.Context, person tx.Address) iter.Seq2[*apiv1.Consent, error] {
	return c.consents(ctx, &apiv1.ListConsentsRequest{Person: person.String()})
}

// ConsentsTo lists what was agreed towards a recipient, also what has ended.
func (c *Client) ConsentsTo(ctx context.Context, recipient tx.Address) iter.Seq2[*apiv1.Consent, error] {
	return c.consents(ctx, &apiv1.ListConsentsRequest{Recipient: recipient.String()})
}

func (c *Client) consents(ctx context.Context, req *apiv1.ListConsentsRequest) iter.Seq2[*apiv1.Consent, error] {
	return pages(func(token string) ([]*apiv1.Consent, string, error) {
		req.PageSize, req.PageToken = pageSize, token
		res, err := read(ctx, c, req, func(n *node) method[apiv1.ListConsentsRequest, apiv1.ListConsentsResponse] {
			return n.identity.ListConsents
		})
		return res.GetConsents(), res.GetNextPageToken(), err
	})
}
