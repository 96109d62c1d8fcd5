// Package vault keeps what a member knows of people: what they proved, what they agreed to, who asked what of them.
//
// Each person has a key of their own, and everything of theirs is sealed with it (AES-256-GCM). The keys are in one file, wrapped by the
// vault's master key; what they seal is in another. So erasing a person is deleting one key: what is left of them in copies and backups of
// the other file can be opened by nobody. Neither file has an account, a phone number or a name in clear: a person is found by
// HMAC-SHA256(master key, account).
//
//	vault.key   the master key, 64 hex digits, for the member's eyes alone
//	keys.db     one row for each person: who, a random number, the wrapped key
//	people.db   sealed rows under that random number
//
// Back the three up apart, and keep copies of keys.db no longer than an erased person may come back with one.
package vault
