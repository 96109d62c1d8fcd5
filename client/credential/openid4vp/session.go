package openid4vp

import (
	"crypto/ecdh"
	"crypto/subtle"
	"fmt"
	"sync"
	"time"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/ledger/fault"
)

// session is one request and what became of it.
type session struct {
	id, link, nonce, state, code string
	query                        Query
	// kid names the key that an answer is encrypted to; key is nil when it is not encrypted.
	kid string
	key *ecdh.PrivateKey
	// back is where the browser of the same device goes on; "": the answer may come from another device.
	back     string
	until    time.Time
	attempts int
	// busy while an answer is verified, so that two at a time do not both count.
	busy   bool
	result *Result
}

// Result is what a wallet answered.
type Result struct {
	// Presented has, by the id of the query, the credentials that hold.
	Presented map[string][]*credential.Verified
	// Refused: the owner of the wallet did not agree, and nothing was presented.
	Refused bool
}

// maxAttempts is how many answers that do not hold a session takes.
const maxAttempts = 5

// sessions are those that are open, by each of their numbers.
type sessions struct {
	mu   sync.Mutex
	most int
	by   map[string]*session
	// order has them by the time of their end, the first first.
	order []*session
}

// add keeps a session. Code presentation.busy.
func (s *sessions) add(n *session, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.order) > 0 && !now.Before(s.order[0].until) {
		s.drop(s.order[0])
		s.order = s.order[1:]
	}
	if len(s.order) >= s.most {
		return fault.New("presentation.busy", fmt.Sprintf("%d sessions are open, the most that are kept. Try again in a minute.", s.most))
	}
	s.order = append(s.order, n)
	for _, name := range n.names() {
		s.by[name] = n
	}
	return nil
}

// names are what a session is found by.
func (n *session) names() []string {
	return []string{"id " + n.id, "link " + n.link, "state " + n.state, "key " + n.kid}
}

func (s *sessions) drop(n *session) {
	for _, name := range n.names() {
		delete(s.by, name)
	}
}

// find finds a session by one of its numbers, while it lasts. Code presentation.unknown_session. s.mu is held.
func (s *sessions) find(kind, number string, now time.Time) (*session, error) {
	n := s.by[kind+" "+number]
	if n == nil || !now.Before(n.until) {
		return nil, fault.New("presentation.unknown_session", "There is no such session, or its time is over. Begin again.")
	}
	return n, nil
}

// begin reserves a session for an answer, found by its state or, when it is encrypted, its key.
// Code presentation.answered, presentation.unknown_session, presentation.busy.
func (s *sessions) begin(kind, number string, now time.Time) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find(kind, number, now)
	switch {
	case err != nil:
		return nil, err
	case n.result != nil:
		return nil, fault.New("presentation.answered", "The request has been answered already. An answer counts once; ask the site for a new request.")
	case n.busy:
		return nil, fault.New("presentation.busy", "Another answer to this request is being verified. Wait for it.")
	case n.attempts >= maxAttempts:
		return nil, fault.New("presentation.unknown_session", "Too many answers did not hold. Ask the site for a new request.")
	}
	n.busy = true
	n.attempts++
	return n, nil
}

// end keeps a result, or lets another answer come if there is none.
func (s *sessions) end(n *session, result *Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.busy = false
	n.result = result
}

// take hands a result out once. Code presentation.pending, presentation.wrong_code, presentation.unknown_session.
func (s *sessions) take(id, code string, now time.Time) (*Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find("id", id, now)
	switch {
	case err != nil:
		return nil, err
	case n.result == nil:
		return nil, fault.New("presentation.pending", "The wallet has not answered yet.")
	case n.back != "" && subtle.ConstantTimeCompare([]byte(code), []byte(n.code)) != 1:
		return nil, fault.New("presentation.wrong_code", "The answer did not come from this browser's wallet: the response code is another. Begin again.")
	}
	s.drop(n)
	return n.result, nil
}
