// Package statuslist reads and writes Token Status Lists (draft-ietf-oauth-status-list): one or a few bits for each credential of an issuer that say
// whether it is valid, and the signed token in which an issuer without a ledger publishes them.
//
// On a Dure ledger an issuer's lists are kept as their entries, so the ledger's proof takes the place of the token's signature. The token is for those
// who know the issuer's key and no ledger.
//
// Refusals: credential.bad_status_list (no list, or not the one that was asked for), credential.status_out_of_range, credential.status_expired, and
// those of package sdjwt for signatures.
package statuslist
