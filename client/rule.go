package client

import (
	"context"
	"fmt"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// SetRule puts a rule over keys in the place of what acts for an account. Keys that do not act for it yet must sign too.
func (d *Draft) SetRule(account tx.Address, rule *accountv1.Rule) *Draft {
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountSetRule{AccountSetRule: &accountv1.SetRule{Rule: rule}}})
}

// AsProposal makes of everything that the draft does, which must be one account's doing, a proposal for the keys of its rule to approve until
// it expires. The reason, at most 256 bytes, is public.
func (d *Draft) AsProposal(reason string, expires time.Time) *Draft {
	if len(d.actions) == 0 {
		return d // Body says what is missing
	}
	account := d.actions[0].GetActor()
	call := &accountv1.Propose{Reason: reason, ExpiresAt: expires.UnixMilli()}
	for _, action := range d.actions {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(action)
		if err != nil {
			d.err = fmt.Errorf("client: %w", err)
			return d
		}
		call.Actions = append(call.Actions, raw)
	}
	d.actions = []*txv1.Action{{Actor: account, Call: &txv1.Action_AccountPropose{AccountPropose: call}}}
	return d
}

// ApproveProposal approves a proposal of an account with the keys that sign. When they are enough it happens at once, unless it has to wait.
func (d *Draft) ApproveProposal(account tx.Address, number uint64) *Draft {
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountApprove{AccountApprove: &accountv1.Approve{Proposal: number}}})
}

// WithdrawProposal takes the approvals of the keys that sign back, or ends a proposal when its proposer signs.
func (d *Draft) WithdrawProposal(account tx.Address, number uint64) *Draft {
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountWithdraw{AccountWithdraw: &accountv1.Withdraw{Proposal: number}}})
}

// ExecuteProposal does what enough keys have approved, such as after it has waited.
func (d *Draft) ExecuteProposal(account tx.Address, number uint64) *Draft {
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountExecute{AccountExecute: &accountv1.Execute{Proposal: number}}})
}

// LockAccount stops an account that has a rule from doing anything but managing its keys.
func (d *Draft) LockAccount(account tx.Address, reason string) *Draft {
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountLock{AccountLock: &accountv1.Lock{Reason: reason}}})
}

// UnlockAccount lets a locked account act again.
func (d *Draft) UnlockAccount(account tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountUnlock{AccountUnlock: &accountv1.Unlock{}}})
}

// AccountProposals lists the open proposals of an account, newest first.
func (c *Client) AccountProposals(ctx context.Context, account tx.Address) iter.Seq2[*apiv1.AccountProposal, error] {
	return pages(func(token string) ([]*apiv1.AccountProposal, string, error) {
		res, err := read(ctx, c, &apiv1.ListAccountProposalsRequest{Address: account.String(), PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListAccountProposalsRequest, apiv1.ListAccountProposalsResponse] {
				return n.account.ListAccountProposals
			})
		return res.GetProposals(), res.GetNextPageToken(), err
	})
}
