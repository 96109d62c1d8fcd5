// Package statuslist is the Token Status List of the IETF (draft-ietf-oauth-status-list-21): the status of credentials in 1, 2, 4 or 8 bits each,
// and how the ledger keeps such a list in chunks.
//
// A List is the byte array of section 4.1: the first entry is in the lowest bits of the first byte. Text and ReadText are `lst` of the
// status_list claim, section 4.2: compressed by zlib, base64url without padding. The statuses are those of section 7.
//
// On the ledger a list of an issuer has a number, and its bytes are in chunks of ChunkBytes under Key. A chunk of zeros is not stored, so a
// state proof that the key is absent proves that every entry in it is valid.
package statuslist
