// Package credential issues, shows and verifies credentials: what an organisation says of a person or firm, such as "resident of Gimpo", signed with the
// key of its account. They are SD-JWT VCs (draft-ietf-oauth-sd-jwt-vc over RFC 9901) and never on the ledger. The ledger has what they are verified by:
// whose key signed, what the issuer may issue, and which credentials were revoked. So a verifier asks a ledger, or a file of proofs, and never the issuer.
//
//	text, err := credential.Issue(issuerKey, credential.Terms{
//		Issuer: credential.ID{Network: network, Account: city}, Schema: "resident", Holder: holderKey,
//		Claims: map[string]any{"name": sdjwt.Hide("김하늘"), "district": sdjwt.Hide("Gimpo")},
//		Issued: now, Expires: now.AddDate(1, 0, 0), List: 1, Index: 5021,
//	}, rand.Reader)
//
//	mine, err := credential.Read(text)                                     // the holder's side
//	shown, err := mine.Present(holderSigner, []string{"district"}, "https://shop.example", nonce, now)
//
//	found, err := credential.Verify(ctx, credential.Online(client), shown, credential.Check{
//		Audience: "https://shop.example", Nonce: nonce, Now: now, Schemas: []string{"resident"},
//	})
//
// # Names
//
// What a credential names on a ledger is a DID URL of its network and account, though no method of that name is registered:
//
//	did:dure:NETWORK:0xACCOUNT            an account: iss, and who signs a request for a presentation
//	did:dure:NETWORK/schema/NAME          a schema: vct
//	did:dure:NETWORK:0xACCOUNT/status/N   a status list: uri
//
// The ledger keeps addresses of keys, which are hashes of them. So the header has the public key (jwk), and the key counts if its address is that of the
// key that acted for the issuer's account when the credential was issued. A header's key alone counts for nothing.
//
// # Refusals
//
// Those of package sdjwt, and:
//
//	credential.bad_name            no DID URL of a ledger's account, schema or list
//	credential.reserved_claim      a claim that is not for the issuer to choose
//	credential.no_such_field       the credential has no such field to disclose
//	credential.wrong_network       it is from another ledger
//	credential.wrong_schema        it is of another kind than is wanted
//	credential.wrong_issuer        it is by another issuer than is wanted
//	credential.wrong_issuer_key    the key that signed did not act for the issuer when it was issued
//	credential.old_issuer_key      the issuer has changed its key since, and that is not accepted here
//	credential.issuer_unknown      there is no such account on the ledger
//	credential.issuer_frozen       the issuer's account is frozen
//	credential.issuer_ruled        several keys together act for the issuer's account, so none can sign for it
//	credential.not_licensed        the issuer had no right to issue it
//	credential.expired             its time is over
//	credential.not_yet_valid       its time has not begun
//	credential.revoked             the issuer has revoked it
//	credential.suspended           the issuer has suspended it
//	credential.no_status           it cannot be revoked, and that is not accepted here
//	credential.other_list          its status is on a list that is not its issuer's
//	credential.bad_status_list     the ledger has no such status list
//	credential.status_out_of_range its status list has no such entry
//	credential.no_evidence         the file of proofs does not say
//	credential.old_evidence        the file of proofs is too old
package credential
