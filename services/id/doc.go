// Package id is the sign-in provider that any member can run: an OpenID Connect provider whose people sign in with passkeys that the
// ledger has (services/id/passkey), and the pages on which they make an account, agree or refuse item by item, see who asked what, withdraw
// and erase.
//
// It keeps nothing that another member's provider needs. Who a person is, is on the ledger: their account, and the hash of the key that
// acts for it. What they proved to this member (name, phone, bank account), what they agreed to and the log are in its vault
// (services/id/vault) and go nowhere else. What is under way, and who is signed in, is in memory. The services at which people sign in are on the
// ledger, set by organisations for every member's provider; a few more may be in the member's settings.
//
// Of each consent the member records a digest on the ledger, as its own statement: the document with its salt stays in the vault and with the person. Nobody
// who signs in waits for it.
//
//	GET  /                                  a person's page, or signing in
//	GET, POST /register                     making an account, or proving oneself to this member, step by step
//	GET, POST /recover                      a new passkey in the place of lost keys: the member, as the sponsor, recovers the account
//	POST /signin, /signout, /withdraw       by forms of its own pages
//	GET, POST /erase
//	GET  /consent?service=ID                the document of a consent, which proves it by the ledger
//	GET  /.well-known/openid-configuration  OpenID Connect Discovery 1.0
//	GET  /.well-known/webauthn              the network's origins (Web Authentication Level 3, section 5.11)
//	     /authorize, /token, /userinfo, /jwks, /logout   OpenID Connect; code flow with PKCE S256, nothing else
//	GET  /healthz
//
// # Refusals
//
// Those of services/id/passkey, and:
//
//	signin.unknown_key     the ledger has no account of this passkey
//	signin.has_account     a new passkey's key has an account already
//	signin.frozen          the account is frozen by its sponsor
//	signin.locked          the account is locked by one of its keys
//	signin.too_few_keys    this key alone weighs less than the account takes for anything
//	signin.recovery_waits  the passkey is to be the account's, by a recovery that still waits
//	signin.recovery_ended  the account objected to the recovery, or it was taken back
//	signin.recovery_runs   the account is being recovered already
//	signin.not_known       nobody proved this name, phone number and bank account here
//	signin.not_sponsor     this member may not recover the account
//	signin.no_origin       the network names no page at which a passkey can sign
//	signin.too_many_recoveries  one account was to be recovered more often than it may
//	signin.counter_back    the passkey's counter went back: it may be a copy
//	signin.other_browser   the sign-in was begun in another browser
//	signin.other_page      a form was sent by a page of another origin
//	signin.too_many        more requests than one address may make
//	signin.too_many_codes  more codes than one address, phone or bank account may be sent
//	signin.bad_phone       no name, or no phone number
//	signin.bad_bank        no bank, or no account number
//	signin.phone_refused   the operator does not know the number
//	signin.bank_refused    the bank does not know the account, or it is somebody else's
//	signin.code_wrong      another code was sent
//	signin.code_spent      the code is too old, or was guessed at too often
//	signin.not_fresh       erasing needs a sign-in that is no older than five minutes
//	signin.bad_request     a service asked in a way that OpenID Connect, or this provider, does not allow
//	signin.not_there       there is no such page
//	signin.failed          something is wrong on this side
package id
