package consensus

import "github.com/dureledger/dure/ledger/exec"

// early says whether a transaction of ours was void only because its block had an old time: too far ahead of that time,
// but not of this node's clock, by which it was taken. It then gets a second chance, one only, in place of an answer. A
// void transaction leaves nothing behind, not even its id, so nothing can happen twice. The caller holds mu.
func (p *Pool) early(e *entry, v *exec.Void) bool {
	if e.again || v.Refusal.Code != "tx.too_far_ahead" || e.finished() || p.check(e.tx) != nil {
		return false
	}
	e.again = true
	if e.batch != (Hash{}) && !p.undecided(e.batch) { // else it waits in line, or its own batch does: this was another's copy
		e.batch = Hash{}
		p.checked = append(p.checked, e)
		wake(p.wakeSeal)
	}
	return true
}
