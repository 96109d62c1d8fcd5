// Package account holds the accounts of the ledger: who exists, which key acts for whom, who vouches for whom.
//
// An account is opened by a member, its sponsor, for a key; the account's address is that key's address for good.
// A later rotation changes the key that acts, never the address.
//
// # Invariants
//
//  1. An account's address, sponsor and key address are 20 bytes; its sponsor is itself an account. An account has a key or a rule, never both.
//  2. No key acts for two accounts: a key address is either the address of the one account that still has its first
//     key, or is in the table of rotated keys under the one account that has it.
//  3. The address of a key that acts for another account is not itself an account.
//  4. The account of a member is not frozen. An account that is not frozen has no reason for being frozen.
//  5. The keys of a rule are distinct and weigh at least what each kind of action takes. A device has no rule.
//  6. Only an account with a rule is locked, has proposals, or has what it spent remembered, and that for assets its rule limits.
//  7. Those who approve a proposal are distinct keys of the rule, and it is approved exactly while they weigh enough.
//
// # Rules
//
// A rule names keys with weights, how much weight each kind of action takes, limits of what is spent of an asset, who may receive, and what has
// to wait. The keys of a rule act together and for no account alone, so unlike the one key of an account they may be in several rules and may
// be some account's own key. Spend counts what leaves the account: modules whose actions move money ask it.
//
// What a single key may do alone is to propose, approve, withdraw, execute, and lock the account. An action that is proposed runs inside the
// one that brings the last approval, or inside execute: with the same checks, and with it or not at all.
//
// # State
//
//	"Aa" address (20)      dure.account.v1.Account
//	"Ak" key address (20)  address of the account the key acts for; only for keys brought by RotateKey
//	"Ar" address (20)      dure.account.v1.Rule, if one acts for the account
//	"Au" address (20) asset 0x00         dure.account.v1.Usage
//	"Ap" address (20) number (8, big-endian)  dure.account.v1.Proposal, while it is open
//
// # Refusals
//
//	account.unknown          there is no such account
//	account.not_authorised   no witness is the account's key
//	account.frozen           the sponsor has stopped the account
//	account.not_member       only a member may open, freeze and unfreeze
//	account.exists           the key's account is open already
//	account.key_in_use       the key acts for another account, or is the first key of another
//	account.same_key         the new key is the one that acts already
//	account.key_not_witnessed the new key has not signed the transaction
//	account.not_sponsor      only the sponsor may freeze and unfreeze
//	account.is_member        a member's own account cannot be frozen
//	account.already_frozen   it is frozen
//	account.not_frozen       it is not frozen
//	account.too_few_keys     the keys that have signed or approved weigh too little
//	account.locked           the account has locked itself
//	account.already_locked   it is locked
//	account.not_locked       it is not locked
//	account.no_rule          only an account with a rule may
//	account.bad_rule         the rule contradicts itself or breaks a bound
//	account.is_device        a device acts by one key
//	account.must_wait        only a proposal that has waited may
//	account.over_transaction_limit more than the rule allows in one transaction
//	account.over_window_limit more than the rule allows in a span of time
//	account.receiver_not_allowed the rule does not name the receiver
//	account.bad_proposal     the proposal has too much in it, or what cannot be proposed
//	account.unknown_proposal it is not open
//	account.proposal_expired it can only be withdrawn
//	account.already_approved every key that has signed approves it already
//	account.not_approved     no key that has signed approves it
//	account.too_many_proposals one key has too many open
//	account.bad_text         the reason is too long or has forbidden characters
//	account.bad_address      not 20 bytes
//	key.malformed            not a usable public key of its kind
package account
