// Package passkey makes and checks the passkeys of people (Web Authentication Level 3).
//
// Nothing about a passkey has to be kept to check it. The ledger has the hash of its public key as the key of an account. A signature
// of ECDSA gives back the two public keys that could have made it (SEC 1, section 4.1.6), and the one whose account is on the ledger is
// the person's. So any member can sign in anybody, whoever opened their account.
//
// A challenge is SHA-256("dure/signin/v1\n" || issuer || "\n" || 32 random bytes): an assertion for signing in is never the
// signature of a transaction, whose challenge is the digest of its bytes.
//
// # Refusals
//
//	signin.malformed        what came is no passkey answer, or too large
//	signin.replayed         the challenge was used, is too old, or was not given to this browser
//	signin.wrong_ceremony   a passkey was made where one should be used, or the reverse
//	signin.wrong_origin     it was made at another page than this provider's, or in a page embedded in another site
//	signin.wrong_rp         it was made for another relying party
//	signin.not_verified     the passkey did not check fingerprint, face or PIN
//	signin.bad_signature    it is not by this key
//	signin.wrong_algorithm  the new passkey has no P-256 key
package passkey
