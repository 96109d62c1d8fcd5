package client

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// ErrNotFound matches, with errors.Is, a refusal that says the thing asked for is not on the ledger.
var ErrNotFound = errors.New("not found")

// Refusal is a node's or the ledger's no, with its reason. Code is noun.what, such as asset.insufficient_balance.
type Refusal struct {
	Code    string
	Message string
	Fields  map[string]string
	// Retryable: the same bytes may be sent again after RetryAfter.
	Retryable  bool
	RetryAfter time.Duration

	notFound bool
}

// Error says the message and the code.
func (r *Refusal) Error() string { return r.Message + " [" + r.Code + "]" }

// Is lets errors.Is match ErrNotFound.
func (r *Refusal) Is(target error) bool { return target == ErrNotFound && r.notFound }

// Unreachable means that no node answered. Errors has the last error of each node that was tried.
type Unreachable struct {
	Errors []error
	// Sent is true when a node may have received the request before it was lost.
	Sent bool

	lastRound []error
	cause     error
}

// Error lists what each node said.
func (u *Unreachable) Error() string {
	text := make([]string, 0, len(u.Errors))
	for _, err := range u.Errors {
		text = append(text, err.Error())
	}
	return "no node answered: " + strings.Join(text, "; ")
}

// Unwrap gives the nodes' errors to errors.Is and errors.As.
func (u *Unreachable) Unwrap() []error {
	if u.cause != nil {
		return append([]error{u.cause}, u.Errors...)
	}
	return u.Errors
}

func (u *Unreachable) add(address string, err error) {
	if bad := explainTLS(err); bad != nil {
		err = notSent{bad}
	}
	u.lastRound = append(u.lastRound, err)
	u.Sent = u.Sent || mayHaveBeenSent(err)
	prefix := address + ": "
	for i, old := range u.Errors {
		if strings.HasPrefix(old.Error(), prefix) {
			u.Errors[i] = fmt.Errorf("%s%w", prefix, err)
			return
		}
	}
	u.Errors = append(u.Errors, fmt.Errorf("%s%w", prefix, err))
}

func (u *Unreachable) because(err error) error {
	u.cause = err
	return u
}

// hopeless: every node of the round belongs to another network or cannot be talked to by TLS, so waiting changes nothing.
func (u *Unreachable) hopeless() bool {
	for _, err := range u.lastRound {
		wrong, bad := (*WrongNetwork)(nil), (*BadCertificate)(nil)
		if !errors.As(err, &wrong) && !errors.As(err, &bad) {
			return false
		}
	}
	return true
}

// retryAfter is the shortest wait a node of the round asked for, 0 if some node asked for none.
func (u *Unreachable) retryAfter() time.Duration {
	shortest := time.Duration(-1)
	for _, err := range u.lastRound {
		refusal := (*Refusal)(nil)
		if !errors.As(err, &refusal) {
			return 0
		}
		if shortest < 0 || refusal.RetryAfter < shortest {
			shortest = refusal.RetryAfter
		}
	}
	return max(shortest, 0)
}

// WrongNetwork means that a node belongs to another network than the one pinned.
type WrongNetwork struct{ Node, Want, Got string }

// Error says which network was wanted and which was found.
func (w *WrongNetwork) Error() string {
	return fmt.Sprintf("the node belongs to network %s, not to %s", w.Got, w.Want)
}

// Undecided means that it is not known whether the transaction happened: nodes were lost after it may have been
// sent. Submit the same bytes again, or ask for ID later; sign anew only through Do.
type Undecided struct {
	// ID of the transaction, 64 hex digits.
	ID string
	// NotAfter: once a committed block is later than this and ID is unknown, it never happened.
	NotAfter time.Time
	Err      error
}

// Error says what is not known and why.
func (u *Undecided) Error() string {
	return fmt.Sprintf("it is not known whether transaction %s happened: %v", u.ID, u.Err)
}

// Unwrap gives the cause.
func (u *Undecided) Unwrap() error { return u.Err }

// Check turns a failed or void outcome into a *Refusal; it returns nil for an ok one.
func Check(o *apiv1.Outcome) error {
	if o.GetStatus() == StatusOK {
		return nil
	}
	return &Refusal{Code: o.GetCode(), Message: o.GetMessage(), Fields: o.GetFields()}
}

func refusalOf(e *apiv1.Error) *Refusal {
	return &Refusal{
		Code: e.GetCode(), Message: e.GetMessage(), Fields: e.GetFields(), Retryable: e.GetRetryable(),
		RetryAfter: time.Duration(e.GetRetryAfterMs()) * time.Millisecond,
	}
}

// readError turns what a node said into a *Refusal and leaves trouble on the way as it is.
func readError(err error) error {
	var answer *connect.Error
	if !errors.As(err, &answer) || !connect.IsWireError(err) {
		return err
	}
	refusal := &Refusal{Code: "node." + answer.Code().String(), Message: answer.Message()}
	for _, detail := range answer.Details() {
		if value, err := detail.Value(); err == nil {
			if e, ok := value.(*apiv1.Error); ok {
				refusal = refusalOf(e)
			}
		}
	}
	refusal.notFound = answer.Code() == connect.CodeNotFound
	switch answer.Code() {
	case connect.CodeUnavailable, connect.CodeResourceExhausted, connect.CodeAborted, connect.CodeDeadlineExceeded,
		connect.CodeInternal, connect.CodeUnknown, connect.CodeCanceled:
		refusal.Retryable = true // another node may do better
	}
	return refusal
}

// notSent wraps an error from before the request left this machine.
type notSent struct{ error }

func (n notSent) Unwrap() error { return n.error }

func unsent(err error) error {
	if err == nil {
		return nil
	}
	return notSent{err}
}

func mayHaveBeenSent(err error) bool {
	var before notSent
	if errors.As(err, &before) {
		return false
	}
	var op *net.OpError
	return !errors.As(err, &op) || op.Op != "dial"
}
