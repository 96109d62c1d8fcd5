package api_test

import (
	"testing"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/tx"
)

// The services of organisations as providers see them: one by its account, all page by page, and none that was removed or whose organisation was dismissed.
func TestServices(t *testing.T) {
	o := openOffice(t)
	set := func(name string) *txv1.Action {
		return &txv1.Action{Call: &txv1.Action_IdentitySetService{IdentitySetService: &identityv1.SetService{Service: &identityv1.Service{
			NameKo: name, NameEn: "Service", RedirectUris: []string{"https://service.example/cb"}, MayAsk: []string{"phone"}, Pairwise: true}}}}
	}
	o.act(indextest.Person(0), set("민원"))
	o.act(indextest.Member(0), set("회원"))
	got := tell(t, o.c.GetService, &apiv1.GetServiceRequest{Account: o.issuer.String()}).GetService()
	if got.GetOrganisation() != "김포시" || got.GetNameKo() != "민원" || got.GetAccount() != o.issuer.String() || !got.GetPairwise() || len(got.GetRedirectUris()) != 1 || got.GetSetAt() == "" || len(got.GetTransaction()) != 64 {
		t.Errorf("%v", got)
	}
	o.indexed(t)
	o.showsAll(t, map[string][]string{
		"/account/" + o.issuer.String():              {"로그인 서비스", "민원", "https://service.example/cb", "phone"},
		"/account/" + o.issuer.String() + "?lang=en": {"Service to sign in at", "People come back to"},
	})
	count := func() (n int) {
		t.Helper()
		for token := ""; ; {
			page := tell(t, o.c.ListServices, &apiv1.ListServicesRequest{PageSize: 1, PageToken: token})
			n += len(page.GetServices())
			if token = page.GetNextPageToken(); token == "" {
				return n
			}
		}
	}
	if count() != 2 {
		t.Errorf("%d services", count())
	}
	none := func(what string, account tx.Address) {
		t.Helper()
		_, err := o.c.GetService(t.Context(), connect.NewRequest(&apiv1.GetServiceRequest{Account: account.String()}))
		refused(t, what, err, "identity.unknown_service")
	}
	none("no organisation", o.holder)
	o.act(indextest.Member(0), &txv1.Action{Call: &txv1.Action_IdentityDismiss{IdentityDismiss: &identityv1.Dismiss{Account: o.issuer[:], Reason: identityv1.Reason_REASON_BREACH}}})
	none("an organisation that was dismissed", o.issuer)
	member := indextest.Address(indextest.Member(0))
	o.act(indextest.Member(0), &txv1.Action{Call: &txv1.Action_IdentityRemoveService{IdentityRemoveService: &identityv1.RemoveService{Account: member[:], Reason: identityv1.Reason_REASON_ENDED}}})
	if count() != 0 {
		t.Errorf("%d services are left", count())
	}
}
