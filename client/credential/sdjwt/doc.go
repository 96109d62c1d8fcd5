// Package sdjwt makes and reads SD-JWTs: JSON signed by an issuer, of which a holder shows the parts that he chooses (RFC 9901). It knows
// nothing of ledgers or of whose key is right: package credential does.
//
// An SD-JWT is a compact JWS, then each disclosure, then perhaps a key binding JWT, all joined by "~". A disclosure is [salt, name, value] or, for
// an element of an array, [salt, value], as JSON in base64url. Its SHA-256 is in the signed part; whoever lacks the disclosure learns nothing but that
// something is there.
//
//	payload, disclosures, err := sdjwt.Conceal(map[string]any{
//		"iss":     "https://issuer.example",
//		"name":    sdjwt.Hide("김하늘"),
//		"address": map[string]any{"city": sdjwt.Hide("Gimpo"), "country": "KR"},
//	}, 2, rand.Reader)
//	text, err := sdjwt.Issue(key, header, payload, disclosures)
//	token, err := sdjwt.Parse(text)
//	shown, err := token.Select(func(d sdjwt.Disclosure) bool { return d.Path.String() == "address.city" })
//	presented, err := shown.Bind(holderKey, "https://shop.example", nonce, now)
//
// Signatures are ES256 (P-256) and EdDSA (Ed25519); the key decides which, never the header. The one hash is SHA-256.
//
// # Refusals
//
//	credential.malformed           no SD-JWT, or not as the standard says
//	credential.too_large           more bytes, disclosures or depth than are read
//	credential.bad_algorithm       the header names another algorithm than the key is for, such as none, or another hash than SHA-256
//	credential.bad_signature       the signature is not by the key over these bytes
//	credential.wrong_type          the header's typ is another
//	credential.duplicate_digest    a digest is there twice
//	credential.foreign_disclosure  a disclosure is not one of the issuer's
//	credential.duplicate_claim     a disclosure would replace a claim
//	credential.not_bound           the holder has not signed the presentation
//	credential.wrong_holder        another key than the holder's has signed it
//	credential.wrong_audience      it was made for somebody else
//	credential.wrong_nonce         it answers another request
//	credential.altered             disclosures were added or left out since the holder signed
//	credential.stale               the holder signed it too long ago, or in the future
package sdjwt
