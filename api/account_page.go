package api

import (
	"context"
	"slices"

	"github.com/dureledger/dure/api/web"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// historyRows is how much of what was done to an account its page shows; ListAccountEvents has all of it.
const historyRows = 20

// guardView fills in who may stop and recover an account, and what was done to it, as it is at a time in unix milliseconds.
func (s *Server) guardView(ctx context.Context, st state.Reader, a tx.Address, acc *accountv1.Account, now int64, v *web.Account) error {
	v.Frozen = index.Frozen(acc, now)
	list := index.ReadFreezes(st, a)
	for i, f := range slices.Backward(list) {
		v.Freezes = append(v.Freezes, s.freezeView(f, v.Frozen && i == len(list)-1))
	}
	if v.Member == "" {
		v.Recovery = recoveryView(index.ReadRecovery(st, a, now))
	}
	events, _, err := s.accountEvents(ctx, a, index.Page{Size: historyRows})
	for _, e := range events {
		v.Events = append(v.Events, web.AccountEvent{Name: e.GetEvent().GetName(), Transaction: e.GetTransaction(), Time: milliseconds(e.GetTime())})
	}
	return err
}

func (s *Server) freezeView(f *accountv1.FreezeState, inForce bool) web.Freeze {
	by, _ := tx.ToAddress(f.GetBy())
	v := web.Freeze{
		By: by.String(), ByName: s.memberName(by), Basis: index.Ground(f.GetBasis()), Reason: f.GetReason(), Digest: bytesText(f.GetDigest()),
		OrderedAt: f.GetOrderedAt(), EndsAt: f.GetEndsAt(), EndedAt: f.GetEndedAt(), Renewal: f.GetRenewal(), InForce: inForce,
	}
	if p := f.GetAppeal(); p != nil {
		v.Appeal = &web.Appeal{
			Text: p.GetText(), Digest: bytesText(p.GetDigest()), FiledAt: p.GetFiledAt(),
			Answer: p.GetAnswer(), AnswerDigest: bytesText(p.GetAnswerDigest()), AnsweredAt: p.GetAnsweredAt(),
		}
	}
	return v
}

func recoveryView(r *accountv1.Recovery) *web.Recovery {
	v := &web.Recovery{Rules: rulesView(r.GetRules()), NextAt: r.GetNextAt()}
	if r.GetNext() != nil {
		next := rulesView(r.GetNext())
		v.Next = &next
	}
	if q := r.GetRequest(); q != nil {
		v.Key, v.BegunBy, v.BySponsor, v.Agreed = address(q.GetKey()), address(q.GetBegunBy()), q.GetBySponsor(), addressesOf(q.GetAgreed())
		v.BegunAt, v.ReadyAt, v.LapsesAt = q.GetBegunAt(), q.GetReadyAt(), q.GetLapsesAt()
	}
	return v
}

func rulesView(r *accountv1.RecoveryRules) web.RecoveryRules {
	return web.RecoveryRules{
		Guardians: addressesOf(r.GetGuardians()), Threshold: r.GetThreshold(), Sponsor: r.GetSponsor(),
		Wait: spanText(r.GetWaitMs()),
	}
}
