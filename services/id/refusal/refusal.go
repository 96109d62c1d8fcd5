// Package refusal says no to people and programs that use the sign-in provider.
package refusal

import "errors"

// Refusal is a no with its reason. Code is signin.what and never changes once released; Message says in English what happened and
// what to do. Pages show a person the text of the code in their language.
type Refusal struct{ Code, Message string }

// New makes a refusal.
func New(code, message string) *Refusal { return &Refusal{code, message} }

// Error is the message and the code.
func (r *Refusal) Error() string { return r.Message + " [" + r.Code + "]" }

// Code is the code of a refusal, signin.failed for any other error and empty for none.
func Code(err error) string {
	var r *Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r):
		return r.Code
	}
	return "signin.failed"
}
