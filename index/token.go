package index

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"github.com/dureledger/dure/ledger/fault"
)

// Page sizes and the longest page token accepted, in characters.
const (
	DefaultPage = 50
	MaxPage     = 500
	maxToken    = 256
)

// Page is which part of a list is wanted.
type Page struct {
	// Size is at most MaxPage; 0 means DefaultPage.
	Size int
	// Token is what the page before returned; empty for the first.
	Token string
}

// size is the number of rows wanted. Code page.too_large.
func (p Page) size() (int, error) {
	switch {
	case p.Size < 0 || p.Size > MaxPage:
		return 0, fault.New("page.too_large", "a page has at most 500 rows; ask for fewer", "page_size", p.Size)
	case p.Size == 0:
		return DefaultPage, nil
	}
	return p.Size, nil
}

// after reads the token: the key of the last row of the page before, nil for the first page. A token goes on where
// that row was, so what was added since neither repeats nor hides a row. query is what the list was asked for; a
// token of another list is refused. Code page.bad_token.
func (p Page) after(query string) ([]byte, error) {
	if p.Token == "" {
		return nil, nil
	}
	if len(p.Token) > maxToken {
		return nil, badToken()
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(p.Token)
	if err != nil || len(b) < 5 || [4]byte(b[:4]) != queryHash(query) {
		return nil, badToken()
	}
	return b[4:], nil
}

// afterSeq is after for lists ordered by number; the first page is first.
func (p Page) afterSeq(query string, first uint64) (uint64, error) {
	key, err := p.after(query)
	if err != nil || key == nil {
		return first, err
	}
	if len(key) != 8 || key[0] > 0x7f { // a database's integers are signed
		return 0, badToken()
	}
	return binary.BigEndian.Uint64(key), nil
}

func badToken() error {
	return fault.New("page.bad_token", "this page token is not one of this list; start again without it")
}

func token(query string, key []byte) string {
	h := queryHash(query)
	return base64.RawURLEncoding.EncodeToString(append(h[:], key...))
}

func seqToken(query string, n uint64) string {
	return token(query, binary.BigEndian.AppendUint64(nil, n))
}

func queryHash(query string) [4]byte {
	sum := sha256.Sum256([]byte(query))
	return [4]byte(sum[:4])
}
