package gateway

import (
	"errors"
	"strings"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/gateway/anchor"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// Kind says what the sender of a message may do about its answer.
type Kind int

// The kinds of answers.
const (
	// Taken: it is committed on the ledger.
	Taken Kind = iota
	// Malformed: no message that can be read. The same bytes never will be.
	Malformed
	// NotAllowed: the sender may not do this.
	NotAllowed
	// Full: no room now. Send it again later.
	Full
	// NotKnown: it is not known whether it is committed. Send it again; it counts once.
	NotKnown
	// Refused: the ledger says no, for good.
	Refused
)

var kindNames = [...]string{"taken", "malformed", "not_allowed", "full", "not_known", "refused"}

// String is one word, for metrics and logs.
func (k Kind) String() string { return kindNames[k] }

// Answer is what became of a device's message. As JSON it is what the device is told; docs/devices.md describes it.
type Answer struct {
	Kind Kind `json:"-"`
	// Of is "reading" or "transaction".
	Of string `json:"of"`
	// Result is Kind as one word.
	Result string `json:"result"`
	// Boot and Sequence are a reading's own.
	Boot     uint64 `json:"boot,omitempty"`
	Sequence uint64 `json:"sequence,omitempty"`
	// Verdict is "accepted", "late", "quarantined" or "refused", Reason why it is one of the last two, or late though it was on time.
	Verdict string `json:"verdict,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// Transaction that has it, 64 hex digits.
	Transaction string `json:"transaction,omitempty"`
	// Code is noun.what and Message for people, unless Kind is Taken.
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// Words says it in a line: the verdict and why, or what the matter is with the code in brackets.
func (a Answer) Words() string {
	switch {
	case a.Kind != Taken:
		return a.Message + " [" + a.Code + "]"
	case a.Reason != "":
		return a.Verdict + ": " + a.Reason
	}
	return a.Verdict
}

const (
	ofReading     = "reading"
	ofTransaction = "transaction"
)

func answerOf(of string, kind Kind, code, message string) Answer {
	return Answer{Kind: kind, Of: of, Result: kind.String(), Code: code, Message: message}
}

// refusing is the answer to what was not taken because of err.
func refusing(of string, err error) Answer {
	kind := KindOf(err)
	var refusal *client.Refusal
	if errors.As(err, &refusal) {
		return answerOf(of, kind, refusal.Code, refusal.Message)
	}
	if kind == NotKnown {
		return answerOf(of, kind, "gateway.not_known", "The network did not answer in time. Send it again; it counts once.")
	}
	f := fault.As(err)
	return answerOf(of, kind, f.Code, f.Message)
}

// KindOf says what kind of answer an error makes.
func KindOf(err error) Kind {
	var refusal *client.Refusal
	if errors.As(err, &refusal) {
		if refusal.Retryable {
			return NotKnown
		}
		return Refused
	}
	switch code := fault.Code(err); {
	case code == "":
		return NotKnown // the network was not reached, or lost
	case code == "gateway.queue_full":
		return Full
	case code == "gateway.stopping", code == "gateway.not_known":
		return NotKnown
	case code == "reading.bad_signature", code == "gateway.not_the_device", code == "gateway.wrong_key", code == "gateway.no_device", code == "gateway.revoked":
		return NotAllowed
	case strings.HasPrefix(code, "reading."), strings.HasPrefix(code, "tx."):
		return Malformed
	}
	return Refused
}

// ofResult is the answer to a reading that the ledger has judged, or an anchor refused.
func ofResult(r anchor.Result) Answer {
	if r.Err != nil {
		a := refusing(ofReading, r.Err)
		a.Boot, a.Sequence = r.Boot, r.Sequence
		return a
	}
	a := answerOf(ofReading, Taken, "", "")
	a.Boot, a.Sequence, a.Transaction = r.Boot, r.Sequence, r.Transaction
	a.Verdict = short(r.Verdict.String(), "VERDICT_")
	if r.Reason != streamv1.Reason_REASON_UNSPECIFIED {
		a.Reason = short(r.Reason.String(), "REASON_")
	}
	if r.Verdict != streamv1.Verdict_VERDICT_REFUSED {
		return a
	}
	a.Kind = Refused
	switch r.Reason {
	case streamv1.Reason_REASON_NO_FEED, streamv1.Reason_REASON_NOT_ADMITTED, streamv1.Reason_REASON_NOT_AUTHORISED:
		a.Kind = NotAllowed
	case streamv1.Reason_REASON_PRECISION, streamv1.Reason_REASON_UNIT:
		a.Kind = Malformed
	}
	a.Result, a.Code, a.Message = a.Kind.String(), "reading."+a.Reason, refusedBecause[r.Reason]
	return a
}

func short(name, prefix string) string { return strings.ToLower(strings.TrimPrefix(name, prefix)) }

var refusedBecause = map[streamv1.Reason]string{
	streamv1.Reason_REASON_REPLAYED:       "The device has used this number for another reading, or a later one. Count on from the last one that was taken.",
	streamv1.Reason_REASON_NO_FEED:        "There is no such feed, or it is closed.",
	streamv1.Reason_REASON_NOT_ADMITTED:   "The device does not report to this feed. Its operator has to admit it.",
	streamv1.Reason_REASON_NOT_AUTHORISED: "The key may not act for the device, or the device is revoked.",
	streamv1.Reason_REASON_PRECISION:      "The value has more digits than the feed takes, or is beyond 64 bits of its smallest unit.",
	streamv1.Reason_REASON_UNIT:           "It is late, and in another unit than the feed's.",
	streamv1.Reason_REASON_FULL:           "Too many readings of the device wait in quarantine.",
}
