package api

import (
	"context"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// either lets pass what names the account itself in one of two places, such as who said something and of whom.
func (a *asker) either(one, oneText, other, otherText string) error {
	if oneText == "" && otherText == "" {
		return notYours(a, "what concerns any "+one)
	}
	if oneText != "" && a.self(one, oneText) == nil {
		return nil
	}
	if otherText != "" {
		return a.self(other, otherText)
	}
	return a.self(one, oneText)
}

func ownEvents(_ context.Context, a *asker, m *apiv1.ListAccountEventsRequest) error {
	return a.self("address", m.GetAddress())
}

func ownProposals(_ context.Context, a *asker, m *apiv1.ListAccountProposalsRequest) error {
	return a.self("address", m.GetAddress())
}

func ownAttributes(_ context.Context, a *asker, m *apiv1.ListAttributesRequest) error {
	return a.either("account", m.GetAccount(), "issuer", m.GetIssuer())
}

func ownAttribute(_ context.Context, a *asker, m *apiv1.HasAttributeRequest) error {
	return a.self("account", m.GetAccount())
}

func ownConsent(_ context.Context, a *asker, m *apiv1.GetConsentRequest) error {
	return a.either("person", m.GetPerson(), "recipient", m.GetRecipient())
}

func ownConsents(_ context.Context, a *asker, m *apiv1.ListConsentsRequest) error {
	return a.either("person", m.GetPerson(), "recipient", m.GetRecipient())
}
