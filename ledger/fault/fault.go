// Package fault is the ledger's one kind of refusal: a code for programs, a message for people,
// and the values that explain it.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Limits on what a refusal may carry onto the ledger, in bytes and count.
const (
	MaxMessage = 512
	MaxValue   = 128
	MaxFields  = 8
)

// Field is a named value that explains a refusal.
type Field struct{ Name, Value string }

// Error is a refusal. Code is noun.what, such as asset.insufficient_balance, and never changes once released.
type Error struct {
	Code    string
	Message string
	Fields  []Field
}

// New makes a refusal. kv are name and value pairs; values are printed with fmt.Sprint and cut to MaxValue bytes.
func New(code, message string, kv ...any) *Error {
	e := &Error{Code: code, Message: cut(message, MaxMessage)}
	for i := 0; i+1 < len(kv) && len(e.Fields) < MaxFields; i += 2 {
		e.Fields = append(e.Fields, Field{cut(fmt.Sprint(kv[i]), MaxValue), cut(fmt.Sprint(kv[i+1]), MaxValue)})
	}
	return e
}

// Error says the message and the code.
func (e *Error) Error() string { return e.Message + " [" + e.Code + "]" }

// Code returns the code of the refusal that err wraps, or "" if it wraps none.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) && e != nil {
		return e.Code
	}
	return ""
}

// As returns the refusal that err wraps; any other error becomes one with code "internal". A nil *Error in an error that
// is not nil, which Go lets happen, becomes one too: whoever returned it refused something. Only for nil it returns nil.
func As(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e):
		return New("internal", err.Error())
	case e == nil:
		return New("internal", "something was refused without a reason; this is a fault of the software, please report it")
	}
	return e
}

func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
