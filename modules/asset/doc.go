// Package asset holds fungible money and points: classes with an issuer, balances, and holds that set money aside.
//
// Every account may create a class and becomes its issuer. Amounts are whole numbers of the class's smallest unit,
// below 2^128. A frozen account may receive; it cannot act, so it cannot send.
//
// # Invariants
//
//  1. The supply of a class equals the sum of its balances, of its holds, and of what other modules have reserved (Reserves).
//  2. No sum wraps: every amount, and the supply, is below 2^128; the supply is at most the cap.
//  3. A balance or held total that is stored is not zero, and belongs to an open account and a class.
//  4. The held total of an account equals the sum of the holds it pays.
//  5. The payee of a hold is an open account other than the payer, and its arbiter is an open account.
//
// # Who may release a hold
//
//	            before expires_at       from expires_at on
//	arbiter     any amount              –
//	payee       nothing (gives it back) –
//	payer       –                       nothing (takes it back)
//
// The payer is the arbiter of a hold that names none, and then has both rows. A payee that is arbiter may take what it
// likes before the hold expires, as a shop does that has reserved a sum. A hold that nobody releases stays: the payer
// takes it back when it likes.
//
// # State
//
//	"Sc" asset 0x00               dure.asset.v1.Class
//	"Sb" asset 0x00 account (20)  what the account can spend, 16 bytes big-endian
//	"St" asset 0x00 account (20)  what the account has set aside in holds, 16 bytes big-endian
//	"Sh" hold (16)                dure.asset.v1.HoldState
//
// A hold's id is the first 16 bytes of SHA-256("dure/hold/v1\n" || transaction id || action index, 4 bytes big-endian),
// so a client knows it before the transaction is committed.
//
// # Refusals
//
//	asset.unknown              there is no such class
//	asset.exists               the name is taken
//	asset.bad_name             the id of a class breaks the rule for ids
//	asset.bad_decimals         more than 18
//	asset.bad_text             name, memo or reference too long or with forbidden characters
//	asset.bad_cap              a cap of zero
//	asset.bad_address          not 20 bytes
//	asset.not_issuer           only the issuer may
//	asset.paused               the issuer has stopped every movement
//	asset.not_paused           it is not paused
//	asset.unknown_receiver     the receiver has no account
//	asset.self_transfer        sender and receiver are the same
//	asset.insufficient_balance the account has less
//	asset.cap_exceeded         more would be outstanding than the cap allows
//	asset.overflow             a sum would reach 2^128
//	hold.unknown               there is no such hold, or it is released
//	hold.exists                the id is taken
//	hold.bad_id                not 16 bytes
//	hold.bad_payee             the payee is the payer
//	hold.unknown_arbiter       the arbiter has no account
//	hold.bad_expiry            not in the future, or more than 400 days ahead
//	hold.not_party             the actor has no part in the hold
//	hold.not_arbiter           the payee is not the arbiter and can only give back
//	hold.not_expired           the payer must wait
//	hold.expired               only the payer may release now
//	hold.only_return           the payer can only take back
//	hold.pay_exceeds           more than is held
//	amount.zero                nothing would move
//	amount.malformed           not a decimal number
//	amount.too_large           2^128 or more
package asset
