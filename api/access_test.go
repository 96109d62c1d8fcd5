package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/api"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/access"
	"github.com/dureledger/dure/ledger/tx"
)

// hands is a clock that tests set.
type hands struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hands) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hands) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// startClosed starts a node that answers by account, with a clock that stands.
func startClosed(t testing.TB) (*node, *hands) {
	t.Helper()
	clock := &hands{now: time.UnixMilli(indextest.Start).Add(time.Hour)}
	return startWith(t, api.Options{Access: api.AccessConsortium, Clock: clock.Now}), clock
}

// visitor reads for an account at a node, as the SDKs do; its parts can be made wrong.
type visitor struct {
	t      testing.TB
	n      *node
	clock  *hands
	key    *ecdsa.PrivateKey
	token  string
	ledger apiv1connect.LedgerServiceClient
	// spoil changes a proof before it is signed, edit the headers before they are sent.
	spoil func(*access.Proof)
	edit  func(http.Header)
	last  string
}

func (n *node) visitor(t testing.TB, clock *hands) *visitor {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, n: n, clock: clock, key: key}
	v.ledger = apiv1connect.NewLedgerServiceClient(n.client, n.url, connect.WithInterceptors(v))
	return v
}

// as is a visitor with a token of an account.
func (n *node) as(t testing.TB, clock *hands, account tx.Address, signer tx.Signer) *visitor {
	t.Helper()
	v := n.visitor(t, clock)
	res, err := v.login(n, account, signer, nil)
	if err != nil {
		t.Fatal(err)
	}
	v.token = res.GetToken()
	return v
}

func (v *visitor) host() string { return strings.TrimPrefix(v.n.url, "http://") }

// login asks a node for a token; change makes the claim or request wrong.
func (v *visitor) login(n *node, account tx.Address, signer tx.Signer, change func(*access.Claim, *apiv1.CreateTokenRequest)) (*apiv1.CreateTokenResponse, error) {
	v.t.Helper()
	c := apiv1connect.NewAccessServiceClient(n.client, n.url)
	challenge, err := c.GetChallenge(v.t.Context(), connect.NewRequest(&apiv1.GetChallengeRequest{}))
	if err != nil {
		return nil, err
	}
	thumbprint, err := access.Thumbprint(&v.key.PublicKey)
	if err != nil {
		v.t.Fatal(err)
	}
	claim := access.Claim{Network: n.Genesis().NetworkID, Audience: v.host(), Account: account, Nonce: challenge.Msg.GetNonce(), Thumbprint: thumbprint}
	req := &apiv1.CreateTokenRequest{Account: account.String(), Nonce: claim.Nonce, Audience: claim.Audience, Thumbprint: thumbprint}
	if change != nil {
		change(&claim, req)
	}
	if req.Witness == nil {
		w, err := signer.Sign(claim.Digest())
		if err != nil {
			v.t.Fatal(err)
		}
		if req.Witness, err = proto.Marshal(w); err != nil {
			v.t.Fatal(err)
		}
	}
	res, err := c.CreateToken(v.t.Context(), connect.NewRequest(req))
	if err != nil {
		return nil, err
	}
	return res.Msg, nil
}

// prove makes the proof of a request of a procedure.
func (v *visitor) prove(procedure string) string {
	p := access.Proof{Method: http.MethodPost, URL: v.n.url + procedure, At: v.clock.Now().Unix(), ID: rand.Text(), Token: access.TokenHash(v.token)}
	if v.spoil != nil {
		v.spoil(&p)
	}
	return signProof(v.t, v.key, p)
}

func signProof(t testing.TB, key *ecdsa.PrivateKey, p access.Proof) string {
	t.Helper()
	draft, err := access.Draft(p, &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(draft))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return access.Complete(draft, append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func (v *visitor) headers(procedure string, h http.Header) {
	h.Set("Authorization", "DPoP "+v.token)
	v.last = v.prove(procedure)
	h.Set("DPoP", v.last)
	if v.edit != nil {
		v.edit(h)
	}
}

func (v *visitor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		v.headers(r.Spec().Procedure, r.Header())
		return next(ctx, r)
	}
}

func (v *visitor) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		c := next(ctx, spec)
		v.headers(spec.Procedure, c.RequestHeader())
		return c
	}
}

func (v *visitor) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

func (v *visitor) transaction(id [32]byte) (*apiv1.GetTransactionResponse, error) {
	res, err := v.ledger.GetTransaction(v.t.Context(), connect.NewRequest(&apiv1.GetTransactionRequest{Id: hex.EncodeToString(id[:])}))
	if err != nil {
		return nil, err
	}
	return res.Msg, nil
}

// refused checks the code of a refusal, empty for none.
func refused(t *testing.T, what string, err error, code string) {
	t.Helper()
	switch {
	case code == "" && err != nil:
		t.Errorf("%s: %v", what, err)
	case code != "" && (err == nil || detail(t, err).GetCode() != code):
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func TestReadersReadWhatConcernsThem(t *testing.T) {
	n, clock := startClosed(t)
	mine := n.pay(t, "1500", "") // of the first person to the second
	o, err := n.Do([]*txv1.Action{indextest.Transfer(indextest.Person(2), person(3), "7", "")}, indextest.Person(2))
	if err != nil {
		t.Fatal(err)
	}
	theirs := [32]byte(o.GetId())
	n.indexed(t)
	alice := n.as(t, clock, person(0), indextest.Person(0))
	bank := n.as(t, clock, indextest.Address(indextest.Member(0)), indextest.Member(0))
	nobody := n.visitor(t, clock)
	nobody.edit = func(h http.Header) { h.Del("Authorization"); h.Del("DPoP") }

	for _, tc := range []struct {
		who  string
		v    *visitor
		id   [32]byte
		code string
	}{
		{"alice, hers", alice, mine, ""}, {"alice, others'", alice, theirs, "access.not_yours"}, {"alice, none", alice, [32]byte{}, "tx.unknown"},
		{"a member", bank, mine, ""}, {"a member, others'", bank, theirs, ""}, {"nobody", nobody, mine, "access.token_needed"},
	} {
		_, err := tc.v.transaction(tc.id)
		refused(t, tc.who, err, tc.code)
		_, err = tc.v.ledger.GetReceipt(t.Context(), connect.NewRequest(&apiv1.GetReceiptRequest{Id: hex.EncodeToString(tc.id[:])}))
		refused(t, tc.who+", receipt", err, tc.code)
	}
	count := func(v *visitor, account string) int {
		res, err := v.ledger.ListTransactions(t.Context(), connect.NewRequest(&apiv1.ListTransactionsRequest{Account: account}))
		if err != nil {
			return -1
		}
		return len(res.Msg.GetTransactions())
	}
	if a, b, c, d := count(alice, ""), count(alice, person(0).String()), count(alice, person(2).String()), count(bank, ""); a != 1 || b != 1 || c != -1 || d != 2 {
		t.Errorf("listed %d, %d, %d, %d", a, b, c, d)
	}
	_, err = nobody.transaction(mine)
	if e := new(connect.Error); !asConnect(err, &e) || e.Code() != connect.CodeUnauthenticated || e.Meta().Get("WWW-Authenticate") != `DPoP algs="ES256"` {
		t.Errorf("without a token: %v", err)
	}
	if _, err := nobody.ledger.GetStatus(t.Context(), connect.NewRequest(&apiv1.GetStatusRequest{})); err != nil {
		t.Errorf("the status is for everybody: %v", err)
	}
	if _, err := nobody.ledger.Submit(t.Context(), connect.NewRequest(&apiv1.SubmitRequest{Transaction: []byte{1}})); err != nil {
		t.Errorf("everybody submits: %v", err)
	}
}

func TestEveryKindOfKeyReads(t *testing.T) {
	n, clock := startClosed(t)
	_, err := n.visitor(t, clock).login(n, person(0), indextest.Person(0), nil)
	refused(t, "ed25519", err, "")
	for _, kind := range []accountv1.KeyKind{2, 3, 4, 5} {
		signer := n.newcomer(t, kind)
		_, err := n.visitor(t, clock).login(n, indextest.Address(signer), signer, nil)
		want := ""
		if kind == accountv1.KeyKind_KEY_KIND_WEBAUTHN { // this network takes no passkeys
			want = "access.signature_bad"
		}
		refused(t, tx.KindName(kind), err, want)
	}
}

func TestStolenAndSpoiltTokens(t *testing.T) {
	n, clock := startClosed(t)
	other, _ := startClosed(t)
	id := n.pay(t, "1500", "")
	alice := n.as(t, clock, person(0), indextest.Person(0))
	foreign := other.as(t, clock, person(0), indextest.Person(0)).token
	otherKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := alice.token
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	for name, tc := range map[string]struct {
		edit  func(http.Header)
		spoil func(*access.Proof)
		code  string
	}{
		"as it should be":       {code: ""},
		"a token without proof": {edit: func(h http.Header) { h.Del("DPoP") }, code: "access.proof_bad"},
		"as a bearer's":         {edit: set("Authorization", "Bearer "+good), code: "access.token_needed"},
		"two tokens":            {edit: func(h http.Header) { h.Add("Authorization", "DPoP "+good) }, code: "access.token_needed"},
		"two proofs":            {edit: func(h http.Header) { h.Add("DPoP", alice.last) }, code: "access.proof_bad"},
		"a thief's key":         {edit: func(h http.Header) { h.Set("DPoP", signProof(t, otherKey, alice.proof())) }, code: "access.proof_bad"},
		"a changed token":       {edit: set("Authorization", "DPoP "+flip(good, 20)), code: "access.token_bad"},
		"a changed seal":        {edit: set("Authorization", "DPoP "+flip(good, len(good)-9)), code: "access.token_bad"},
		"another node's":        {edit: set("Authorization", "DPoP "+foreign), code: "access.token_bad"},
		"a nonce as a token":    {edit: set("Authorization", "DPoP "+n.nonce(t)), code: "access.token_bad"},
		"an endless token":      {edit: set("Authorization", "DPoP "+strings.Repeat("A", 50_000)), code: "access.token_bad"},
		"an endless proof":      {edit: set("DPoP", strings.Repeat("A", 8000)), code: "access.proof_bad"},
		"for another URL":       {spoil: func(p *access.Proof) { p.URL = n.url + apiv1connect.LedgerServiceGetBlockProcedure }, code: "access.proof_bad"},
		"for another host":      {spoil: func(p *access.Proof) { p.URL = strings.Replace(p.URL, "127.0.0.1", "127.0.0.2", 1) }, code: "access.proof_bad"},
		"by a name of this node's": {spoil: func(p *access.Proof) {
			p.URL = "https://node.example" + apiv1connect.LedgerServiceGetTransactionProcedure
		}, code: ""},
		"for another method": {spoil: func(p *access.Proof) { p.Method = "GET" }, code: "access.proof_bad"},
		"with a query":       {spoil: func(p *access.Proof) { p.URL += "?x=1" }, code: "access.proof_bad"},
		"for another token":  {spoil: func(p *access.Proof) { p.Token = access.TokenHash(foreign) }, code: "access.proof_bad"},
		"an old one":         {spoil: func(p *access.Proof) { p.At -= 61 }, code: "access.proof_stale"},
		"one of the future":  {spoil: func(p *access.Proof) { p.At += 31 }, code: "access.proof_stale"},
		"without an id":      {spoil: func(p *access.Proof) { p.ID = "" }, code: "access.proof_bad"},
	} {
		alice.edit, alice.spoil = tc.edit, tc.spoil
		_, err := alice.transaction(id)
		refused(t, name, err, tc.code)
		if e := new(connect.Error); tc.code != "" && (!asConnect(err, &e) || !strings.HasPrefix(e.Meta().Get("WWW-Authenticate"), "DPoP ")) {
			t.Errorf("%s: no WWW-Authenticate: %v", name, err)
		}
	}
	alice.edit, alice.spoil = nil, nil
	if _, err := alice.transaction(id); err != nil {
		t.Fatal(err)
	}
	used := alice.last
	alice.edit = set("DPoP", used)
	_, err = alice.transaction(id)
	refused(t, "a replayed proof", err, "access.proof_replayed")
	clock.move(80 * time.Second)
	_, err = alice.transaction(id)
	refused(t, "replayed when it is old", err, "access.proof_stale")
	alice.edit = nil
	clock.move(5*time.Minute - 80*time.Second)
	_, err = alice.transaction(id)
	refused(t, "an expired token", err, "access.token_expired")
}

// proof is what the visitor last proved, to be signed by others.
func (v *visitor) proof() access.Proof {
	p, err := access.Parse(v.last)
	if err != nil {
		v.t.Fatal(err)
	}
	p.ID = rand.Text()
	return *p
}

// flip changes one character.
func flip(s string, at int) string {
	c := byte('A')
	if s[at] == c {
		c = 'B'
	}
	return s[:at] + string(c) + s[at+1:]
}

func (n *node) nonce(t *testing.T) string {
	t.Helper()
	res, err := apiv1connect.NewAccessServiceClient(n.client, n.url).GetChallenge(t.Context(), connect.NewRequest(&apiv1.GetChallengeRequest{}))
	if err != nil {
		t.Fatal(err)
	}
	return res.Msg.GetNonce()
}

func TestClaimsThatDoNotCount(t *testing.T) {
	n, clock := startClosed(t)
	other, _ := startClosed(t)
	stranger := indextest.Person(77)
	for name, tc := range map[string]struct {
		account tx.Address
		signer  tx.Signer
		change  func(*access.Claim, *apiv1.CreateTokenRequest)
		code    string
	}{
		"as it should be":       {person(0), indextest.Person(0), nil, ""},
		"another's key":         {person(0), indextest.Person(1), nil, "access.key_not_acting"},
		"no account of its own": {indextest.Address(stranger), stranger, nil, "access.key_not_acting"},
		"a challenge of another node": {person(0), indextest.Person(0), func(c *access.Claim, r *apiv1.CreateTokenRequest) {
			c.Nonce = other.nonce(t)
			r.Nonce = c.Nonce
		}, "access.challenge_bad"},
		"an old challenge": {person(0), indextest.Person(0), func(*access.Claim, *apiv1.CreateTokenRequest) { clock.move(61 * time.Second) }, "access.challenge_expired"},
		"a token as a challenge": {person(0), indextest.Person(0), func(c *access.Claim, r *apiv1.CreateTokenRequest) {
			c.Nonce = n.as(t, clock, person(0), indextest.Person(0)).token
			r.Nonce = c.Nonce
		}, "access.challenge_bad"},
		"signed for another node": {person(0), indextest.Person(0), func(c *access.Claim, _ *apiv1.CreateTokenRequest) { c.Audience = "evil.example" }, "access.signature_bad"},
		"passed on by another node": {person(0), indextest.Person(0), func(c *access.Claim, r *apiv1.CreateTokenRequest) {
			c.Audience, r.Audience = "evil.example", "evil.example"
		}, "access.audience"},
		"lines in the audience": {person(0), indextest.Person(0), func(c *access.Claim, r *apiv1.CreateTokenRequest) {
			c.Audience, r.Audience = "node.example:1\nx", "node.example:1\nx"
		}, "access.audience"},
		"signed for another network": {person(0), indextest.Person(0), func(c *access.Claim, _ *apiv1.CreateTokenRequest) { c.Network += "0" }, "access.signature_bad"},
		"for another account": {person(1), indextest.Person(0), func(c *access.Claim, r *apiv1.CreateTokenRequest) {
			c.Account = person(0)
		}, "access.signature_bad"},
		"for a thief's key":  {person(0), indextest.Person(0), func(_ *access.Claim, r *apiv1.CreateTokenRequest) { r.Thumbprint = flip(r.Thumbprint, 3) }, "access.signature_bad"},
		"a short thumbprint": {person(0), indextest.Person(0), func(_ *access.Claim, r *apiv1.CreateTokenRequest) { r.Thumbprint = r.Thumbprint[:42] }, "request.malformed"},
		"no witness":         {person(0), indextest.Person(0), func(_ *access.Claim, r *apiv1.CreateTokenRequest) { r.Witness = []byte{} }, "access.signature_bad"},
		"an endless witness": {person(0), indextest.Person(0), func(_ *access.Claim, r *apiv1.CreateTokenRequest) { r.Witness = make([]byte, 20_000) }, "request.malformed"},
	} {
		_, err := n.visitor(t, clock).login(n, tc.account, tc.signer, tc.change)
		refused(t, name, err, tc.code)
	}
	open := start(t)
	_, err := open.visitor(t, clock).login(open, person(0), indextest.Person(0), nil)
	refused(t, "an open node", err, "access.open")
}
