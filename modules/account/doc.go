// Package account holds the accounts of the ledger: who exists, which key acts for whom, who vouches for whom.
//
// An account is opened by a member, its sponsor, for a key; the account's address is that key's address for good.
// A later rotation changes the key that acts, never the address.
//
// # Invariants
//
//  1. An account's address, sponsor and key address are 20 bytes; its sponsor is itself an account.
//  2. No key acts for two accounts: a key address is either the address of the one account that still has its first
//     key, or is in the table of rotated keys under the one account that has it.
//  3. The address of a key that acts for another account is not itself an account.
//  4. The account of a member is not frozen. An account that is not frozen has no reason for being frozen.
//
// # State
//
//	"Aa" address (20)      dure.account.v1.Account
//	"Ak" key address (20)  address of the account the key acts for; only for keys brought by RotateKey
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
//	account.bad_text         the reason is too long or has forbidden characters
//	account.bad_address      not 20 bytes
//	key.malformed            not a usable public key of its kind
package account
