package gateway

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/gateway/anchor"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// What an error means for the sender, who has nothing else to decide by whether to send again.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{errors.New("connection refused"), NotKnown},
		{&client.Unreachable{}, NotKnown},
		{&client.Undecided{ID: "a1", Err: errors.New("lost")}, NotKnown},
		{&client.Refusal{Code: "pool.full", Retryable: true}, NotKnown},
		{&client.Refusal{Code: "asset.insufficient_balance"}, Refused},
		{fault.New("gateway.queue_full", ""), Full},
		{fault.New("gateway.stopping", ""), NotKnown},
		{fault.New("reading.malformed", ""), Malformed},
		{fault.New("reading.bad_signature", ""), NotAllowed},
		{fault.New("tx.wrong_network", ""), Malformed},
		{fault.New("gateway.revoked", ""), NotAllowed},
		{fault.New("account.frozen", ""), Refused},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
		if a := refusing(ofReading, c.err); a.Code == "" || a.Kind != c.want || a.Result != c.want.String() {
			t.Errorf("%v: %+v", c.err, a)
		}
	}
}

// Every verdict and reason of the ledger has an answer; those that refuse have a code and words.
func TestVerdictsAsAnswers(t *testing.T) {
	for n, name := range streamv1.Reason_name {
		reason := streamv1.Reason(n)
		refused := reason >= streamv1.Reason_REASON_REPLAYED
		r := anchor.Result{Verdict: streamv1.Verdict_VERDICT_QUARANTINED, Reason: reason, Transaction: "a1", Boot: 4, Sequence: 17}
		if refused {
			r.Verdict = streamv1.Verdict_VERDICT_REFUSED
		}
		a := ofResult(r)
		if refused != (a.Kind != Taken) || refused && (a.Message == "" || !strings.HasPrefix(a.Code, "reading.")) {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if a := ofResult(anchor.Result{Verdict: streamv1.Verdict_VERDICT_REFUSED, Reason: streamv1.Reason_REASON_UNIT}); a.Kind != Malformed || a.Message == "" {
		t.Errorf("late and in another unit: %+v", a)
	}
	text, err := json.Marshal(ofResult(anchor.Result{Verdict: streamv1.Verdict_VERDICT_QUARANTINED, Reason: streamv1.Reason_REASON_RANGE, Transaction: "a1", Boot: 4, Sequence: 17}))
	if want := `{"of":"reading","result":"taken","boot":4,"sequence":17,"verdict":"quarantined","reason":"range","transaction":"a1"}`; err != nil || string(text) != want {
		t.Errorf("%s %v", text, err)
	}
}
