// Package network holds the members of the network, their voting power in consensus and the parameters they agreed on,
// all changed by vote of the members.
//
// A change is proposed by a member, who thereby votes for it, and happens in the block in which more than two thirds
// of the members have voted for it: one member one vote, whatever its power in consensus. Votes are counted when one is
// cast. A vote that would bring about what has become impossible (the member is there already, say) is refused.
//
// # Invariants
//
//  1. There are 1 to 100 members, each with an open account, a name, and two usable Ed25519 keys; no two keys of the
//     network are the same.
//  2. A member's power is 0 to 1,000,000; at least one member validates.
//  3. The parameters are within their limits (parameters.go), the app version one that the binary knows. At most 64 outside
//     witnesses are among them (witness.go), with different names and keys, of whom no more are asked for than there are.
//  4. At most 64 proposals are open, at most 8 of one member; their votes are of members, each once.
//  5. A closed proposal has been enacted or has expired, and never changes. Ids count up from 1.
//  6. Of a validator at most 16 pieces of evidence are kept, and no fewer were counted.
//
// Evidence that a validator signed twice comes from consensus, in blocks, not from transactions. It is kept for good,
// also when the member is gone, and has no effect but that everyone can read it: members vote on what follows.
//
// # State
//
//	"Nm" address (20)              dure.network.v1.Member
//	"Np"                           dure.network.v1.Parameters
//	"Ni"                           id of the newest proposal, 8 bytes big-endian
//	"No" id (8 bytes big-endian)   dure.network.v1.Proposal, open (or expired and not yet cleared away)
//	"Nc" id (8 bytes big-endian)   dure.network.v1.Proposal, enacted or expired
//	"Ne" validator (20)            dure.network.v1.Evidence; the first 20 bytes of the SHA-256 of the validator key
//
// # Refusals
//
//	network.not_member         only members propose and vote
//	network.bad_change         no change, or one that says nothing
//	network.bad_address        not 20 bytes
//	network.bad_text           a name too long or with forbidden characters
//	network.bad_key            not a usable Ed25519 key
//	network.key_in_use         the network knows the key already
//	network.bad_power          outside 0 to 1,000,000
//	network.bad_parameter      outside its limits
//	network.unknown_version    the app version is neither that of now nor the next, or this binary does not know it
//	network.already_member     the address is a member's
//	network.unknown_member     the address is no member's
//	network.too_many_members   there are 100
//	network.last_member        the network would have no member
//	network.last_validator     the network would have no validator
//	network.unknown_proposal   there is no such proposal
//	network.closed             the proposal is enacted or has expired
//	network.already_voted      the member has voted for it
//	network.too_many_proposals 64 are open, or 8 of the member
//	identity.*                 a decision about identity that cannot be enacted (modules/identity)
//	account.frozen, account.key_in_use  the coming member's account cannot be one (modules/account)
package network
