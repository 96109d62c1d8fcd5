// Package account holds the accounts of the ledger: who exists, which key acts for whom, who vouches for whom.
//
// An account is opened by a member, its sponsor, for a key; the account's address is that key's address for good.
// A later rotation changes the key that acts, never the address. An account may move to another sponsor with that one's signature.
//
// # Freezing
//
// A sponsor may stop an account on a stated ground until a stated time, when the freeze lifts by itself unless it is renewed. Who is
// frozen may do one thing: appeal, once for each freeze and renewal. The sponsor cannot renew or freeze anew before it has answered.
//
// # Recovery
//
// When a key is lost, guardians whom the account has chosen, or its sponsor if the account lets it, name a new key. It acts after a
// waiting time in which the present key may object. What the account may do meanwhile is unchanged, but for its rules of recovery
// and its sponsor. New rules take effect only after the waiting time of the old ones, which a recovery or a freeze holds up, so that
// who steals the key does not shake off the guardians. A key that objects wins against guardians alone; what wins against a stolen key
// is a freeze, under which it cannot object, together with guardians. A sponsor that both freezes and recovers has to let a whole
// waiting time pass after each of its steps, and to answer an appeal.
// docs/decisions/091-recovery.md says what that protects against whom.
//
// # Invariants
//
//  1. An account's address, sponsor and key address are 20 bytes; its sponsor is itself an account. An account has a key or a rule, never both.
//  2. No key acts for two accounts: a key address is either the address of the one account that still has its first
//     key, or is in the table of rotated keys under the one account that has it.
//  3. The address of a key that acts for another account is not itself an account.
//  4. The account of a member is not frozen, and no recovery of it waits.
//  5. Of an account that was frozen the last freezes are kept, at most 8, none of which ran into the next. Only the newest may be in force
//     or have an appeal without answer. An account is frozen until its newest freeze ends.
//  6. Rules of recovery name at most 16 guardians, of whom as many must agree as there are at most, and at least one if there are any;
//     their waiting time is one hour to 30 days.
//  7. A recovery can be finished at a time if and only if enough guardians have agreed or it rests on the sponsor, whom the rules let, and
//     then at the earliest an hour after it was begun. Who has agreed is a guardian, and counts once.
//  8. The new key of a recovery is kept for its account, until another recovery or change of rules takes its place, and for no other.
//  9. The keys of a rule are distinct and weigh at least what each kind of action takes. A device has no rule.
//  10. Only an account with a rule is locked, has proposals, or has what it spent remembered, and that for assets its rule limits.
//  11. Those who approve a proposal are distinct keys of the rule, and it is approved exactly while they weigh enough.
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
//	"Ak" key address (20)  address of the account the key acts for; only for keys brought by RotateKey or a recovery
//	"Af" address (20)      dure.account.v1.Freezes; only of accounts that have been frozen
//	"Ar" address (20)      dure.account.v1.Recovery; only of accounts that have set rules or that somebody has begun to recover
//	"An" key address (20)  address of the account that a recovery brings the key to
//	"Al" address (20)      dure.account.v1.Rule, if one acts for the account
//	"Au" address (20) asset 0x00         dure.account.v1.Usage
//	"Ap" address (20) number (8, big-endian)  dure.account.v1.Proposal, while it is open
//
// # Refusals
//
//	account.unknown          there is no such account
//	account.not_authorised   no witness is the account's key
//	account.frozen           the sponsor has stopped the account
//	account.not_member       only a member may open, freeze, unfreeze, answer and sponsor
//	account.exists           the key's account is open already
//	account.key_in_use       the key acts for another account or soon will, or is the first key of another
//	account.same_key         the new key is the one that acts already
//	account.key_not_witnessed the new key has not signed the transaction
//	account.not_sponsor      only the sponsor may freeze, unfreeze and answer
//	account.is_member        a member's own account cannot be frozen, recovered or put under another sponsor
//	account.already_frozen   it is frozen
//	account.not_frozen       it is not frozen
//	account.bad_basis        a freeze without a ground, or by an order without its digest
//	account.bad_end          a freeze that does not end, or later than 366 days from now
//	account.bad_digest       not 32 bytes
//	account.appealed         it has appealed against this freeze already
//	account.no_appeal        no appeal waits for an answer
//	account.appeal_open      an appeal has to be answered first
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
//	account.bad_wait         a waiting time of less than an hour or more than 30 days
//	account.bad_guardians    too many guardians, one twice, the account itself, or a number that cannot agree
//	account.not_guardian     the actor may not recover the account
//	account.recovery_waits   a recovery has to end first
//	account.no_recovery      no recovery to this key waits
//	account.has_agreed       the guardian has agreed already
//	account.too_few_agreed   not enough guardians have agreed
//	account.too_early        the waiting time has not passed
//	account.too_many_objections the account has objected to three recoveries within 30 days
//	account.may_not_object   only the account may object, and who began the recovery take it back
//	account.same_sponsor     the sponsor is the one it has
//	account.sponsor_not_witnessed the new sponsor has not signed the transaction
//	key.malformed            not a usable public key of its kind
package account
