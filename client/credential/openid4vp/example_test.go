package openid4vp_test

import (
	"crypto"
	"fmt"
	"net/http"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/openid4vp"
)

// A site's login by a wallet on the same device, as docs/credentials.md has it.
func ExampleVerifier() {
	var (
		ledger  credential.Ledger // credential.Online(client)
		shop    credential.ID     // the site's account
		shopKey crypto.Signer     // the key that acts for it
		network string
	)
	verifier, err := openid4vp.NewVerifier(openid4vp.Config{
		URL: "https://shop.example/wallet/", Account: shop, Key: shopKey, Ledger: ledger,
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/wallet/", verifier)
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		s, err := verifier.Begin(openid4vp.Ask(network, "resident", "district"), "https://shop.example/done")
		if err != nil {
			http.Error(w, "try again in a minute", http.StatusServiceUnavailable)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "wallet", Value: s.ID, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode, Path: "/done"})
		http.Redirect(w, r, s.URI, http.StatusSeeOther)
	})
	mux.HandleFunc("/done", func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("wallet")
		if err != nil {
			http.Error(w, "begin again", http.StatusBadRequest)
			return
		}
		result, err := verifier.Result(cookie.Value, r.URL.Query().Get("response_code"))
		if err != nil || result.Refused {
			http.Error(w, "nothing was shown", http.StatusForbidden)
			return
		}
		fmt.Fprintln(w, result.Presented["credential"][0].Claims["district"])
	})
	fmt.Println("mounted")
	// Output: mounted
}
