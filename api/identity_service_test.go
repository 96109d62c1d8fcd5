package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// end is nine years of 365 days after the ledger's first block.
const end = indextest.Start + 9*365*24*3600*1000

// office is a ledger on which person 0 is an organisation that attests facts about person 1.
type office struct {
	*node
	t              *testing.T
	c              apiv1connect.IdentityServiceClient
	issuer, holder tx.Address
}

func openOffice(t *testing.T) *office {
	t.Helper()
	n := start(t)
	o := &office{n, t, apiv1connect.NewIdentityServiceClient(n.client, n.url), indextest.Address(indextest.Person(0)), indextest.Address(indextest.Person(1))}
	digest := sha256.Sum256([]byte("schema"))
	o.act(indextest.Member(0), &txv1.Action{Call: &txv1.Action_IdentityAdmit{IdentityAdmit: &identityv1.Admit{
		Account: o.issuer[:], Name: "김포시", Kind: identityv1.Kind_KIND_PUBLIC_BODY, Contact: "https://gimpo.example"}}}, indextest.Person(0))
	o.act(indextest.Person(0), &txv1.Action{Call: &txv1.Action_IdentityRegisterSchema{IdentityRegisterSchema: &identityv1.RegisterSchema{
		Schema: "shop", TitleKo: "가게", TitleEn: "Shop", Digest: digest[:], Fact: true,
		Fields: []*identityv1.Field{{Name: "kind", TitleKo: "업종", TitleEn: "Kind", Kind: identityv1.FieldKind_FIELD_KIND_CHOICE, Fact: true, Choices: []string{"food", "books"}}}}}})
	o.act(indextest.Member(0), &txv1.Action{Call: &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: &networkv1.Change{
		Kind: &networkv1.Change_Identity{Identity: &identityv1.Decision{Kind: &identityv1.Decision_Give{Give: &identityv1.Give{
			Schema: "shop", Holder: o.issuer[:], EndsAt: end, Depth: 1}}}}}}}})
	for i := 1; i < len(indextest.Members); i++ {
		address := indextest.Address(indextest.Member(i))
		vote := &txv1.Action{Actor: address[:], Call: &txv1.Action_NetworkVote{NetworkVote: &networkv1.Vote{Proposal: 1}}}
		if _, err := n.Do([]*txv1.Action{vote}, indextest.Member(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, value := range []string{"", "books", "food"} {
		o.act(indextest.Person(0), &txv1.Action{Call: &txv1.Action_IdentityAttest{IdentityAttest: &identityv1.Attest{
			Account: o.holder[:], Schema: "shop", Value: value, EndsAt: end}}})
	}
	return o
}

func (o *office) act(by tx.Signer, action *txv1.Action, others ...tx.Signer) {
	o.t.Helper()
	address := indextest.Address(by)
	action.Actor = address[:]
	if done, err := o.Do([]*txv1.Action{action}, append([]tx.Signer{by}, others...)...); err != nil || done.GetRefusal() != nil {
		o.t.Fatal(done, err)
	}
}

// tell calls one method and fails the test if it is refused.
func tell[Req, Res any](t *testing.T, method func(ctx context.Context, r *connect.Request[Req]) (*connect.Response[Res], error), req *Req) *Res {
	t.Helper()
	res, err := method(t.Context(), connect.NewRequest(req))
	if err != nil {
		t.Fatal(err)
	}
	return res.Msg
}

// Organisations, schemas, rights and facts as those see them who ask, page by page.
func TestIdentity(t *testing.T) {
	o := openOffice(t)
	o.indexed(t)
	got := tell(t, o.c.GetOrganisation, &apiv1.GetOrganisationRequest{Account: o.issuer.String()}).GetOrganisation()
	if got.GetName() != "김포시" || got.GetKind() != "public_body" || got.GetAdmittedBy() != indextest.Address(indextest.Member(0)).String() || got.GetContact() != "https://gimpo.example" {
		t.Errorf("%v", got)
	}
	var names []string
	for token := ""; ; {
		page := tell(t, o.c.ListOrganisations, &apiv1.ListOrganisationsRequest{PageSize: 2, PageToken: token})
		for _, one := range page.GetOrganisations() {
			names = append(names, one.GetName())
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if len(names) != len(indextest.Members)+1 {
		t.Errorf("organisations %v", names)
	}
	if s := tell(t, o.c.GetSchema, &apiv1.GetSchemaRequest{Schema: "shop"}).GetSchema(); s.GetTitleKo() != "가게" || s.GetFields()[0].GetKind() != "choice" || len(s.GetFields()[0].GetChoices()) != 2 {
		t.Errorf("%v", s)
	}
	if list := tell(t, o.c.ListSchemas, &apiv1.ListSchemasRequest{}).GetSchemas(); len(list) != 1 {
		t.Errorf("%v", list)
	}
	for _, req := range []*apiv1.ListRightsRequest{{Schema: "shop"}, {Holder: o.issuer.String()}} {
		list := tell(t, o.c.ListRights, req).GetRights()
		if len(list) != 1 || !list[0].GetEffective() || list[0].GetGiver() != "" || list[0].GetDepth() != 1 || len(list[0].GetTransaction()) != 64 {
			t.Errorf("%v: %v", req, list)
		}
	}
	for _, req := range []*apiv1.ListAttributesRequest{{Account: o.holder.String()}, {Account: o.holder.String(), Schema: "shop"}, {Issuer: o.issuer.String()}} {
		var values []string
		for req.PageSize = 1; ; {
			page := tell(t, o.c.ListAttributes, req)
			for _, a := range page.GetAttributes() {
				values = append(values, a.GetValue())
				if !a.GetEffective() || a.GetIssuer() != o.issuer.String() || a.GetAccount() != o.holder.String() {
					t.Errorf("%v", a)
				}
			}
			if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
				break
			}
		}
		if len(values) != 3 || values[0] != "" || values[1] != "books" || values[2] != "food" {
			t.Errorf("%v: %q", req, values)
		}
	}
	has := func(value string) *apiv1.HasAttributeResponse {
		t.Helper()
		return tell(t, o.c.HasAttribute, &apiv1.HasAttributeRequest{Account: o.holder.String(), Schema: "shop", Value: value})
	}
	if r := has("food"); !r.GetHas() || r.GetAttribute().GetIssuer() != o.issuer.String() {
		t.Errorf("%v", r)
	}
	o.act(indextest.Person(0), &txv1.Action{Call: &txv1.Action_IdentityRevoke{IdentityRevoke: &identityv1.Revoke{
		Schema: "shop", Holder: o.issuer[:], Reason: identityv1.Reason_REASON_COMPROMISED}}})
	if r := has("food"); r.GetHas() || r.GetAttribute() != nil {
		t.Errorf("after the right is lost: %v", r)
	}
	a := tell(t, o.c.ListAttributes, &apiv1.ListAttributesRequest{Account: o.holder.String()}).GetAttributes()[0]
	right := tell(t, o.c.ListRights, &apiv1.ListRightsRequest{Schema: "shop"}).GetRights()[0]
	if a.GetEffective() || a.GetWhyNot() == "" || right.GetEffective() || right.GetReason() != "compromised" || right.GetRevokedAt() == "" {
		t.Errorf("%v, %v", a, right)
	}
}

// A status list as bytes, as the text of a token, and entry by entry.
func TestStatusList(t *testing.T) {
	o := openOffice(t)
	o.act(indextest.Person(0), &txv1.Action{Call: &txv1.Action_IdentityOpenList{IdentityOpenList: &identityv1.OpenList{List: 7, Bits: 4, Size: 2000}}})
	o.act(indextest.Person(0), &txv1.Action{Call: &txv1.Action_IdentitySetStatus{IdentitySetStatus: &identityv1.SetStatus{
		List: 7, Status: 2, Indexes: statuslist.AppendIndexes(nil, 3, 1999)}}})
	got := tell(t, o.c.GetStatusList, &apiv1.GetStatusListRequest{Issuer: o.issuer.String(), List: 7})
	l, err := statuslist.ReadText(got.GetStatusList().GetBits(), got.GetLst(), statuslist.MaxBytes)
	if err != nil || !bytes.Equal(l.Entries, got.GetEntries()) || l.Len() != 2000 || got.GetStatusList().GetVersion() != 1 || got.GetHeight() == 0 {
		t.Errorf("%v, %v", got, err)
	}
	for index, want := range map[uint32]uint32{2: 0, 3: 2, 1999: 2} {
		one := tell(t, o.c.GetCredentialStatus, &apiv1.GetCredentialStatusRequest{Issuer: o.issuer.String(), List: 7, Index: index})
		place, _ := statuslist.PlaceOf(o.issuer, 7, 4, index)
		if one.GetStatus() != want || !bytes.Equal(one.GetKey(), place.Key()) {
			t.Errorf("entry %d: %v", index, one)
		}
	}
	if list := tell(t, o.c.ListStatusLists, &apiv1.ListStatusListsRequest{Issuer: o.issuer.String()}).GetStatusLists(); len(list) != 1 || list[0].GetList() != 7 {
		t.Errorf("%v", list)
	}
}

// What a person agreed to, as the person and as the recipient sees it, before and after it is withdrawn.
func TestConsents(t *testing.T) {
	o := openOffice(t)
	digest := sha256.Sum256([]byte("terms"))
	o.act(indextest.Person(1), &txv1.Action{Call: &txv1.Action_IdentityGiveConsent{IdentityGiveConsent: &identityv1.GiveConsent{Recipient: o.issuer[:], Digest: digest[:], EndsAt: end}}})
	o.indexed(t)
	for _, want := range []string{"given", "withdrawn"} {
		for _, req := range []*apiv1.ListConsentsRequest{{Person: o.holder.String()}, {Recipient: o.issuer.String()}} {
			list := tell(t, o.c.ListConsents, req).GetConsents()
			if len(list) != 1 || list[0].GetState() != want || list[0].GetDigest() != hex.EncodeToString(digest[:]) || list[0].GetPerson() != o.holder.String() {
				t.Errorf("%v: %v, want %s", req, list, want)
			}
		}
		one := tell(t, o.c.GetConsent, &apiv1.GetConsentRequest{Person: o.holder.String(), Recipient: o.issuer.String(), Digest: hex.EncodeToString(digest[:])}).GetConsent()
		if one.GetState() != want || (one.GetWithdrawnAt() == "") != (want == "given") {
			t.Errorf("%v, want %s", one, want)
		}
		if want == "given" {
			o.act(indextest.Person(1), &txv1.Action{Call: &txv1.Action_IdentityWithdrawConsent{IdentityWithdrawConsent: &identityv1.WithdrawConsent{Recipient: o.issuer[:], Digest: digest[:]}}})
		}
	}
}

// What is not there, or asked for in a wrong way, has a code.
func TestIdentityRefusals(t *testing.T) {
	o := openOffice(t)
	holder, issuer := o.holder.String(), o.issuer.String()
	for name, tc := range map[string]struct {
		err  error
		want connect.Code
	}{
		"no organisation":        {failing(t, o.c.GetOrganisation, &apiv1.GetOrganisationRequest{Account: holder}), connect.CodeNotFound},
		"no address":             {failing(t, o.c.GetOrganisation, &apiv1.GetOrganisationRequest{Account: "x"}), connect.CodeInvalidArgument},
		"no schema":              {failing(t, o.c.GetSchema, &apiv1.GetSchemaRequest{Schema: "x"}), connect.CodeNotFound},
		"rights of nothing":      {failing(t, o.c.ListRights, &apiv1.ListRightsRequest{}), connect.CodeInvalidArgument},
		"rights of both":         {failing(t, o.c.ListRights, &apiv1.ListRightsRequest{Schema: "shop", Holder: issuer}), connect.CodeInvalidArgument},
		"rights to no schema":    {failing(t, o.c.ListRights, &apiv1.ListRightsRequest{Schema: "x"}), connect.CodeNotFound},
		"facts of nothing":       {failing(t, o.c.ListAttributes, &apiv1.ListAttributesRequest{}), connect.CodeInvalidArgument},
		"facts of both":          {failing(t, o.c.ListAttributes, &apiv1.ListAttributesRequest{Account: holder, Issuer: issuer}), connect.CodeInvalidArgument},
		"facts by and of":        {failing(t, o.c.ListAttributes, &apiv1.ListAttributesRequest{Schema: "shop", Issuer: issuer}), connect.CodeInvalidArgument},
		"a fact of no schema":    {failing(t, o.c.HasAttribute, &apiv1.HasAttributeRequest{Account: holder, Schema: "x"}), connect.CodeNotFound},
		"a fact at no time":      {failing(t, o.c.HasAttribute, &apiv1.HasAttributeRequest{Account: holder, Schema: "shop", At: "x"}), connect.CodeInvalidArgument},
		"no list":                {failing(t, o.c.GetStatusList, &apiv1.GetStatusListRequest{Issuer: issuer, List: 9}), connect.CodeNotFound},
		"an entry of no list":    {failing(t, o.c.GetCredentialStatus, &apiv1.GetCredentialStatusRequest{Issuer: issuer, List: 9}), connect.CodeNotFound},
		"no consent":             {failing(t, o.c.GetConsent, &apiv1.GetConsentRequest{Person: holder, Recipient: issuer, Digest: hex.EncodeToString(make([]byte, 32))}), connect.CodeNotFound},
		"consents of nobody":     {failing(t, o.c.ListConsents, &apiv1.ListConsentsRequest{}), connect.CodeInvalidArgument},
		"a page that never was":  {failing(t, o.c.ListSchemas, &apiv1.ListSchemasRequest{PageToken: "x"}), connect.CodeInvalidArgument},
		"a consent to no digest": {failing(t, o.c.GetConsent, &apiv1.GetConsentRequest{Person: holder, Recipient: issuer, Digest: "x"}), connect.CodeInvalidArgument},
	} {
		var got *connect.Error
		if !errors.As(tc.err, &got) || got.Code() != tc.want {
			t.Errorf("%s: %v, want %v", name, tc.err, tc.want)
		}
	}
}

func failing[Req, Res any](t *testing.T, method func(ctx context.Context, r *connect.Request[Req]) (*connect.Response[Res], error), req *Req) error {
	t.Helper()
	_, err := method(t.Context(), connect.NewRequest(req))
	return err
}

// The page of an account says who it is, what it may issue, what is attested of it, and what it agreed to.
func TestIdentityPage(t *testing.T) {
	o := openOffice(t)
	digest := sha256.Sum256([]byte("terms"))
	o.act(indextest.Person(0), &txv1.Action{Call: &txv1.Action_IdentityOpenList{IdentityOpenList: &identityv1.OpenList{List: 7, Bits: 4, Size: 2000}}})
	o.act(indextest.Person(1), &txv1.Action{Call: &txv1.Action_IdentityGiveConsent{IdentityGiveConsent: &identityv1.GiveConsent{Recipient: o.issuer[:], Digest: digest[:], EndsAt: end}}})
	o.indexed(t)
	o.showsAll(t, map[string][]string{
		"/account/" + o.issuer.String():              {"김포시", "공공기관", "https://gimpo.example", "발급 권한", "가게", "회원 투표", "증명서 상태 목록", "2,000"},
		"/account/" + o.issuer.String() + "?lang=en": {"Public body", "May issue", "Shop", "the members&#39; vote", "Status lists"},
		"/account/" + o.holder.String():              {"확인된 속성", "가게: food", "김포시", "동의함", "유효"},
		"/account/" + o.holder.String() + "?lang=en": {"Shop: food", "Holds", "Given"},
	})
}
