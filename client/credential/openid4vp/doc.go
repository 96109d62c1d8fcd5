// Package openid4vp lets a site ask for credentials and a wallet answer, by OpenID for Verifiable Presentations 1.0: DCQL queries for SD-JWT VCs, the response modes
// direct_post and direct_post.jwt, on the same device by a link or on another by a QR code.
//
// A site mounts a [Verifier], begins a session for a browser, shows its link or QR code, and has the result when the wallet has answered:
//
//	v, err := openid4vp.NewVerifier(openid4vp.Config{URL: "https://shop.example/wallet/", Account: shop, Key: shopKey, Ledger: credential.Online(client)})
//	mux.Handle("/wallet/", v)
//	s, err := v.Begin(openid4vp.Ask(network, "resident", "district"), "https://shop.example/done")
//	// set s.ID as a cookie (HttpOnly, Secure, SameSite=Lax), show s.URI as a link or openid4vp.QR(s.URI)
//	result, err := v.Result(s.ID, r.URL.Query().Get("response_code"))
//
// A wallet reads the request, says who asks for what, and answers when its owner agrees:
//
//	w := openid4vp.Wallet{Ledger: ledger, HTTP: openid4vp.HTTPClient()}
//	request, err := w.Fetch(ctx, uri, now)
//	choice, err := request.Query.Choose(mine)
//	back, err := w.Answer(ctx, request, choice, signers, now)
//
// # Who asks
//
// A request is signed with the key of the site's account (the prefix decentralized_identifier with the account's did:dure name), so the wallet knows by the ledger who
// asks; or it is unsigned (redirect_uri), and the wallet knows only where the answer goes. A presentation is for that name: shown to a site that passes it on
// as its own, it is refused there.
//
// # What protects a session
//
// Four random numbers: the browser's id, which opens the result; the number in the link; nonce, which the holder signs; and state, which the answer carries.
// An answer counts once. On the same device the result opens only with the response code that the wallet's browser brings back, so who sends his own link to
// somebody else gets nothing. By a QR code that cannot be prevented: what is shown goes to whoever shows the code, so the wallet names the site.
//
// # Refusals
//
//	presentation.bad_request     no request as the standard says
//	presentation.unsupported     a request for what this program does not do
//	presentation.too_large       more bytes or parts than are read
//	presentation.mixed_up        the request is by another site than the link says, or the answer would go elsewhere
//	presentation.bad_link        an address that is not https (or this machine)
//	presentation.no_match        the wallet has no credential that answers it
//	presentation.refused         the owner of the wallet does not agree
//	presentation.unreachable     the site does not answer
//	presentation.rejected        the site refuses the answer
//	presentation.unknown_session there is no such session, or it is over
//	presentation.pending         the wallet has not answered yet
//	presentation.answered        the session has been answered already
//	presentation.wrong_code      the response code is another: the answer came from another browser's wallet
//	presentation.busy            too many sessions are open
//	presentation.incomplete      the answer lacks what was asked for
//	presentation.bad_response    no answer as the standard says
package openid4vp
