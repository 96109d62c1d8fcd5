package passkey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/dureledger/dure/services/id/refusal"
)

const (
	// Lifetime is how long a challenge may wait for its answer.
	Lifetime = 5 * time.Minute
	// maxChallenges wait at a time. The oldest gives way: its person presses the button again.
	maxChallenges = 50_000
)

// Ceremonies gives challenges out and takes each back once. It is safe for concurrent use.
type Ceremonies struct {
	rpID, origin string
	issuer       string
	now          func() time.Time

	mu   sync.Mutex
	open *lru.Cache[string, challenge]
}

type challenge struct {
	browser string
	until   time.Time
}

// New makes the ceremonies of a provider. rpID is the network's relying party id, origin the provider's own, such as
// https://id.bank.example; issuer is mixed into challenges.
func New(rpID, origin, issuer string, now func() time.Time) *Ceremonies {
	open, err := lru.New[string, challenge](maxChallenges)
	if err != nil {
		panic(err) // the size is a positive constant
	}
	return &Ceremonies{rpID: rpID, origin: origin, issuer: issuer, now: now, open: open}
}

// RPID is the relying party id that passkeys are made for.
func (c *Ceremonies) RPID() string { return c.rpID }

// Begin gives out a challenge, base64url without padding, for one browser, which is named by any text.
func (c *Ceremonies) Begin(browser string) string {
	var random [32]byte
	rand.Read(random[:])
	h := sha256.New()
	h.Write([]byte("dure/signin/v1\n" + c.issuer + "\n"))
	h.Write(random[:])
	text := base64.RawURLEncoding.EncodeToString(h.Sum(nil))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open.Add(text, challenge{browser, c.now().Add(Lifetime)})
	return text
}

// take uses a challenge up. Whoever answers with another's challenge does not use it up.
func (c *Ceremonies) take(text, browser string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch, ok := c.open.Peek(text)
	if !ok || ch.browser != browser {
		return refusal.New("signin.replayed", "The passkey's answer was used before, or was asked of another browser. Try again.")
	}
	c.open.Remove(text)
	if !c.now().Before(ch.until) {
		return refusal.New("signin.replayed", "The passkey's answer came too late. Try again.")
	}
	return nil
}
