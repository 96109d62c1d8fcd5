// Package record keeps digests of documents with the time and the accounts that vouch for them.
//
// A record says: this account had a file of this digest and size at this block's time, and called it so. Others may
// cosign it. The recorder may later supersede it by a new version or withdraw it; neither changes what it proves about
// the past, so a withdrawn or superseded record keeps its text and its cosignatures, and is never removed.
//
// Each account has its own record of a digest: nobody can take a document away from anybody by recording it first.
//
// # Invariants
//
//  1. A record is under (digest, recorder), 32 and 20 bytes, and its recorder is an account.
//  2. A record with a next version (superseded_by) is superseded or withdrawn; a superseded record has one.
//  3. Versions are linked both ways: if A is superseded by B, the same recorder has B and B supersedes A; and the reverse.
//  4. An account cosigns a record at most once, never its own; a record has at most 64 cosignatures.
//
// # State
//
//	"Rr" digest (32) recorder (20)  dure.record.v1.Record
//
// # Refusals
//
//	record.unknown           the account has no record of the digest
//	record.exists            the account has recorded the digest already
//	record.bad_digest        not 32 bytes
//	record.bad_address       not 20 bytes
//	record.bad_text          title, name or reason too long or with forbidden characters
//	record.bad_media_type    not an RFC 6838 media type
//	record.bad_name          the name has folders in it
//	record.already_cosigned  the account has cosigned it already
//	record.own               nobody cosigns his own record
//	record.too_many_cosignatures it has 64
//	record.withdrawn         it has been withdrawn
//	record.not_active        it has been superseded, so it cannot be again
package record
