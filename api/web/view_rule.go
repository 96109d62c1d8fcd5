package web

// Rule is what acts for an account in the place of a key. Amounts are written with the decimals of their asset, times such as 24h.
type Rule struct {
	Keys                 []RuleKey
	Spend, Manage, Other uint32
	Limits               []Limit
	// Receivers are who may receive; none: anyone.
	Receivers []Value
	// Wait is empty if nothing has to wait.
	Wait        string
	ManageWaits bool
}

// RuleKey is a key of a rule, by its address.
type RuleKey struct {
	Key, Kind string
	Weight    uint32
}

// Limit is what an account may spend of an asset; what is empty is no limit.
type Limit struct {
	Asset, PerTransaction, PerWindow, Window, WaitOver string
	// Spent counts against PerWindow now, Left is the rest of it.
	Spent, Left string
}

// Proposal is an open proposal of an account.
type Proposal struct {
	Number uint64
	Reason string
	// State is "open", "approved" or "expired".
	State          string
	Weight, Needed uint32
	// Proposer and Approvals are addresses of keys.
	Proposer  string
	Approvals []string
	Actions   []Row
	ExpiresAt int64
	// WaitsUntil is 0 if nothing has to wait.
	WaitsUntil int64
}
