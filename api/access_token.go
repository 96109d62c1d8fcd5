package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	// challengeLife is how long a nonce may be answered, tokenLife how long a token lets read.
	challengeLife = time.Minute
	tokenLife     = 5 * time.Minute
	// maxToken is the longest text looked at, in bytes.
	maxToken = 512

	nonceSize = 8 + 16           // unix milliseconds, chance
	tokenSize = 8 + 20 + 20 + 32 // end in unix milliseconds, account, key, thumbprint
)

// seal is bytes with what shows that this process made them for a purpose, as text.
func (g *gate) seal(purpose string, raw []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(raw, g.mac(purpose, raw)...))
}

// unseal is what was sealed for a purpose, if it was by this process and has so many bytes.
func (g *gate) unseal(purpose, text string, size int) ([]byte, bool) {
	if len(text) > maxToken {
		return nil, false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != size+sha256.Size {
		return nil, false
	}
	raw, mac := b[:size:size], b[size:]
	return raw, hmac.Equal(mac, g.mac(purpose, raw))
}

func (g *gate) mac(purpose string, raw []byte) []byte {
	h := hmac.New(sha256.New, g.secret[:])
	h.Write([]byte(purpose + "\n"))
	h.Write(raw)
	return h.Sum(nil)
}

// challenge is a nonce and when it ends.
func (g *gate) challenge() (string, time.Time) {
	now := g.now()
	raw := binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli()))
	raw = append(raw, make([]byte, 16)...)
	_, _ = rand.Read(raw[8:]) // it never fails
	return g.seal("nonce", raw), now.Add(challengeLife)
}

// answered returns nil for a nonce of this process that is not too old. Codes access.challenge_bad, access.challenge_expired.
func (g *gate) answered(nonce string) error {
	raw, ok := g.unseal("nonce", nonce, nonceSize)
	if !ok {
		return fault.New("access.challenge_bad", "The nonce is not one that this node gave since it started. Ask it for one with GetChallenge, and answer at the same node.")
	}
	if age := g.now().UnixMilli() - int64(binary.BigEndian.Uint64(raw)); age > challengeLife.Milliseconds() {
		return fault.New("access.challenge_expired", "The nonce is older than a minute. Ask for another with GetChallenge.")
	}
	return nil
}

// grant is a token for a key that acts for an account, bound to the key of a thumbprint, and when it ends.
func (g *gate) grant(account, key tx.Address, thumbprint [32]byte) (string, time.Time) {
	ends := g.now().Add(tokenLife)
	raw := binary.BigEndian.AppendUint64(nil, uint64(ends.UnixMilli()))
	raw = append(append(append(raw, account[:]...), key[:]...), thumbprint[:]...)
	return g.seal("token", raw), ends
}

// open reads a token, which may have ended; the thumbprint is in base64url. Code access.token_bad.
func (g *gate) open(token string) (a *asker, thumbprint string, err error) {
	raw, ok := g.unseal("token", token, tokenSize)
	if !ok {
		return nil, "", fault.New("access.token_bad", "The token is not one that this node gave since it started, or it was changed. Ask this node for a new one with "+
			"AccessService.GetChallenge and CreateToken.")
	}
	return &asker{
		s: g.s, ends: int64(binary.BigEndian.Uint64(raw)), account: tx.Address(raw[8:28]), key: tx.Address(raw[28:48]),
	}, base64.RawURLEncoding.EncodeToString(raw[48:]), nil
}
