package client

import (
	"context"
	"iter"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// SetService sets the service of an organisation at which people sign in, by the provider of any member, in place of an earlier one.
func (d *Draft) SetService(organisation tx.Address, service *identityv1.Service) *Draft {
	return d.Append(&txv1.Action{Actor: organisation[:], Call: &txv1.Action_IdentitySetService{IdentitySetService: &identityv1.SetService{Service: service}}})
}

// RemoveService takes a service away, by its organisation or by the member that admitted it.
func (d *Draft) RemoveService(actor, account tx.Address, why identityv1.Reason) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_IdentityRemoveService{
		IdentityRemoveService: &identityv1.RemoveService{Account: account[:], Reason: why}}})
}

// Service returns the service of an organisation at which people sign in; ErrNotFound if it has none. Code identity.unknown_service.
func (c *Client) Service(ctx context.Context, account tx.Address) (*apiv1.Service, error) {
	res, err := read(ctx, c, &apiv1.GetServiceRequest{Account: account.String()},
		func(n *node) method[apiv1.GetServiceRequest, apiv1.GetServiceResponse] { return n.identity.GetService })
	return res.GetService(), err
}

// Services lists the services at which people sign in, in order of account.
func (c *Client) Services(ctx context.Context) iter.Seq2[*apiv1.Service, error] {
	return pages(func(token string) ([]*apiv1.Service, string, error) {
		res, err := read(ctx, c, &apiv1.ListServicesRequest{PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListServicesRequest, apiv1.ListServicesResponse] {
				return n.identity.ListServices
			})
		return res.GetServices(), res.GetNextPageToken(), err
	})
}
