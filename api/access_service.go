package api

import (
	"context"
	"encoding/base64"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	accessformat "github.com/dureledger/dure/ledger/access"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// accessService is dure.api.v1.AccessService.
type accessService struct{ *Server }

var errOpen = fault.New("access.open", "This node answers everybody, so it gives no tokens. Ask without one.")

// maxWitness is the longest witness looked at, in bytes: one of ML-DSA-65 with room to spare.
const maxWitness = 16 << 10

func (s *accessService) GetChallenge(context.Context, *connect.Request[apiv1.GetChallengeRequest]) (*connect.Response[apiv1.GetChallengeResponse], error) {
	if s.gate == nil {
		return nil, errOpen
	}
	now := s.gate.now()
	nonce, ends := s.gate.challenge()
	return connect.NewResponse(&apiv1.GetChallengeResponse{Nonce: nonce, Time: timestamp(now.UnixMilli()), ExpiresAt: timestamp(ends.UnixMilli())}), nil
}

func (s *accessService) CreateToken(ctx context.Context, r *connect.Request[apiv1.CreateTokenRequest]) (*connect.Response[apiv1.CreateTokenResponse], error) {
	if s.gate == nil {
		return nil, errOpen
	}
	claim, thumbprint, err := s.gate.claim(ctx, r.Msg)
	if err != nil {
		return nil, err
	}
	w := &txv1.Witness{}
	if raw := r.Msg.GetWitness(); len(raw) > maxWitness || proto.Unmarshal(raw, w) != nil {
		return nil, fault.New("request.malformed", "witness: want a serialised dure.tx.v1.Witness of at most 16 KiB", "field", "witness")
	}
	a := &asker{s: s.Server, account: claim.Account}
	st, _ := s.ledger.State()
	rules := index.ReadParameters(st)
	key, err := tx.VerifyAlone(w, claim.Digest(), tx.Rules{RPID: rules.GetRpId(), Origins: rules.GetOrigins()})
	if err != nil {
		return nil, fault.New("access.signature_bad", "The claim is not signed as it must be. "+fault.As(err).Message+
			" What is signed names the network, the audience, the account, the nonce and the thumbprint (docs/access.md).")
	}
	a.key = key.Address()
	if err := a.standing(); err != nil {
		return nil, err
	}
	token, ends := s.gate.grant(a.account, a.key, thumbprint)
	return connect.NewResponse(&apiv1.CreateTokenResponse{Token: token, ExpiresAt: timestamp(ends.UnixMilli()), Member: a.all}), nil
}

// claim is what a request must have signed: what it says, as far as that is about this node.
func (g *gate) claim(ctx context.Context, m *apiv1.CreateTokenRequest) (c accessformat.Claim, thumbprint [32]byte, err error) {
	if c.Account, err = parseAddress("account", m.GetAccount()); err != nil {
		return c, thumbprint, err
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(m.GetThumbprint())
	if err != nil || len(raw) != len(thumbprint) {
		return c, thumbprint, fault.New("request.malformed", "thumbprint: want the 43 characters of RFC 7638 for the key of the proofs", "field", "thumbprint")
	}
	if a := m.GetAudience(); !g.isUs(ctx, "http", a) && !g.isUs(ctx, "https", a) {
		return c, thumbprint, fault.New("access.audience", "This node is not "+printable(m.GetAudience())+". Sign the claim for the host by which you reach the node; "+
			"behind a proxy, its name must be in the setting api.hosts.", "audience", printable(m.GetAudience()))
	}
	if err := g.answered(m.GetNonce()); err != nil {
		return c, thumbprint, err
	}
	c.Network, c.Audience, c.Nonce, c.Thumbprint = g.s.ledger.Genesis().NetworkID, m.GetAudience(), m.GetNonce(), m.GetThumbprint()
	return c, [32]byte(raw), nil
}
