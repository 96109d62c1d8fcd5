package api

import (
	"context"
	"encoding/hex"

	"github.com/dureledger/dure/api/web"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// identityRows is how many rights, facts, status lists and consents a page shows of each.
const identityRows = 50

// identityView is who an account is, what it may issue, and what is attested of it. What the index cannot tell now is left out.
func (s *Server) identityView(ctx context.Context, st state.Reader, a tx.Address) web.Identity {
	v := web.Identity{Organisation: s.organisationView(st, a)}
	now, first := s.now(), index.Page{Size: identityRows}
	if stored, err := index.ReadService(st, a, now); err == nil {
		service := stored.GetService()
		v.Service = &web.Service{NameKo: service.GetNameKo(), NameEn: service.GetNameEn(), Redirects: service.GetRedirectUris(), Items: service.GetMayAsk(),
			SetAt: stored.GetSetAt(), Transaction: hex.EncodeToString(stored.GetTx())}
	}
	if s.index != nil {
		rights, _, _ := s.index.RightsOf(ctx, a, first)
		for _, id := range rights {
			if right, ok := index.ReadRight(st, id); ok {
				schema, _ := index.ReadSchema(st, id.Schema)
				giver, _ := tx.ToAddress(right.GetGiver())
				v.Rights = append(v.Rights, web.Right{
					Schema: id.Schema, TitleKo: schema.GetTitleKo(), TitleEn: schema.GetTitleEn(), Giver: address(right.GetGiver()), GiverName: s.organisationName(st, giver),
					Why: reasonOf(index.RightHolds(st, id, now)), SinceAt: right.GetSinceAt(), EndsAt: right.GetEndsAt(), Depth: right.GetDepth(),
				})
			}
		}
	}
	facts, _, _ := index.ReadFacts(st, a, "", first)
	for _, id := range facts {
		fact, _ := index.ReadFact(st, id)
		schema, _ := index.ReadSchema(st, id.Schema)
		v.Facts = append(v.Facts, web.Fact{
			Schema: id.Schema, TitleKo: schema.GetTitleKo(), TitleEn: schema.GetTitleEn(), Value: id.Value, Issuer: id.Issuer.String(), IssuerName: s.organisationName(st, id.Issuer),
			Why: reasonOf(index.FactHolds(st, id, fact, now)), SinceAt: fact.GetSinceAt(), EndsAt: fact.GetEndsAt(), Transaction: hex.EncodeToString(fact.GetTx()),
		})
	}
	lists, _, _ := index.ReadStatusLists(st, a, first)
	for _, n := range lists {
		head, _ := index.ReadListHead(st, a, n)
		v.StatusLists = append(v.StatusLists, web.StatusList{List: n, Size: head.GetSize(), Bits: head.GetBits(), OpenedAt: head.GetOpenedAt(), ChangedAt: head.GetChangedAt()})
	}
	consents, _, _ := index.ReadConsents(st, a, first)
	for _, id := range consents {
		consent, _ := index.ReadConsent(st, id)
		v.Consents = append(v.Consents, web.Consent{
			Recipient: id.Recipient.String(), RecipientName: s.organisationName(st, id.Recipient), Digest: hex.EncodeToString(id.Digest[:]), State: index.ConsentState(consent, s.now()),
			GivenAt: consent.GetGivenAt(), EndsAt: consent.GetEndsAt(), WithdrawnAt: consent.GetWithdrawnAt(), Transaction: hex.EncodeToString(consent.GetTx()),
		})
	}
	return v
}

// organisationView is nil for an account that is no organisation and never was.
func (s *Server) organisationView(st state.Reader, a tx.Address) *web.Organisation {
	o, ok := index.ReadOrganisation(st, a)
	if !ok {
		return nil
	}
	admitter, _ := tx.ToAddress(o.GetAdmittedBy())
	return &web.Organisation{
		Name: o.GetName(), Kind: enumName(o.GetKind()), Contact: o.GetContact(), AdmittedBy: address(o.GetAdmittedBy()), AdmittedByName: s.organisationName(st, admitter),
		SinceAt: o.GetSinceAt(), DismissedAt: o.GetDismissedAt(),
	}
}

// organisationName is empty for an account that is no organisation.
func (s *Server) organisationName(st state.Reader, a tx.Address) string {
	o, _ := index.ReadOrganisation(st, a)
	return o.GetName()
}
