package simnet_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/internal/simnet"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// What of a person must never be on the ledger, as a careless issuer might write it.
var personal = map[string]string{
	"name": "김민지", "name in Latin letters": "kim-minji", "telephone number": "010-1234-5678", "telephone number in digits": "01012345678",
	"account number": "110-345-678901", "account number in digits": "110345678901", "mail address": "minji@example.com", "birthday": "1994-03-17",
}

// onLedger is public and of an organisation: the scan of a node's files must find it, or it finds nothing.
const onLedger = "Gimpo City Office"

// identity is a network on which person 0 is an organisation that may issue "resident" and "shop", and person 1 a holder.
type identity struct {
	*simnet.Network
	t              *testing.T
	issuer, holder tx.Signer
}

func startIdentity(t *testing.T) *identity {
	t.Helper()
	w := &identity{simnet.Start(t, 2), t, simnet.Person(0), simnet.Person(1)}
	member, office := simnet.Address(simnet.Signer(0)), simnet.Address(w.issuer)
	w.do(w.draft().AdmitOrganisation(member, office, onLedger, identityv1.Kind_KIND_PUBLIC_BODY, "https://www.gimpo.example/contact"), simnet.Signer(0))
	form, err := json.Marshal(map[string]any{"type": "object", "properties": map[string]any{"name": map[string]string{"type": "string"}}})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(form)
	w.do(w.draft().RegisterSchema(office, &identityv1.RegisterSchema{
		Schema: "resident", TitleKo: "거주자", TitleEn: "Resident", Digest: digest[:], Fact: true,
		Fields: []*identityv1.Field{{Name: "name", TitleKo: "이름", TitleEn: "Name", Kind: identityv1.FieldKind_FIELD_KIND_TEXT}},
	}), w.issuer)
	w.do(w.draft().Decide(member, &identityv1.Decision{Kind: &identityv1.Decision_Give{Give: &identityv1.Give{
		Schema: "resident", Holder: office[:], EndsAt: time.Now().Add(1000 * time.Hour).UnixMilli()}}}), simnet.Signer(0))
	w.do(w.draft().Vote(simnet.Address(simnet.Signer(1)), 1), simnet.Signer(1))
	w.do(w.draft().OpenStatusList(office, 1, 2, 8192), w.issuer)
	w.Eventually(func() bool {
		_, _, err := w.Client(1).StatusList(t.Context(), office, 1)
		return err == nil
	}, "member 1 does not get the status list")
	return w
}

func (w *identity) draft() *client.Draft {
	network, err := w.Client(0).Network(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return client.NewTransaction(network)
}

func (w *identity) do(d *client.Draft, by ...tx.Signer) *apiv1.Outcome {
	w.t.Helper()
	o, err := w.Client(0).Do(w.t.Context(), d, by...)
	if err == nil {
		err = client.Check(o)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// A person gets a credential, shows it, agrees to terms and withdraws, and gets it revoked: neither the state nor the history nor the index of any member has
// anything of the person. Whoever writes such text where the ledger has a place for names and choices is refused before anything is ordered.
func TestNothingPersonalIsOnTheLedger(t *testing.T) {
	w := startIdentity(t)
	office, alice := simnet.Address(w.issuer), simnet.Address(w.holder)

	// What is issued and agreed to stays with the issuer, the holder and the recipient.
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		t.Fatal(err)
	}
	terms, err := json.Marshal(map[string]any{"salt": salt, "of": personal, "status": client.CredentialRef{Issuer: office, List: 1, Index: 4711}})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(terms)

	w.do(w.draft().Attest(office, alice, "resident", "", time.Now().Add(100*time.Hour)), w.issuer)
	w.do(w.draft().GiveConsent(alice, office, digest, time.Now().Add(100*time.Hour)), w.holder)
	w.do(w.draft().SetCredentialStatus(office, 1, statuslist.Invalid, 4711), w.issuer)
	w.do(w.draft().WithdrawConsent(alice, office, digest), w.holder)
	w.do(w.draft().WithdrawAttribute(office, alice, "resident", "", identityv1.Reason_REASON_REQUESTED), w.issuer)

	for what, text := range personal {
		for field, draft := range map[string]*client.Draft{
			"value":                w.draft().Attest(office, alice, "resident", text, time.Now().Add(time.Hour)),
			"value withdrawn":      w.draft().WithdrawAttribute(office, alice, "resident", text, identityv1.Reason_REASON_MISTAKE),
			"address of a service": w.draft().SetService(office, &identityv1.Service{NameKo: "a", NameEn: "a", RedirectUris: []string{text}}),
			"item of a service":    w.draft().SetService(office, &identityv1.Service{NameKo: "a", NameEn: "a", RedirectUris: []string{"https://office.example/"}, MayAsk: []string{text}}),
			"contact":              w.draft().DescribeOrganisation(office, text),
			"choice": w.draft().RegisterSchema(office, &identityv1.RegisterSchema{Schema: "other", TitleKo: "a", TitleEn: "a", Digest: digest[:],
				Fields: []*identityv1.Field{{Name: "f", TitleKo: "a", TitleEn: "a", Kind: identityv1.FieldKind_FIELD_KIND_CHOICE, Fact: true, Choices: []string{"x " + text}}}}),
			"fact of free text": w.draft().RegisterSchema(office, &identityv1.RegisterSchema{Schema: "other", TitleKo: "a", TitleEn: "a", Digest: digest[:],
				Fields: []*identityv1.Field{{Name: "f", TitleKo: text, TitleEn: "a", Kind: identityv1.FieldKind_FIELD_KIND_TEXT, Fact: true}}}),
		} {
			_, err := w.Client(0).Do(simnet.Within(t), draft, w.issuer)
			if refusal := (*client.Refusal)(nil); !errors.As(err, &refusal) || !strings.HasPrefix(refusal.Code, "identity.") {
				t.Errorf("a %s as %s: %v", what, field, err)
			}
		}
	}

	w.Eventually(func() bool {
		for i := range 2 {
			s, err := w.Client(i).Status(t.Context())
			if err != nil || s.GetIndexHeight() < s.GetHeight() {
				return false
			}
		}
		return true
	}, "the indexes do not catch up")
	if n := count(t, w.Client(1), onLedger); n != 1 {
		t.Errorf("what is public is found by its text %d times", n)
	}
	for what, text := range personal {
		if n := count(t, w.Client(1), text); n != 0 {
			t.Errorf("the %s is found by its text", what)
		}
	}
	for i := range 2 {
		w.StopNode(i)
		scan(t, string(w.Home(i)))
	}
}

// count is how many transactions the index of a node finds by a text.
func count(t *testing.T, c *client.Client, text string) (n int) {
	t.Helper()
	for _, err := range c.Transactions(t.Context(), &apiv1.ListTransactionsRequest{Text: text}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// scan looks through every file of a node for what is personal, and for what must be there.
func scan(t *testing.T, home string) {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := strings.ToLower(string(raw))
		name, err := filepath.Rel(home, path)
		if err != nil {
			return err
		}
		for what, s := range personal {
			if strings.Contains(text, s) || strings.Contains(text, hex.EncodeToString([]byte(s))) {
				t.Errorf("%s has the %s", name, what)
			}
		}
		if strings.Contains(text, strings.ToLower(onLedger)) {
			found[filepath.ToSlash(filepath.Dir(name))] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"data/ledger/blocks", "data/ledger/state"} {
		if !found[folder] {
			t.Errorf("%s does not have what is public: the scan says nothing", folder)
		}
	}
}

// A revocation is seen at every member as soon as it has the block, is proven from the genesis file alone, and a proof that was touched proves nothing.
func TestCredentialStatus(t *testing.T) {
	w := startIdentity(t)
	office := simnet.Address(w.issuer)
	ref := client.CredentialRef{Issuer: office, List: 1, Index: 4711}
	anchor, err := light.FromGenesis(w.Genesis)
	if err != nil {
		t.Fatal(err)
	}
	prove := func(want uint32) (p *client.StatusProof) {
		t.Helper()
		w.Eventually(func() bool { // a block is proven by the next one's header
			var status client.CredentialStatus
			p, status, err = w.Client(1).ProveCredentialStatus(t.Context(), ref, anchor)
			return err == nil && status.Status == want
		}, "the status %d is not proven", want)
		return p
	}
	before := prove(statuslist.Valid)
	for _, status := range []uint32{statuslist.Suspended, statuslist.Invalid} {
		o := w.do(w.draft().SetCredentialStatus(office, 1, status, 5, 4711, 8191), w.issuer)
		for i := range 2 {
			w.Eventually(func() bool {
				s, err := w.Client(i).Status(t.Context())
				return err == nil && s.GetHeight() >= o.GetHeight()
			}, "member %d does not get the block", i)
			got, err := w.Client(i).CredentialStatus(t.Context(), ref)
			if err != nil || got.Status != status || got.Height < o.GetHeight() {
				t.Errorf("member %d says %+v, %v", i, got, err)
			}
			entries, shown, err := w.Client(i).StatusList(t.Context(), office, 1)
			if err != nil {
				t.Fatal(err)
			}
			token, err := statuslist.ReadText(2, shown.GetLst(), statuslist.MaxBytes)
			if err != nil || string(token.Entries) != string(entries.Entries) {
				t.Errorf("member %d: lst is not what the list has: %v", i, err)
			}
			if one, _ := entries.Get(4711); one != status {
				t.Errorf("member %d: the whole list says %d", i, one)
			}
		}
	}
	p := prove(statuslist.Invalid)
	raw, err := json.Marshal(p) // as it lies in a file
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		change func(p *client.StatusProof, ref *client.CredentialRef)
		want   string
	}{
		"as it is":          {func(*client.StatusProof, *client.CredentialRef) {}, ""},
		"another entry":     {func(p *client.StatusProof, ref *client.CredentialRef) { ref.Index = 5 }, "proof.wrong_key"},
		"another list":      {func(p *client.StatusProof, ref *client.CredentialRef) { ref.List = 2 }, "proof.wrong_key"},
		"behind its end":    {func(p *client.StatusProof, ref *client.CredentialRef) { ref.Index = 8192 }, "identity.bad_index"},
		"a changed chunk":   {func(p *client.StatusProof, _ *client.CredentialRef) { p.Chunk.Value[100] ^= 1 }, "proof.mismatch"},
		"no chunk":          {func(p *client.StatusProof, _ *client.CredentialRef) { p.Chunk.Exists, p.Chunk.Value = false, nil }, "proof.malformed"},
		"a list of one bit": {func(p *client.StatusProof, _ *client.CredentialRef) { p.List.Value[1] = 1 }, "proof.mismatch"},
		"no list":           {func(p *client.StatusProof, _ *client.CredentialRef) { p.List.Exists, p.List.Value = false, nil }, "proof.malformed"},
	} {
		q, its := &client.StatusProof{}, ref
		if err := json.Unmarshal(raw, q); err != nil {
			t.Fatal(err)
		}
		tc.change(q, &its)
		status, err := client.VerifyCredentialStatus(its, q, anchor)
		if fault.Code(err) != tc.want || err == nil && status.Status != statuslist.Invalid {
			t.Errorf("%s: %d, %v", name, status.Status, err)
		}
	}
	// An old proof says what was, and when.
	old, err := client.VerifyCredentialStatus(ref, before, anchor)
	now, again := client.VerifyCredentialStatus(ref, p, anchor)
	if err != nil || again != nil || old.Status != statuslist.Valid || old.Height >= now.Height {
		t.Errorf("the old proof: %+v, %v; the new one: %+v, %v", old, err, now, again)
	}
}
