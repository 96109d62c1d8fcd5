// Package identity says which accounts are organisations, what each may issue, which facts are attested of accounts, what the status of
// credentials is, what people agreed to, and at which services of organisations they may sign in.
//
// Members are organisations by being members; others are admitted by a member or by vote. An organisation registers schemas of credentials. The
// right to issue one is given by the members' vote, and who has it may pass it on, with an end, as often as it was given to be passed on. A right holds
// while every right above it does, so when a giver loses it those below do.
//
// A fact is what an issuer attests of an account for rules on the ledger to use: resident, accredited investor, shop of a kind. It holds while its issuer has
// the right to its schema, not merely when it was attested: rules rely on somebody's word for as long as the members let them give it. What is lost
// and given anew brings back nothing (docs/decisions/092).
//
// Credentials themselves are never here. Their status is: Token Status Lists, in chunks (ledger/statuslist). Whoever issued one may always change it.
//
// A service is one of an organisation at which people sign in by the provider of any member (services/id): its name, where people come back, its keys, and
// what it may ask them for. It counts while its account is an organisation, has been since it was set, and is not frozen.
//
// No personal data is on the ledger. Names, titles and contacts are of organisations and schemas; the value of a fact is a choice that its schema
// lists, or nothing, and only fields of choices can be facts; reasons are of a list; everything else is a digest.
//
// # Invariants
//
//  1. An organisation is an account. One that was admitted has a name, a kind and a time since; of a member only the contact is stored.
//  2. A schema is well formed and its registrar is an account. The choices of its facts differ.
//  3. A right is to a schema that is registered, held by an account, and given by the members or by one that has or had it, never by its holder.
//     One that the members gave may be passed on at most 4 times, one that was passed on fewer.
//  4. A fact is about an account, of a schema that has it, by an issuer that has or had the right. An account has at most 16 of a schema.
//  5. Chunks are of a status list, within it, as long as they must be, and not all zeros.
//  6. A consent is of an account towards another.
//  7. A service is well formed and its account exists.
//  8. What ended says when and why, and not before it began.
//
// # State
//
//	"Io" account (20)                                   dure.identity.v1.Organisation
//	"Is" schema 00                                      dure.identity.v1.Schema
//	"Ir" schema 00 holder (20)                          dure.identity.v1.Right
//	"Ia" account (20) schema 00 value 00 issuer (20)    dure.identity.v1.Attribute
//	"Il" issuer (20) list (4)                           dure.identity.v1.StatusList
//	"Ic" issuer (20) list (4) chunk (4)                 512 bytes of the list, the last chunk fewer
//	"Ig" person (20) recipient (20) digest (32)         dure.identity.v1.Consent
//	"Iv" account (20)                                   dure.identity.v1.StoredService
//
// # Refusals
//
//	identity.bad_address      not 20 bytes
//	identity.bad_text         a name or title too long, empty or with forbidden characters
//	identity.bad_kind         not what an organisation can be
//	identity.bad_contact      not an https address without user, query and fragment
//	identity.bad_reason       not one of the reasons
//	identity.bad_digest       not 32 bytes
//	identity.bad_end          past, more than ten years ahead, or after the right of who gives it
//	identity.bad_schema       not the form of a schema's name
//	identity.bad_field        a field that is not well formed, or a fact that might be personal
//	identity.bad_list         not a number, size and bits of a status list
//	identity.bad_status       more than an entry's bits hold
//	identity.bad_service      addresses, keys or items of a service that are not well formed, or too many
//	identity.bad_index        no indexes, out of order, or behind the list's end
//	identity.bad_decision     a proposal that says nothing
//	identity.unknown_account  there is no such account
//	identity.unknown_schema   there is no such schema
//	identity.unknown_list     the issuer has no such status list
//	identity.unknown_service  the account has no service, or not any more
//	identity.unknown_fact     the issuer attests no such fact, or not any more
//	identity.not_member       only members admit
//	identity.not_agreed       the account to be admitted has not signed, nor has its sponsor
//	identity.not_organisation the account is no organisation
//	identity.not_admitted     the account is no organisation that was admitted
//	identity.not_entitled     the actor may not end this
//	identity.is_member        a member is not dismissed
//	identity.exists           the account is an organisation already
//	identity.schema_exists    there is a schema of this name already
//	identity.list_exists      the issuer has a status list of this number already
//	identity.no_right         the organisation has no right to issue the schema, or not any more
//	identity.right_held       the organisation has the right from somebody else
//	identity.own              nobody gives themselves a right or a consent
//	identity.too_deep         passed on more often than may be
//	identity.no_fact          the schema has no such fact
//	identity.fact_over        the fact does not hold at that time
//	identity.too_many_facts   16 facts of the schema hold for the account
//	identity.no_consent       the person has not consented, or not any more
package identity
