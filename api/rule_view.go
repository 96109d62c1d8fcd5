package api

import (
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"

	"github.com/dureledger/dure/api/web"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// ruleView adds the rule of an account to its page, and its open proposals, if it has a rule.
func (s *Server) ruleView(st state.Reader, a tx.Address, v *web.Account) error {
	rule := ruleOf(st, a, s.ledger.Status().Time.UnixMilli())
	if rule == nil {
		return nil
	}
	v.Rule = &web.Rule{Spend: rule.GetSpend(), Manage: rule.GetManage(), Other: rule.GetOther(), ManageWaits: rule.GetManageWaits()}
	if rule.GetWaitMs() > 0 {
		v.Rule.Wait = duration(rule.GetWaitMs())
	}
	for _, k := range rule.GetKeys() {
		v.Rule.Keys = append(v.Rule.Keys, web.RuleKey{Key: k.GetKey(), Kind: k.GetKind(), Weight: k.GetWeight()})
	}
	for _, l := range rule.GetLimits() {
		v.Rule.Limits = append(v.Rule.Limits, limitView(st, l))
	}
	for _, r := range rule.GetReceivers() {
		v.Rule.Receivers = append(v.Rule.Receivers, party(st, r))
	}
	list, _, err := s.accountProposals(st, a, index.Page{Size: index.MaxPage})
	for _, p := range list {
		shown := web.Proposal{
			Number: p.GetNumber(), Reason: p.GetReason(), State: p.GetState(), Weight: p.GetWeight(), Needed: p.GetNeeded(), Proposer: p.GetProposer(),
			Approvals: p.GetApprovals(), ExpiresAt: milliseconds(p.GetExpiresAt()), WaitsUntil: milliseconds(p.GetWaitsUntil()),
		}
		for _, action := range p.GetActions() {
			shown.Actions = append(shown.Actions, web.Row{Call: action.GetCall(), Parts: summary(st, action)[1:]}) // who acts is the account
		}
		v.Proposals = append(v.Proposals, shown)
	}
	return err
}

func limitView(st state.Reader, l *apiv1.AccountLimit) web.Limit {
	shown := func(amount string) string {
		if amount == "" {
			return ""
		}
		return amountOf(st, amount, l.GetAsset()).Text
	}
	return web.Limit{
		Asset: l.GetAsset(), PerTransaction: shown(l.GetPerTransaction()), PerWindow: shown(l.GetPerWindow()), Window: duration(l.GetWindowMs()),
		WaitOver: shown(l.GetWaitOver()), Spent: shown(l.GetSpent()), Left: shown(l.GetLeft()),
	}
}

// duration writes milliseconds such as 24h or 1h30m.
func duration(ms int64) string {
	text := (time.Duration(ms) * time.Millisecond).String()
	for _, none := range []string{"m0s", "h0m"} {
		if n := len(text) - len(none); n > 0 && text[n:] == none {
			text = text[:n+1]
		}
	}
	return text
}
