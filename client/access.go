package client

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	"github.com/dureledger/dure/ledger/access"
	"github.com/dureledger/dure/ledger/tx"
)

// Reader says which account reads, and signs for it. It is asked when a node first wants to know who reads, so that a key
// need not be unlocked for nodes that answer everybody, and not again unless it failed. What it returns as an error ends the call.
type Reader func(ctx context.Context) (account tx.Address, signer tx.Signer, err error)

// ReadAs is a Reader for an account and a key that acts for it.
func ReadAs(account tx.Address, signer tx.Signer) Reader {
	return func(context.Context) (tx.Address, tx.Signer, error) { return account, signer, nil }
}

// NoReader means that a node wants to know who reads, and the Reader of the configuration did not say.
type NoReader struct{ Err error }

// Error says why.
func (n *NoReader) Error() string { return "the node wants to know who reads: " + n.Err.Error() }

// Unwrap gives the cause.
func (n *NoReader) Unwrap() error { return n.Err }

// reading is who reads by a client, at all of its nodes.
type reading struct {
	ask   Reader
	clock Clock

	mu      sync.Mutex
	account tx.Address
	signer  tx.Signer
	// key signs the proofs. It lives as long as the client.
	key        *ecdsa.PrivateKey
	thumbprint string
}

// errWho says that it is not known yet who reads: find asks, in the caller's time and not in a request's.
var errWho = errors.New("client: the reader was not asked yet")

// known is who reads and signs. Error errWho.
func (r *reading) known() (tx.Address, tx.Signer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.signer == nil {
		return r.account, nil, errWho
	}
	return r.account, r.signer, nil
}

// find asks the reader, if it has not said yet. Error *NoReader.
func (r *reading) find(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.signer != nil {
		return nil
	}
	account, signer, err := r.ask(ctx)
	if err == nil && signer == nil {
		err = errors.New("no key is given to sign with")
	}
	if err != nil {
		return &NoReader{err}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if r.thumbprint, err = access.Thumbprint(&key.PublicKey); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	r.account, r.signer, r.key = account, signer, key
	return nil
}

// pass is what one node lets a reader in by: a token, got when the node first asks for one and again before it ends.
type pass struct {
	reading *reading
	base    *url.URL
	network func() string // that the client is pinned to, by the time that anything is read
	service apiv1connect.AccessServiceClient

	mu    sync.Mutex
	asked map[string]bool // procedures that the node has refused without a token
	token string
	ends  time.Time // by the node's clock
	ahead time.Duration
}

// newPass is what lets a reader in at a node, nil if nobody reads in particular.
func (c *Client) newPass(who *reading, base string) *pass {
	u, err := url.Parse(base)
	if who == nil || err != nil { // it was parsed before
		return nil
	}
	return &pass{reading: who, base: u, network: c.pinned, asked: map[string]bool{}}
}

// codeOpen is what a node says that answers everybody.
const codeOpen = "access.open"

// renewBefore is how long before its end a token is not used any more.
const renewBefore = 20 * time.Second

// now is the node's time, as far as it has told. The caller holds p.mu.
func (p *pass) now() time.Time { return p.reading.clock.Now().Add(p.ahead) }

// wanted says whether the node has refused a procedure before because nobody said who reads.
func (p *pass) wanted(procedure string) bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[procedure]
}

// again looks at how a call of a procedure ended, and says whether it may be made again with a token or a newer one.
func (p *pass) again(procedure string, sent http.Header, err error) bool {
	var refusal *Refusal
	if p == nil || !errors.As(readError(err), &refusal) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch refusal.Code {
	case "access.token_needed":
		first := !p.asked[procedure]
		p.asked[procedure] = true
		return first
	case "access.token_bad", "access.token_expired", "access.stream_ended", "access.proof_stale":
		if sent.Get("Authorization") == "DPoP "+p.token {
			p.token = "" // another call may have renewed it
		}
		return true
	}
	return false
}

// show adds a token and a proof to the headers of a request to a URL of the node. It adds none, and no more are added, if the
// node has begun to answer everybody.
func (p *pass) show(ctx context.Context, method, address string, h http.Header) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.token == "" || !p.now().Add(renewBefore).Before(p.ends) {
		err := p.renew(ctx)
		if refusal := (*Refusal)(nil); errors.As(readError(err), &refusal) && refusal.Code == codeOpen {
			p.asked = map[string]bool{}
			return nil
		}
		if err != nil {
			return err
		}
	}
	proof, err := p.reading.prove(access.Proof{
		Method: method, URL: address, At: p.now().Unix(), ID: rand.Text(), Token: access.TokenHash(p.token),
	})
	if err != nil {
		return err
	}
	h.Set("Authorization", "DPoP "+p.token)
	h.Set("DPoP", proof)
	return nil
}

// renew asks the node for a token. The caller holds p.mu, so that one call asks for all.
func (p *pass) renew(ctx context.Context) error {
	account, signer, err := p.reading.known()
	if err != nil {
		return err
	}
	challenge, err := p.service.GetChallenge(ctx, connect.NewRequest(&apiv1.GetChallengeRequest{}))
	if err != nil {
		return err //nolint:wrapcheck // read by readError
	}
	told, err := time.Parse(time.RFC3339Nano, challenge.Msg.GetTime())
	if err != nil {
		return fmt.Errorf("client: the node tells its time as %q", challenge.Msg.GetTime())
	}
	p.ahead = told.Sub(p.reading.clock.Now())
	claim := access.Claim{
		Network: p.network(), Audience: access.Authority(p.base.Scheme, p.base.Host), Account: account, Nonce: challenge.Msg.GetNonce(), Thumbprint: p.reading.thumbprint,
	}
	witness, err := signer.Sign(claim.Digest())
	if err != nil {
		return &NoReader{err}
	}
	raw, err := proto.Marshal(witness)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	res, err := p.service.CreateToken(ctx, connect.NewRequest(&apiv1.CreateTokenRequest{
		Account: account.String(), Nonce: claim.Nonce, Audience: claim.Audience, Thumbprint: claim.Thumbprint, Witness: raw,
	}))
	if err != nil {
		return err //nolint:wrapcheck // read by readError
	}
	if p.ends, err = time.Parse(time.RFC3339Nano, res.Msg.GetExpiresAt()); err != nil {
		return fmt.Errorf("client: the node tells the end of its token as %q", res.Msg.GetExpiresAt())
	}
	p.token = res.Msg.GetToken()
	return nil
}

// prove signs a proof.
func (r *reading) prove(p access.Proof) (string, error) {
	draft, err := access.Draft(p, &r.key.PublicKey)
	if err != nil {
		return "", fmt.Errorf("client: %w", err)
	}
	digest := sha256.Sum256([]byte(draft))
	a, b, err := ecdsa.Sign(rand.Reader, r.key, digest[:])
	if err != nil {
		return "", fmt.Errorf("client: %w", err)
	}
	return access.Complete(draft, append(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32))...)), nil
}

// WrapUnary shows who reads where the node has asked, and asks again when it does.
func (p *pass) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
		procedure := r.Spec().Procedure
		for try := 0; ; try++ {
			if p.wanted(procedure) {
				if err := p.show(ctx, http.MethodPost, p.address(procedure), r.Header()); err != nil {
					return nil, err
				}
			}
			res, err := next(ctx, r)
			if err == nil || try == 2 || !p.again(procedure, r.Header(), err) {
				return res, err
			}
		}
	}
}

// WrapStreamingClient leaves streams alone: Watch shows who reads by itself, and goes on with a newer token.
func (p *pass) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler is never called: a pass is a client's.
func (p *pass) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

func (p *pass) address(procedure string) string {
	return access.Origin(p.base.Scheme, p.base.Host) + p.base.Path + procedure
}

// ReadHeaders returns the two headers, Authorization and DPoP, by which one request of a method to a URL of one of the nodes shows who
// reads, for programs that make requests themselves. The proof is good for one request, made within a minute.
// The configuration must have a Reader. Errors: *NoReader, *Refusal (access.open from nodes that answer everybody).
func (c *Client) ReadHeaders(ctx context.Context, method, address string) (http.Header, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	u.RawQuery, u.Fragment = "", ""
	for _, n := range c.nodes {
		if n.pass == nil {
			return nil, &NoReader{errors.New("the configuration has no Reader")}
		}
		if !strings.EqualFold(access.Origin(u.Scheme, u.Host), access.Origin(n.pass.base.Scheme, n.pass.base.Host)) {
			continue
		}
		if err := n.pass.reading.find(ctx); err != nil {
			return nil, err
		}
		if err := c.admit(ctx, n); err != nil {
			return nil, readError(err)
		}
		h := http.Header{}
		err := readError(n.pass.show(ctx, method, access.Origin(u.Scheme, u.Host)+u.EscapedPath(), h))
		if err == nil && len(h) == 0 {
			err = &Refusal{Code: codeOpen, Message: "the node answers everybody, so it gives no tokens; ask without one"}
		}
		return h, err
	}
	return nil, fmt.Errorf("client: %s is at none of the nodes", address)
}

// mayNotRead says whether a node answers only those whom the client does not show to be, so that asking again changes nothing.
func mayNotRead(err error) bool {
	var refusal *Refusal
	return errors.As(err, new(*NoReader)) || errors.As(err, &refusal) && strings.HasPrefix(refusal.Code, "access.")
}
