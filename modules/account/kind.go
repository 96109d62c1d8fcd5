package account

import (
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
)

// kinds is a set of kinds of action. Each takes a weight of keys of its own.
type kinds uint32

const (
	spends  kinds = 1 << iota // takes money out of the account, or decides about money set aside
	manages                   // changes who acts for the account, or how
	others                    // everything else
	// alone is what one key of a rule may do by itself.
	alone kinds = 0
)

// kindOf says which kind an action is, given its call. What is forgotten here is among others; Spend asks for the weight for spending in
// any case.
func kindOf(call any) kinds {
	switch call.(type) {
	case *txv1.Action_AssetTransfer, *txv1.Action_AssetIssue, *txv1.Action_AssetRedeem, *txv1.Action_AssetHold, *txv1.Action_AssetRelease,
		*txv1.Action_StreamFund:
		return spends
	case *txv1.Action_AccountSetRule, *txv1.Action_AccountRotateKey, *txv1.Action_AccountUnlock,
		*txv1.Action_AccountSetRecovery, *txv1.Action_AccountObjectRecovery, *txv1.Action_AccountSetSponsor:
		return manages
	case *txv1.Action_AccountPropose, *txv1.Action_AccountApprove, *txv1.Action_AccountWithdraw, *txv1.Action_AccountExecute,
		*txv1.Action_AccountLock, *txv1.Action_AccountAppeal:
		return alone
	}
	return others
}

// needed is the weight that all of these kinds take together: the largest. What one key may do alone takes 1.
func needed(rule *accountv1.Rule, k kinds) uint32 {
	most := uint32(1)
	if k&spends != 0 {
		most = max(most, rule.GetSpend())
	}
	if k&manages != 0 {
		most = max(most, rule.GetManage())
	}
	if k&others != 0 {
		most = max(most, rule.GetOther())
	}
	return most
}

// names says what kinds are, for people.
func (k kinds) String() string {
	switch {
	case k&manages != 0:
		return "managing the account"
	case k&spends != 0:
		return "spending"
	case k&others != 0:
		return "this"
	}
	return "proposing"
}
