//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// severalKeys has a person have two passkeys, lose one and then both, and be recovered by their sponsor. The waiting time passes by the clock of
// TestIdleHours.
func (n *network) severalKeys(clock *movedClock) {
	n.t.Helper()
	shots, begin := n.t.TempDir(), time.Now()
	playwright(n.t, n, "keys.mjs", fmt.Sprint(n.signin), fmt.Sprintf("http://localhost:%d", n.api), n.signHelper(clock), shots)
	n.t.Logf("several keys and a recovery took %s", time.Since(begin).Round(time.Second))
	savePictures(n.t, shots, "../../docs/sign-in", "keys", "me-recovery", "recover", "recover-sign", "recover-wallet", "recover-wait")
}

// signHelper makes what passkeys in a browser sign, submits it, and moves the clock: for keys.mjs. It returns its address.
func (n *network) signHelper(clock *movedClock) string {
	n.t.Helper()
	const bank = 1 // the member whose provider shows next what was committed: others may be a block ahead of it
	c, err := client.Dial(client.Config{Addresses: []string{n.url(bank)}, Clock: clock})
	if err != nil {
		n.t.Fatal(err)
	}
	network, err := c.Network(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	h := &signHelper{t: n.t, client: c, clock: clock, network: network}
	server := httptest.NewServer(h)
	n.t.Cleanup(server.Close)
	return server.URL
}

type signHelper struct {
	t       *testing.T
	client  *client.Client
	clock   *movedClock
	network string

	mu  sync.Mutex
	raw []byte
}

// question is what keys.mjs sends; keys are SubjectPublicKeyInfo.
type question struct {
	What, Account string
	Keys          [][]byte
	Hours         int
	Signatures    []struct{ Key, AuthenticatorData, ClientDataJSON, Signature []byte }
}

func (h *signHelper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var q question
	err := json.NewDecoder(r.Body).Decode(&q)
	answer := map[string]any{}
	switch {
	case err != nil:
	case r.URL.Path == "/move":
		h.clock.move(h.t, time.Duration(q.Hours)*time.Hour)
	case r.URL.Path == "/draft":
		answer["challenge"], err = h.draft(r, q)
	case r.URL.Path == "/submit":
		err = h.submit(r, q)
	}
	if err != nil {
		h.t.Error(err)
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // the script sees what is missing
}

// draft begins a transaction and returns what is to be signed.
func (h *signHelper) draft(r *http.Request, q question) ([]byte, error) {
	account, err := tx.ParseAddress(q.Account)
	if err != nil {
		return nil, err
	}
	draft := client.NewTransaction(h.network)
	switch q.What {
	case "rule":
		rule := &accountv1.Rule{Spend: 1, Manage: 1, Other: 1}
		for _, spki := range q.Keys {
			key, err := passkeyOf(spki)
			if err != nil {
				return nil, err
			}
			own := key.Address()
			rule.Keys = append(rule.Keys, &accountv1.RuleKey{Key: own[:], Weight: 1})
		}
		draft.SetRule(account, rule)
	case "object":
		found, err := h.client.AccountDetails(r.Context(), account)
		if err != nil {
			return nil, err
		}
		to, err := tx.ParseAddress(found.GetRecovery().GetRequest().GetKey())
		if err != nil {
			return nil, err
		}
		draft.ObjectRecovery(account, account, to)
	}
	signed, err := h.client.Sign(draft)
	if err != nil {
		return nil, err
	}
	h.raw = signed.Raw
	t, err := tx.Decode(h.network, signed.Raw, tx.MaxBytes)
	if err != nil {
		return nil, err
	}
	return t.ID[:], nil
}

// submit adds the passkeys' signatures.
func (h *signHelper) submit(r *http.Request, q question) error {
	for _, s := range q.Signatures {
		key, err := passkeyOf(s.Key)
		if err != nil {
			return err
		}
		compact, err := compactLow(s.Signature)
		if err != nil {
			return err
		}
		if h.raw, err = tx.Attach(h.network, h.raw, &txv1.Witness{
			Kind: key.Kind, PublicKey: key.Public, Signature: compact, AuthenticatorData: s.AuthenticatorData, ClientDataJson: s.ClientDataJSON,
		}); err != nil {
			return err
		}
	}
	signed, err := client.ReadSigned(h.network, h.raw)
	if err != nil {
		return err
	}
	outcome, err := h.client.Submit(r.Context(), signed)
	return errors.Join(err, client.Check(outcome))
}

// passkeyOf is a passkey's key as the ledger has it.
func passkeyOf(spki []byte) (tx.Key, error) {
	parsed, err := x509.ParsePKIXPublicKey(spki)
	key, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok {
		return tx.Key{}, fmt.Errorf("no P-256 key: %w", err)
	}
	point, err := key.Bytes()
	if err != nil {
		return tx.Key{}, err
	}
	return tx.Key{Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, Public: append([]byte{2 | point[64]&1}, point[1:33]...)}, nil
}

// compactLow is a signature of P-256 as the ledger takes it: r and s, s low.
func compactLow(der []byte) ([]byte, error) {
	var s struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		return nil, err
	}
	if order := elliptic.P256().Params().N; s.S.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.S.Sub(order, s.S)
	}
	out := make([]byte, 64)
	s.R.FillBytes(out[:32])
	s.S.FillBytes(out[32:])
	return out, nil
}
