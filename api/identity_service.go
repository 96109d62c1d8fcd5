package api

import (
	"context"
	"encoding/hex"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// identityService is dure.api.v1.IdentityService. Lists by holder, issuer and recipient need the index; everything else is the state's.
type identityService struct{ *Server }

func (s *identityService) GetOrganisation(_ context.Context, r *connect.Request[apiv1.GetOrganisationRequest]) (*connect.Response[apiv1.GetOrganisationResponse], error) {
	a, err := parseAddress("account", r.Msg.GetAccount())
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	o, ok := index.ReadOrganisation(st, a)
	if !ok {
		return nil, fault.New("identity.unknown", a.String()+" is not an organisation of this network.", "account", a)
	}
	return connect.NewResponse(&apiv1.GetOrganisationResponse{Organisation: organisationOf(a, o)}), nil
}

func (s *identityService) ListOrganisations(_ context.Context, r *connect.Request[apiv1.ListOrganisationsRequest]) (*connect.Response[apiv1.ListOrganisationsResponse], error) {
	st, _ := s.ledger.State()
	list, next, err := index.ReadOrganisations(st, page(r.Msg))
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListOrganisationsResponse{NextPageToken: next}
	for _, a := range list {
		if o, ok := index.ReadOrganisation(st, a); ok {
			out.Organisations = append(out.Organisations, organisationOf(a, o))
		}
	}
	return connect.NewResponse(out), nil
}

func organisationOf(a tx.Address, o *identityv1.Organisation) *apiv1.Organisation {
	return &apiv1.Organisation{
		Account: a.String(), Name: o.GetName(), Kind: enumName(o.GetKind()), Contact: o.GetContact(), AdmittedBy: address(o.GetAdmittedBy()),
		Since: timestamp(o.GetSinceAt()), DismissedAt: timestamp(o.GetDismissedAt()), DismissReason: knownName(o.GetDismissReason()),
	}
}

func (s *identityService) GetSchema(_ context.Context, r *connect.Request[apiv1.GetSchemaRequest]) (*connect.Response[apiv1.GetSchemaResponse], error) {
	st, _ := s.ledger.State()
	schema, err := findSchema(st, r.Msg.GetSchema())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetSchemaResponse{Schema: schemaOf(r.Msg.GetSchema(), schema)}), nil
}

func (s *identityService) ListSchemas(_ context.Context, r *connect.Request[apiv1.ListSchemasRequest]) (*connect.Response[apiv1.ListSchemasResponse], error) {
	st, _ := s.ledger.State()
	list, next, err := index.ReadSchemas(st, page(r.Msg))
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListSchemasResponse{NextPageToken: next}
	for _, name := range list {
		schema, _ := index.ReadSchema(st, name)
		out.Schemas = append(out.Schemas, schemaOf(name, schema))
	}
	return connect.NewResponse(out), nil
}

func findSchema(st state.Reader, name string) (*identityv1.Schema, error) {
	if err := bounded("schema", name); err != nil {
		return nil, err
	}
	schema, ok := index.ReadSchema(st, name)
	if !ok {
		return nil, fault.New("identity.unknown_schema", "There is no schema "+printable(name)+".", "schema", printable(name))
	}
	return schema, nil
}

func schemaOf(name string, schema *identityv1.Schema) *apiv1.Schema {
	out := &apiv1.Schema{
		Schema: name, TitleKo: schema.GetTitleKo(), TitleEn: schema.GetTitleEn(), Registrar: address(schema.GetRegistrar()),
		Digest: hex.EncodeToString(schema.GetDigest()), Fact: schema.GetFact(), RegisteredAt: timestamp(schema.GetRegisteredAt()),
	}
	for _, f := range schema.GetFields() {
		out.Fields = append(out.Fields, &apiv1.SchemaField{
			Name: f.GetName(), TitleKo: f.GetTitleKo(), TitleEn: f.GetTitleEn(), Kind: enumName(f.GetKind()), Fact: f.GetFact(), Choices: f.GetChoices(),
		})
	}
	return out
}

func (s *identityService) ListRights(ctx context.Context, r *connect.Request[apiv1.ListRightsRequest]) (*connect.Response[apiv1.ListRightsResponse], error) {
	holder, err := optionalAddress("holder", r.Msg.GetHolder())
	if err != nil {
		return nil, err
	}
	if (holder == nil) == (r.Msg.GetSchema() == "") {
		return nil, fault.New("request.malformed", "want one of schema and holder", "field", "schema")
	}
	st, _ := s.ledger.State()
	var list []index.RightID
	var next string
	if holder != nil {
		if s.index == nil {
			return nil, errNoIndex
		}
		list, next, err = s.index.RightsOf(ctx, *holder, page(r.Msg))
	} else {
		if _, err := findSchema(st, r.Msg.GetSchema()); err != nil {
			return nil, err
		}
		list, next, err = index.ReadRights(st, r.Msg.GetSchema(), page(r.Msg))
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.ListRightsResponse{Rights: s.rightsOf(st, list), NextPageToken: next}), nil
}

func (s *Server) rightsOf(st state.Reader, list []index.RightID) []*apiv1.Right {
	now := s.now()
	var out []*apiv1.Right
	for _, id := range list {
		right, ok := index.ReadRight(st, id)
		if !ok {
			continue // the index is a moment ahead of the state that was read
		}
		why := index.RightHolds(st, id, now)
		out = append(out, &apiv1.Right{
			Schema: id.Schema, Holder: id.Holder.String(), Giver: address(right.GetGiver()), Since: timestamp(right.GetSinceAt()), EndsAt: timestamp(right.GetEndsAt()),
			Depth: right.GetDepth(), RevokedAt: timestamp(right.GetRevokedAt()), Reason: knownName(right.GetReason()), Effective: why == nil, WhyNot: reasonOf(why),
			Transaction: hex.EncodeToString(right.GetTx()),
		})
	}
	return out
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.As(err).Message
}

func (s *identityService) ListAttributes(ctx context.Context, r *connect.Request[apiv1.ListAttributesRequest]) (*connect.Response[apiv1.ListAttributesResponse], error) {
	account, err := optionalAddress("account", r.Msg.GetAccount())
	if err != nil {
		return nil, err
	}
	issuer, err := optionalAddress("issuer", r.Msg.GetIssuer())
	if err != nil {
		return nil, err
	}
	if err := bounded("schema", r.Msg.GetSchema()); err != nil {
		return nil, err
	}
	if (account == nil) == (issuer == nil) || issuer != nil && r.Msg.GetSchema() != "" {
		return nil, fault.New("request.malformed", "want an account, alone or with a schema, or an issuer alone", "field", "account")
	}
	st, _ := s.ledger.State()
	var list []index.FactID
	var next string
	if issuer != nil {
		if s.index == nil {
			return nil, errNoIndex
		}
		list, next, err = s.index.FactsBy(ctx, *issuer, page(r.Msg))
	} else {
		list, next, err = index.ReadFacts(st, *account, r.Msg.GetSchema(), page(r.Msg))
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.ListAttributesResponse{Attributes: s.attributesOf(st, list), NextPageToken: next}), nil
}

func (s *Server) attributesOf(st state.Reader, list []index.FactID) []*apiv1.Attribute {
	now := s.now()
	var out []*apiv1.Attribute
	for _, id := range list {
		if a, ok := index.ReadFact(st, id); ok { // it gave way to others, or the index is a moment ahead
			out = append(out, attributeOf(st, id, a, now))
		}
	}
	return out
}

func attributeOf(st state.Reader, id index.FactID, a *identityv1.Attribute, now int64) *apiv1.Attribute {
	why := index.FactHolds(st, id, a, now)
	return &apiv1.Attribute{
		Account: id.Account.String(), Schema: id.Schema, Value: id.Value, Issuer: id.Issuer.String(), Since: timestamp(a.GetSinceAt()), EndsAt: timestamp(a.GetEndsAt()),
		WithdrawnAt: timestamp(a.GetWithdrawnAt()), Reason: knownName(a.GetReason()), Effective: why == nil, WhyNot: reasonOf(why), Transaction: hex.EncodeToString(a.GetTx()),
	}
}

func (s *identityService) HasAttribute(_ context.Context, r *connect.Request[apiv1.HasAttributeRequest]) (*connect.Response[apiv1.HasAttributeResponse], error) {
	account, err := parseAddress("account", r.Msg.GetAccount())
	if err != nil {
		return nil, err
	}
	at, err := parseTime("at", r.Msg.GetAt())
	if err != nil {
		return nil, err
	}
	if at == 0 {
		at = s.now()
	}
	if err := bounded("value", r.Msg.GetValue()); err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	if _, err := findSchema(st, r.Msg.GetSchema()); err != nil {
		return nil, err
	}
	out := &apiv1.HasAttributeResponse{At: timestamp(at)}
	if id, ok := index.FindFact(st, account, r.Msg.GetSchema(), r.Msg.GetValue(), at); ok {
		a, _ := index.ReadFact(st, id)
		out.Has, out.Attribute = true, attributeOf(st, id, a, at)
	}
	return connect.NewResponse(out), nil
}

func (s *identityService) GetStatusList(_ context.Context, r *connect.Request[apiv1.GetStatusListRequest]) (*connect.Response[apiv1.GetStatusListResponse], error) {
	issuer, err := parseAddress("issuer", r.Msg.GetIssuer())
	if err != nil {
		return nil, err
	}
	st, height := s.ledger.State()
	head, entries, ok := index.ReadStatusList(st, issuer, r.Msg.GetList())
	if !ok {
		return nil, unknownList(issuer, r.Msg.GetList())
	}
	lst, err := statuslist.List{Bits: head.GetBits(), Entries: entries}.Text()
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetStatusListResponse{
		StatusList: statusListOf(issuer, r.Msg.GetList(), head), Entries: entries, Lst: lst, Height: height, Time: s.blockTime(),
	}), nil
}

// blockTime is the time of the newest block.
func (s *Server) blockTime() string { return timestamp(s.ledger.Status().Time.UnixMilli()) }

func unknownList(issuer tx.Address, list uint32) error {
	return fault.New("identity.unknown_list", issuer.String()+" has no status list "+itoa(int(list))+".", "issuer", issuer, "list", list)
}

func statusListOf(issuer tx.Address, list uint32, head *identityv1.StatusList) *apiv1.StatusList {
	return &apiv1.StatusList{
		Issuer: issuer.String(), List: list, Bits: head.GetBits(), Size: head.GetSize(), OpenedAt: timestamp(head.GetOpenedAt()), ChangedAt: timestamp(head.GetChangedAt()), Version: head.GetVersion(),
	}
}

func (s *identityService) ListStatusLists(_ context.Context, r *connect.Request[apiv1.ListStatusListsRequest]) (*connect.Response[apiv1.ListStatusListsResponse], error) {
	issuer, err := parseAddress("issuer", r.Msg.GetIssuer())
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	list, next, err := index.ReadStatusLists(st, issuer, page(r.Msg))
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListStatusListsResponse{NextPageToken: next}
	for _, n := range list {
		head, _ := index.ReadListHead(st, issuer, n)
		out.StatusLists = append(out.StatusLists, statusListOf(issuer, n, head))
	}
	return connect.NewResponse(out), nil
}

func (s *identityService) GetCredentialStatus(_ context.Context, r *connect.Request[apiv1.GetCredentialStatusRequest]) (*connect.Response[apiv1.GetCredentialStatusResponse], error) {
	issuer, err := parseAddress("issuer", r.Msg.GetIssuer())
	if err != nil {
		return nil, err
	}
	st, height := s.ledger.State()
	head, ok := index.ReadListHead(st, issuer, r.Msg.GetList())
	if !ok {
		return nil, unknownList(issuer, r.Msg.GetList())
	}
	status, ok := index.ReadStatus(st, issuer, r.Msg.GetList(), r.Msg.GetIndex())
	if !ok {
		return nil, fault.New("identity.bad_index", "The list has the entries 0 to "+itoa(int(head.GetSize()-1))+".", "index", r.Msg.GetIndex(), "size", head.GetSize())
	}
	place, _ := statuslist.PlaceOf(issuer, r.Msg.GetList(), head.GetBits(), r.Msg.GetIndex())
	return connect.NewResponse(&apiv1.GetCredentialStatusResponse{Status: status, Height: height, Time: s.blockTime(), Key: place.Key()}), nil
}

func (s *identityService) GetConsent(_ context.Context, r *connect.Request[apiv1.GetConsentRequest]) (*connect.Response[apiv1.GetConsentResponse], error) {
	var id index.ConsentID
	var err error
	if id.Person, err = parseAddress("person", r.Msg.GetPerson()); err != nil {
		return nil, err
	}
	if id.Recipient, err = parseAddress("recipient", r.Msg.GetRecipient()); err != nil {
		return nil, err
	}
	if id.Digest, err = parseHash("digest", r.Msg.GetDigest()); err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	consent, ok := index.ReadConsent(st, id)
	if !ok {
		return nil, fault.New("identity.no_consent", id.Person.String()+" has not consented to this towards "+id.Recipient.String()+".", "person", id.Person, "recipient", id.Recipient)
	}
	return connect.NewResponse(&apiv1.GetConsentResponse{Consent: s.consentOf(id, consent)}), nil
}

func (s *identityService) ListConsents(ctx context.Context, r *connect.Request[apiv1.ListConsentsRequest]) (*connect.Response[apiv1.ListConsentsResponse], error) {
	person, err := optionalAddress("person", r.Msg.GetPerson())
	if err != nil {
		return nil, err
	}
	recipient, err := optionalAddress("recipient", r.Msg.GetRecipient())
	if err != nil {
		return nil, err
	}
	if (person == nil) == (recipient == nil) {
		return nil, fault.New("request.malformed", "want one of person and recipient", "field", "person")
	}
	st, _ := s.ledger.State()
	var list []index.ConsentID
	var next string
	if person != nil {
		list, next, err = index.ReadConsents(st, *person, page(r.Msg))
	} else {
		if s.index == nil {
			return nil, errNoIndex
		}
		list, next, err = s.index.ConsentsTo(ctx, *recipient, page(r.Msg))
	}
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListConsentsResponse{NextPageToken: next}
	for _, id := range list {
		if consent, ok := index.ReadConsent(st, id); ok {
			out.Consents = append(out.Consents, s.consentOf(id, consent))
		}
	}
	return connect.NewResponse(out), nil
}

func (s *Server) consentOf(id index.ConsentID, c *identityv1.Consent) *apiv1.Consent {
	return &apiv1.Consent{
		Person: id.Person.String(), Recipient: id.Recipient.String(), Digest: hex.EncodeToString(id.Digest[:]), GivenAt: timestamp(c.GetGivenAt()), EndsAt: timestamp(c.GetEndsAt()),
		WithdrawnAt: timestamp(c.GetWithdrawnAt()), State: index.ConsentState(c, s.now()), Transaction: hex.EncodeToString(c.GetTx()),
	}
}
