package api

import (
	"context"
	"encoding/hex"
	"slices"

	"connectrpc.com/connect"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// ListAccountEvents finds the events in the index and reads them from the ledger.
func (s *accountService) ListAccountEvents(ctx context.Context, r *connect.Request[apiv1.ListAccountEventsRequest]) (*connect.Response[apiv1.ListAccountEventsResponse], error) {
	a, err := parseAddress("address", r.Msg.GetAddress())
	if err != nil {
		return nil, err
	}
	events, next, err := s.accountEvents(ctx, a, page(r.Msg))
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.ListAccountEventsResponse{Events: events, NextPageToken: next}), nil
}

func (s *Server) accountEvents(ctx context.Context, a tx.Address, p index.Page) (out []*apiv1.AccountEvent, next string, err error) {
	if s.index == nil {
		return nil, "", errNoIndex
	}
	keys, next, err := s.index.AccountEvents(ctx, a, p)
	if err != nil {
		return nil, "", err
	}
	for _, k := range keys {
		entries, err := s.ledger.Entries(k.Seq, 1)
		if err != nil {
			return nil, "", err
		}
		if len(entries) != 1 || k.Event >= len(entries[0].Outcome.GetEvents()) {
			continue // the index is of a ledger that this node no longer has in full
		}
		o := entries[0].Outcome
		name, fields := oneofOf(o.GetEvents()[k.Event].ProtoReflect(), "kind")
		out = append(out, &apiv1.AccountEvent{
			Transaction: hex.EncodeToString(o.GetId()), Height: o.GetHeight(), Time: timestamp(o.GetTime()),
			Event: &apiv1.Event{Name: name, Action: o.GetEvents()[k.Event].GetAction(), Fields: fields},
		})
	}
	return out, next, nil
}

// accountOf is an account as it is at a time in unix milliseconds.
func accountOf(st state.Reader, a tx.Address, acc *accountv1.Account, now int64) *apiv1.Account {
	out := &apiv1.Account{
		Address: a.String(), Sponsor: address(acc.GetSponsor()), Key: address(acc.GetKey()), OpenedAt: timestamp(acc.GetOpenedAt()),
		LockedAt: timestamp(acc.GetLockedAt()), LockReason: acc.GetLockReason(), Rule: ruleOf(st, a, now),
	}
	if !acc.GetRuled() {
		out.KeyKind = tx.KindName(acc.GetKind())
	}
	if list := index.ReadFreezes(st, a); index.Frozen(acc, now) && len(list) > 0 {
		out.Frozen, out.FreezeReason, out.FrozenUntil = true, list[len(list)-1].GetReason(), timestamp(acc.GetFrozenUntilAt())
	}
	return out
}

// freezesOf are the last freezes of an account at a time, newest first.
func freezesOf(st state.Reader, a tx.Address, now int64) []*apiv1.AccountFreeze {
	acc, _ := index.ReadAccount(st, a)
	var out []*apiv1.AccountFreeze
	list := index.ReadFreezes(st, a)
	for i, f := range slices.Backward(list) {
		shown := &apiv1.AccountFreeze{
			By: address(f.GetBy()), Basis: index.Ground(f.GetBasis()), Reason: f.GetReason(), Digest: hex.EncodeToString(f.GetDigest()),
			OrderedAt: timestamp(f.GetOrderedAt()), EndsAt: timestamp(f.GetEndsAt()), EndedAt: timestamp(f.GetEndedAt()), Renewal: f.GetRenewal(),
			InForce: i == len(list)-1 && index.Frozen(acc, now),
		}
		if p := f.GetAppeal(); p != nil {
			shown.Appeal = &apiv1.AccountAppeal{
				Text: p.GetText(), Digest: hex.EncodeToString(p.GetDigest()), FiledAt: timestamp(p.GetFiledAt()),
				Answer: p.GetAnswer(), AnswerDigest: hex.EncodeToString(p.GetAnswerDigest()), AnsweredAt: timestamp(p.GetAnsweredAt()),
			}
		}
		out = append(out, shown)
	}
	return out
}

// recoveryOf is an account's recovery at a time in unix milliseconds.
func recoveryOf(st state.Reader, a tx.Address, now int64) *apiv1.AccountRecovery {
	r := index.ReadRecovery(st, a, now)
	out := &apiv1.AccountRecovery{Rules: rulesOf(r.GetRules()), Next: rulesOf(r.GetNext()), NextAt: timestamp(r.GetNextAt())}
	if q := r.GetRequest(); q != nil {
		out.Request = &apiv1.AccountRecoveryRequest{
			Key: address(q.GetKey()), KeyKind: tx.KindName(q.GetKind()), BegunBy: address(q.GetBegunBy()), BySponsor: q.GetBySponsor(), Agreed: addressesOf(q.GetAgreed()),
			BegunAt: timestamp(q.GetBegunAt()), ReadyAt: timestamp(q.GetReadyAt()), LapsesAt: timestamp(q.GetLapsesAt()),
		}
	}
	return out
}

func rulesOf(r *accountv1.RecoveryRules) *apiv1.AccountRecoveryRules {
	if r == nil {
		return nil
	}
	return &apiv1.AccountRecoveryRules{Guardians: addressesOf(r.GetGuardians()), Threshold: r.GetThreshold(), WaitMs: r.GetWaitMs(), Sponsor: r.GetSponsor()}
}

func addressesOf(list [][]byte) (out []string) {
	for _, b := range list {
		out = append(out, address(b))
	}
	return out
}
