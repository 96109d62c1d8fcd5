package tx

import (
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// clientData is what counts of a WebAuthn CollectedClientData (Web Authentication section 5.8.1).
type clientData struct {
	typ, challenge, origin string
	crossOrigin            bool
}

// maxJSONDepth bounds nesting inside members that browsers add and nobody reads.
const maxJSONDepth = 8

var errJSON = errors.New("it is not well-formed JSON")

// parseClientData reads collected client data strictly, so that every implementation reads the same: one RFC 8259 object in
// UTF-8 without a byte order mark; no member twice; type, challenge and origin are strings and present; crossOrigin is a
// boolean if present; other members, which browsers may add, are checked and ignored.
func parseClientData(b []byte) (clientData, error) {
	var c clientData
	if len(b) > MaxClientDataJSON || !utf8.Valid(b) {
		return c, errJSON
	}
	s := jsonScanner{rest: b}
	seen := map[string]bool{}
	ok := s.object(1, func(name string) bool {
		if seen[name] {
			return false
		}
		seen[name] = true
		ok := false
		switch name {
		case "type":
			c.typ, ok = s.str()
		case "challenge":
			c.challenge, ok = s.str()
		case "origin":
			c.origin, ok = s.str()
		case "crossOrigin":
			c.crossOrigin = s.literal("true")
			ok = c.crossOrigin || s.literal("false")
		default:
			ok = s.value(2)
		}
		return ok
	})
	s.space()
	if !ok || len(s.rest) != 0 {
		return clientData{}, errJSON
	}
	if !seen["type"] || !seen["challenge"] || !seen["origin"] {
		return clientData{}, errors.New("it lacks type, challenge or origin")
	}
	return c, nil
}

// jsonScanner reads RFC 8259 JSON from valid UTF-8. Every method says whether it could.
type jsonScanner struct{ rest []byte }

func (s *jsonScanner) space() {
	for len(s.rest) > 0 {
		switch s.rest[0] {
		case ' ', '\t', '\r', '\n':
			s.rest = s.rest[1:]
		default:
			return
		}
	}
}

// take reads one byte, after white space.
func (s *jsonScanner) take(c byte) bool {
	s.space()
	if len(s.rest) == 0 || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

func (s *jsonScanner) literal(word string) bool {
	s.space()
	if len(s.rest) < len(word) || string(s.rest[:len(word)]) != word {
		return false
	}
	s.rest = s.rest[len(word):]
	return true
}

// object reads an object, calling member with each name to read its value.
func (s *jsonScanner) object(depth int, member func(name string) bool) bool {
	if depth > maxJSONDepth || !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		name, ok := s.str()
		if !ok || !s.take(':') || !member(name) {
			return false
		}
		if s.take('}') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *jsonScanner) array(depth int) bool {
	if depth > maxJSONDepth || !s.take('[') {
		return false
	}
	if s.take(']') {
		return true
	}
	for s.value(depth + 1) {
		if s.take(']') {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
	return false
}

// value reads any value and forgets it.
func (s *jsonScanner) value(depth int) bool {
	s.space()
	if len(s.rest) == 0 {
		return false
	}
	switch c := s.rest[0]; {
	case c == '{':
		return s.object(depth, func(string) bool { return s.value(depth + 1) })
	case c == '[':
		return s.array(depth)
	case c == '"':
		_, ok := s.str()
		return ok
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	return s.literal("true") || s.literal("false") || s.literal("null")
}

func (s *jsonScanner) digits() bool {
	n := 0
	for n < len(s.rest) && s.rest[n] >= '0' && s.rest[n] <= '9' {
		n++
	}
	s.rest = s.rest[n:]
	return n > 0
}

// next reads one of the bytes of set, without skipping white space.
func (s *jsonScanner) next(set string) bool {
	for i := range len(set) {
		if len(s.rest) > 0 && s.rest[0] == set[i] {
			s.rest = s.rest[1:]
			return true
		}
	}
	return false
}

func (s *jsonScanner) number() bool {
	s.next("-")
	if !s.next("0") && !s.digits() {
		return false
	}
	if s.next(".") && !s.digits() {
		return false
	}
	if s.next("eE") {
		s.next("+-")
		return s.digits()
	}
	return true
}

// str reads a string. Escapes are undone; half of a surrogate pair is refused.
func (s *jsonScanner) str() (string, bool) {
	if !s.take('"') {
		return "", false
	}
	var out []byte
	for len(s.rest) > 0 {
		c := s.rest[0]
		s.rest = s.rest[1:]
		switch {
		case c == '"':
			return string(out), true
		case c < 0x20:
			return "", false
		case c == '\\':
			r, ok := s.escape()
			if !ok {
				return "", false
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	return "", false
}

func (s *jsonScanner) escape() (rune, bool) {
	if len(s.rest) == 0 {
		return 0, false
	}
	c := s.rest[0]
	s.rest = s.rest[1:]
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		return s.unicode()
	}
	return 0, false
}

func (s *jsonScanner) unicode() (rune, bool) {
	r, ok := s.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if !s.next("\\") || !s.next("u") {
		return 0, false
	}
	low, ok := s.hex4()
	r = utf16.DecodeRune(r, low)
	return r, ok && r != utf8.RuneError
}

func (s *jsonScanner) hex4() (rune, bool) {
	if len(s.rest) < 4 {
		return 0, false
	}
	r := rune(0)
	for _, c := range s.rest[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	s.rest = s.rest[4:]
	return r, true
}
