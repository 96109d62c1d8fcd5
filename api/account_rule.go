package api

import (
	"context"

	"connectrpc.com/connect"
	"github.com/holiman/uint256"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// ruleOf is the rule of an account with what counts against its limits at a time; nil for an account that acts by one key.
func ruleOf(st state.Reader, a tx.Address, now int64) *apiv1.AccountRule {
	rule, ok := index.ReadRule(st, a)
	if !ok {
		return nil
	}
	out := &apiv1.AccountRule{
		Spend: rule.GetSpend(), Manage: rule.GetManage(), Other: rule.GetOther(), WaitMs: rule.GetWaitMs(), ManageWaits: rule.GetManageWaits(),
	}
	for _, k := range rule.GetKeys() {
		out.Keys = append(out.Keys, &apiv1.AccountRuleKey{Key: address(k.GetKey()), Kind: tx.KindName(k.GetKind()), Weight: k.GetWeight()})
	}
	for _, l := range rule.GetLimits() {
		out.Limits = append(out.Limits, limitOf(st, a, l, now))
	}
	for _, r := range rule.GetReceivers() {
		out.Receivers = append(out.Receivers, address(r))
	}
	return out
}

func limitOf(st state.Reader, a tx.Address, l *accountv1.Limit, now int64) *apiv1.AccountLimit {
	out := &apiv1.AccountLimit{
		Asset: l.GetAsset(), PerTransaction: l.GetPerTransaction(), PerWindow: l.GetPerWindow(), WindowMs: l.GetWindowMs(), WaitOver: l.GetWaitOver(),
	}
	most, err := tx.ParseAmount(l.GetPerWindow())
	if err != nil { // there is none
		return out
	}
	spent := index.ReadSpent(st, a, l, now)
	var left uint256.Int
	if most.Gt(&spent) {
		left.Sub(&most, &spent)
	}
	out.Spent, out.Left = spent.Dec(), left.Dec()
	return out
}

func (s *accountService) ListAccountProposals(_ context.Context, r *connect.Request[apiv1.ListAccountProposalsRequest]) (*connect.Response[apiv1.ListAccountProposalsResponse], error) {
	a, err := parseAddress("address", r.Msg.GetAddress())
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	list, next, err := s.accountProposals(st, a, page(r.Msg))
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.ListAccountProposalsResponse{Proposals: list, NextPageToken: next}), nil
}

func (s *Server) accountProposals(st state.Reader, a tx.Address, p index.Page) ([]*apiv1.AccountProposal, string, error) {
	list, next, err := index.ReadAccountProposals(st, a, p)
	if err != nil {
		return nil, "", err
	}
	rule, _ := index.ReadRule(st, a)
	now := s.ledger.Status().Time.UnixMilli()
	var out []*apiv1.AccountProposal
	for _, found := range list {
		out = append(out, proposalOf(a, rule, found, now))
	}
	return out, next, nil
}

func proposalOf(a tx.Address, rule *accountv1.Rule, p index.AccountProposal, now int64) *apiv1.AccountProposal {
	out := &apiv1.AccountProposal{
		Account: a.String(), Number: p.Number, Reason: p.GetReason(), Proposer: address(p.GetProposer()), Weight: p.Weight, Needed: p.Needed, State: "open",
		OpenedAt: timestamp(p.GetOpenedAt()), ExpiresAt: timestamp(p.GetExpiresAt()), ApprovedAt: timestamp(p.GetApprovedAt()),
	}
	for _, raw := range p.GetActions() {
		if action, err := tx.DecodeAction(raw); err == nil { // the ledger has read it
			out.Actions = append(out.Actions, actionOf(action))
		}
	}
	for _, key := range p.GetApprovals() {
		out.Approvals = append(out.Approvals, address(key))
	}
	if p.GetApprovedAt() != 0 {
		out.State = "approved"
		if rule.GetWaitMs() > 0 {
			out.WaitsUntil = timestamp(p.GetApprovedAt() + rule.GetWaitMs())
		}
	}
	if p.GetExpiresAt() <= now {
		out.State = "expired"
	}
	return out
}
