package id

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"
	"github.com/luikyv/go-oidc/pkg/goidc"

	"github.com/dureledger/dure/services/id/passkey"
)

// keys are the provider's secrets, in provider.json of its folder. The first key signs; those after it are only published, so that tokens
// that they signed still verify. To change the key, put a new one before it.
type keys struct {
	Keys goidc.JSONWebKeySet `json:"jwks"`
	// Pairwise makes numbers that only one service has; 32 bytes. Whoever changes it makes every person a new one to those services.
	Pairwise []byte `json:"pairwise"`
}

func readKeys(dir string) (*keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	path := filepath.Join(dir, "provider.json")
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return makeKeys(path)
	}
	k := &keys{}
	if err == nil {
		err = json.Unmarshal(raw, k)
	}
	if err == nil && (len(k.Keys.Keys) == 0 || len(k.Pairwise) != 32) {
		err = errors.New("it has no key, or no secret of 32 bytes for pairwise")
	}
	if err != nil {
		return nil, fmt.Errorf("id: the provider's keys in %s: %w", path, err)
	}
	return k, nil
}

func makeKeys(path string) (*keys, error) {
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	k := &keys{Pairwise: make([]byte, 32)}
	rand.Read(k.Pairwise)
	key := jose.JSONWebKey{Key: secret, Algorithm: string(jose.ES256), Use: "sig"}
	print, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	key.KeyID = passkey.Text(print)
	k.Keys.Keys = []goidc.JSONWebKey{key}
	raw, err := json.Marshal(k)
	if err == nil {
		err = os.WriteFile(path, append(raw, '\n'), 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	return k, nil
}

// pairwise is a person's number at one service.
func (k *keys) pairwise(account, party string) string {
	mac := hmac.New(sha256.New, k.Pairwise)
	mac.Write([]byte(party + "\n" + account))
	return passkey.Text(mac.Sum(nil))
}

// subject is how a service knows a person.
func (k *keys) subject(account string, p Party) string {
	if p.Subject == "pairwise" {
		return k.pairwise(account, p.ID)
	}
	return account
}
