package id

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/luikyv/go-oidc/pkg/goidc"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/services/id/passkey"
)

// Services finds the services that organisations set on the ledger, for every member's provider.
type Services interface {
	// Service looks up the service of an account; ErrNoService if it has none now.
	Service(ctx context.Context, account [20]byte) (Party, error)
}

// ErrNoService means that there is no service of this client id, or not any more.
var ErrNoService = errors.New("id: there is no such service")

// party finds a service by its client id: in the settings, or on the ledger, which is asked each time. So what is removed there is refused here from then on.
func (s *Server) party(ctx context.Context, id string) (Party, error) {
	if p, ok := s.parties[id]; ok {
		return p, nil
	}
	account, ok := parseAccount(id)
	if !ok {
		return Party{}, ErrNoService
	}
	p, err := s.ledger.Service(ctx, account)
	if err == nil && p.ID != id { // one way of writing it, so that nobody is two services
		err = ErrNoService
	}
	return p, err
}

// clients are the services as the library looks them up, by its interface for clients that are registered while it runs. It registers none itself.
type clients struct{ *Server }

var errRegistered = errors.New("services are registered on the ledger: dure org service set")

// Client finds a service. That there is none is a refusal at every endpoint.
func (c clients) Client(ctx context.Context, id string) (*goidc.Client, error) {
	p, err := c.party(ctx, id)
	if errors.Is(err, ErrNoService) {
		return nil, goidc.WrapError(goidc.ErrorCodeInvalidClient, "there is no such service, or not any more", goidc.ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	return p.client()
}

// SaveClient refuses.
func (clients) SaveClient(context.Context, *goidc.Client) error { return errRegistered }

// DeleteClient refuses.
func (clients) DeleteClient(context.Context, string) error { return errRegistered }

// keySet is a service's keys as the library wants them. Each is named by its thumbprint (RFC 7638).
func keySet(points [][]byte) (*goidc.JSONWebKeySet, error) {
	out := &goidc.JSONWebKeySet{}
	for _, point := range points {
		x, y := elliptic.UnmarshalCompressed(elliptic.P256(), point)
		if x == nil {
			return nil, errors.New("id: a service's key is no point of P-256")
		}
		key := jose.JSONWebKey{Key: &ecdsa.PublicKey{Curve: elliptic.P256(), X: x, Y: y}, Algorithm: string(jose.ES256), Use: "sig"}
		print, err := key.Thumbprint(crypto.SHA256)
		if err != nil {
			return nil, fmt.Errorf("id: %w", err)
		}
		key.KeyID = passkey.Text(print)
		out.Keys = append(out.Keys, key)
	}
	return out, nil
}

// Service asks the node.
func (n Node) Service(ctx context.Context, account [20]byte) (Party, error) {
	found, err := n.Client.Service(ctx, account)
	if errors.Is(err, client.ErrNotFound) {
		return Party{}, ErrNoService
	}
	if err != nil {
		return Party{}, fmt.Errorf("id: %w", err)
	}
	return partyOf(found), nil
}

func partyOf(s *apiv1.Service) Party {
	p := Party{
		ID: s.GetAccount(), Name: s.GetNameKo(), RedirectURIs: s.GetRedirectUris(), PostLogoutRedirectURIs: s.GetPostLogoutRedirectUris(), BackchannelLogoutURI: s.GetBackchannelLogoutUri(),
		MayAsk:   slices.DeleteFunc(slices.Clone(s.GetMayAsk()), func(item string) bool { return !slices.Contains(Items, item) }), // what a newer provider knows
		OnLedger: true, Organisation: s.GetOrganisation(), Keys: s.GetKeys(),
	}
	if s.GetNameEn() != s.GetNameKo() {
		p.Name += " " + s.GetNameEn()
	}
	if s.GetPairwise() {
		p.Subject = "pairwise"
		p.MayAsk = slices.DeleteFunc(p.MayAsk, func(item string) bool { return item == ItemAccount })
	}
	return p
}
