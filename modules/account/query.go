package account

import (
	"github.com/holiman/uint256"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Get returns an account and whether it exists.
func Get(g state.Getter, a tx.Address) (*accountv1.Account, bool) { return accounts.Get(g, a) }

// Exists says whether an account is open, frozen or not.
func Exists(g state.Getter, a tx.Address) bool { return accounts.Has(g, a) }

// Exists says whether an account is open, frozen or not.
func (m *Module) Exists(g state.Getter, a tx.Address) bool { return Exists(g, a) }

// IsFrozen says whether an account is frozen at a time in unix milliseconds.
func (m *Module) IsFrozen(g state.Getter, a tx.Address, now int64) bool {
	account, ok := accounts.Get(g, a)
	return ok && Frozen(account, now)
}

// KeyOf returns the address of the key that may act for an account at a time, in unix milliseconds; none may if the account is frozen,
// acts by a rule, or there is none.
func (m *Module) KeyOf(g state.Getter, a tx.Address, now int64) (tx.Address, bool) {
	account, ok := accounts.Get(g, a)
	if !ok || account.GetRuled() || Frozen(account, now) {
		return tx.Address{}, false
	}
	return tx.Address(account.GetKey()), true
}

// IsKeyOf says whether a key, given by its address, acts for an account alone or is one of its rule's.
func IsKeyOf(g state.Getter, address tx.Address, a *accountv1.Account, key tx.Address) bool {
	if !a.GetRuled() {
		return tx.Address(a.GetKey()) == key
	}
	rule, _ := rules.Get(g, address)
	return inRule(rule, key)
}

// Ascend calls fn for each account in order of address until fn returns false.
func Ascend(r state.Reader, fn func(tx.Address, *accountv1.Account) bool) {
	accounts.Ascend(r, nil, fn)
}

// FreezesOf lists the last freezes and renewals of an account, at most MaxFreezes, the newest last.
func FreezesOf(g state.Getter, a tx.Address) []*accountv1.FreezeState { return freezesOf(g, a) }

// RecoveryOf is an account's recovery at a time in unix milliseconds: the rules in force, those that wait, and what has been begun.
func RecoveryOf(g state.Getter, a tx.Address, now int64) *accountv1.Recovery {
	return recoveryOf(g, a, now)
}

// OfKey returns the account that a key, given by its address, acts for now, and whether there is one.
func OfKey(g state.Getter, key tx.Address) (tx.Address, bool) {
	owner, ok := ownerOf(g, key)
	if !ok {
		return owner, false
	}
	a, ok := accounts.Get(g, owner)
	return owner, ok && !a.GetRuled() && tx.Address(a.GetKey()) == key
}

// HasRule says whether a rule over keys acts for an account.
func (m *Module) HasRule(g state.Getter, a tx.Address) bool {
	_, ok := GetRule(g, a)
	return ok
}

// GetRule returns the rule that acts for an account, and whether one does.
func GetRule(g state.Getter, a tx.Address) (*accountv1.Rule, bool) { return rules.Get(g, a) }

// RuleKey is the raw state key of an account's rule, for state proofs.
func RuleKey(a tx.Address) []byte { return rules.Key(a) }

// GetProposal returns an open proposal of an account, expired or not.
func GetProposal(g state.Getter, id ProposalID) (*accountv1.Proposal, bool) {
	return proposals.Get(g, id)
}

// AscendProposals calls fn for each open proposal of an account, expired ones too, in order of number until fn returns false.
func AscendProposals(r state.Reader, a tx.Address, fn func(number uint64, p *accountv1.Proposal) bool) {
	proposals.Ascend(r, a[:], func(id ProposalID, p *accountv1.Proposal) bool { return fn(id.Number, p) })
}

// Weights are the weight of the keys that approve a proposal and the weight that it takes under a rule.
func Weights(rule *accountv1.Rule, p *accountv1.Proposal) (weight, needs uint32) {
	return approving(rule, p), needed(rule, kinds(p.GetKinds()))
}

// SpentInWindow is what counts at a time, in unix milliseconds, against the limit per window that an account's rule has for an asset: what
// was spent less than the window, and at most a 24th of it more, ago.
func SpentInWindow(g state.Getter, a tx.Address, limit *accountv1.Limit, now int64) uint256.Int {
	u, _ := usages.Get(g, expense{a, limit.GetAsset()})
	return total(within(u.GetSpent(), now, limit.GetWindowMs()))
}

// Key is the raw state key of an account, for state proofs.
func Key(a tx.Address) []byte { return accounts.Key(a) }

// Key is the raw state key of an account.
func (m *Module) Key(a tx.Address) []byte { return Key(a) }
