package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	accessformat "github.com/dureledger/dure/ledger/access"
	"github.com/dureledger/dure/ledger/fault"
)

// authenticate says who sends a request of a procedure: by its token, and by the proof that whoever sends it has the token's
// key (RFC 9449, sections 4.3 and 7.1). What costs least is checked first.
func (g *gate) authenticate(ctx context.Context, procedure string, h http.Header) (*asker, error) {
	token, err := tokenOf(h)
	if err != nil {
		return nil, err
	}
	a, thumbprint, err := g.open(token)
	if err != nil {
		return nil, err
	}
	now := g.now()
	if now.UnixMilli() >= a.ends {
		return nil, fault.New("access.token_expired", "The token has ended. Ask for a new one with AccessService.GetChallenge and CreateToken.", "ended_at", timestamp(a.ends))
	}
	if err := a.standing(); err != nil {
		return nil, err
	}
	sent := h.Values("DPoP")
	if len(sent) != 1 {
		return nil, badProof("the request must have exactly one header DPoP")
	}
	p, err := accessformat.Parse(sent[0])
	if err != nil {
		return nil, err
	}
	switch age := now.Unix() - p.At; {
	case p.Thumbprint != thumbprint:
		return nil, badProof("it is by another key than the one that the token is bound to")
	case p.Token != accessformat.TokenHash(token):
		return nil, badProof("its ath is not the SHA-256 of this token")
	case p.Method != http.MethodPost:
		return nil, badProof("its htm must be POST")
	case !g.sentTo(ctx, procedure, p.URL):
		return nil, badProof("its htu is not the URL of this request, without query and fragment")
	case age > int64(proofAge.Seconds()) || age < -int64(proofAhead.Seconds()):
		return nil, fault.New("access.proof_stale", "The DPoP proof was made more than a minute ago, or by a clock that is more than half a minute ahead. "+
			"Set this machine's clock, or date proofs by the time that GetChallenge tells.", "now", timestamp(now.UnixMilli()))
	}
	return a, g.replays.first(a.account, p.ID, now)
}

// tokenOf is the token of a request. Code access.token_needed.
func tokenOf(h http.Header) (string, error) {
	sent := h.Values("Authorization")
	if len(sent) == 1 {
		if scheme, token, ok := strings.Cut(sent[0], " "); ok && strings.EqualFold(scheme, "DPoP") {
			return strings.TrimSpace(token), nil
		}
	}
	return "", fault.New("access.token_needed", "This node answers members, and accounts about what concerns them. Send a token (Authorization: DPoP …, one header) and a proof "+
		"that its key is yours; AccessService gives tokens to keys that act for an account. The SDK and dure --as do so by themselves; docs/access.md says how.")
}

// sentTo says whether a URL names a procedure of this node as the request reached it. A node without TLS may have a proxy before it
// that has it.
func (g *gate) sentTo(ctx context.Context, procedure, text string) bool {
	to, _ := ctx.Value(targetKey{}).(target)
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.EscapedPath() != procedure {
		return false
	}
	return (u.Scheme == "https" || u.Scheme == "http" && !to.tls) && g.isUs(ctx, u.Scheme, accessformat.Authority(u.Scheme, u.Host))
}

func badProof(why string) error {
	return fault.New("access.proof_bad", "The DPoP proof of this request does not count: "+why+". Make a new one for each request (docs/access.md).")
}
