package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
)

// appeal objects to the freeze of the actor. It is the one action that an account which is frozen may do, and so touches nothing
// but what is kept of the freeze.
func (m *Module) appeal(c *exec.Context, call *accountv1.Appeal) error {
	if err := checkPlea("appeal", call.GetText(), call.GetDigest()); err != nil {
		return err
	}
	a, ok := accounts.Get(c.View, c.Actor)
	if !ok {
		return unknown(c.Actor)
	}
	if !Frozen(a, c.Time) {
		return notFrozen(c.Actor)
	}
	list := freezesOf(c.View, c.Actor)
	last := list[len(list)-1]
	if last.GetAppeal() != nil {
		return fault.New("account.appealed", c.Actor.String()+" has appealed against this freeze already. It may appeal anew when the freeze is renewed.", "account", c.Actor)
	}
	last.Appeal = &accountv1.AppealState{Text: call.GetText(), Digest: call.GetDigest(), FiledAt: c.Time}
	frozen.Set(c.View, c.Actor, &accountv1.Freezes{List: list})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountAppealed{
		AccountAppealed: &accountv1.Appealed{Account: c.Actor[:], Text: call.GetText(), Digest: call.GetDigest()},
	}})
	return nil
}

// answer answers the appeal of an account against its newest freeze, which may have ended meanwhile.
func (m *Module) answer(c *exec.Context, call *accountv1.AnswerAppeal) error {
	if err := checkPlea("answer", call.GetText(), call.GetDigest()); err != nil {
		return err
	}
	address, a, err := m.sponsored(c, call.GetAccount(), "answer appeals of")
	if err != nil {
		return err
	}
	list := freezesOf(c.View, address)
	open := appealOpen(list)
	if open == nil {
		return fault.New("account.no_appeal", "No appeal of "+address.String()+" waits for an answer.", "account", address)
	}
	if call.GetLift() && !Frozen(a, c.Time) {
		return notFrozen(address)
	}
	open.Answer, open.AnswerDigest, open.AnsweredAt = call.GetText(), call.GetDigest(), c.Time
	frozen.Set(c.View, address, &accountv1.Freezes{List: list})
	m.waitAnew(c, address)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_AccountAppealAnswered{AccountAppealAnswered: &accountv1.AppealAnswered{
		Account: address[:], Text: call.GetText(), Digest: call.GetDigest(), Lifted: call.GetLift(),
	}}})
	if call.GetLift() {
		m.thaw(c, address, a)
	}
	return nil
}

func checkPlea(field, plea string, digest []byte) error {
	if err := text.Check("account.bad_text", field, plea, 1, MaxAppeal); err != nil {
		return err
	}
	return checkDigest(digest)
}

// appealOpen is the appeal that waits for an answer, nil if none does. Only the newest freeze can have one.
func appealOpen(list []*accountv1.FreezeState) *accountv1.AppealState {
	if len(list) == 0 {
		return nil
	}
	if a := list[len(list)-1].GetAppeal(); a != nil && a.GetAnsweredAt() == 0 {
		return a
	}
	return nil
}
