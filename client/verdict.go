package client

import (
	"fmt"
	"strings"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Verdicts are what was found of the readings of an action, the index of it in its transaction, from the events of its outcome: for each device a
// byte a reading in order, verdict * 16 + reason (streamv1.Verdict, streamv1.Reason).
func Verdicts(outcome *apiv1.Outcome, action uint32) (map[tx.Address][]byte, error) {
	out := map[tx.Address][]byte{}
	for _, e := range outcome.GetEvents() {
		if e.GetName() != "stream.reported" || e.GetAction() != action {
			continue
		}
		fields := e.GetFields().GetFields()
		device, err := tx.ParseAddress(fields["device"].GetStringValue())
		if err != nil {
			return nil, err
		}
		for words := range strings.SplitSeq(fields["verdicts"].GetStringValue(), ", ") {
			verdict, err := parseVerdict(words)
			if err != nil {
				return nil, fmt.Errorf("client: the verdicts of %s: %w", device, err)
			}
			out[device] = append(out[device], verdict)
		}
	}
	return out, nil
}

// parseVerdict reads a verdict as the API names it, with its reason if it has one: "accepted", "quarantined range".
func parseVerdict(words string) (byte, error) {
	name, why, hasReason := strings.Cut(words, " ")
	verdict, ok := streamv1.Verdict_value["VERDICT_"+strings.ToUpper(name)]
	if !ok {
		return 0, fmt.Errorf("%q is no verdict", words)
	}
	reason := int32(0)
	if hasReason {
		if reason, ok = streamv1.Reason_value["REASON_"+strings.ToUpper(why)]; !ok {
			return 0, fmt.Errorf("%q has a reason that is not known", words)
		}
	}
	return byte(verdict<<4 | reason), nil
}
