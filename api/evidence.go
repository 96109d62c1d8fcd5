package api

import (
	"encoding/hex"
	"slices"
	"strings"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
)

// misbehaviours shows the evidence against a validator.
func misbehaviours(e *networkv1.Evidence) []*apiv1.Misbehaviour {
	var out []*apiv1.Misbehaviour
	for _, m := range e.GetLatest() {
		out = append(out, &apiv1.Misbehaviour{
			Kind:   strings.ToLower(strings.TrimPrefix(m.GetKind().String(), "MISBEHAVIOUR_KIND_")),
			Height: m.GetHeight(), Time: timestamp(m.GetTime()), RecordedAt: m.GetRecordedAt(),
		})
	}
	return out
}

// formerValidators shows the evidence against those that are no member's validators now.
func formerValidators(evidence map[[20]byte]*networkv1.Evidence) []*apiv1.FormerValidator {
	var out []*apiv1.FormerValidator
	for validator, e := range evidence {
		shown := &apiv1.FormerValidator{
			Validator: hex.EncodeToString(validator[:]), Misbehaviours: misbehaviours(e), MisbehaviourCount: e.GetCount(),
		}
		if len(e.GetMember()) > 0 {
			shown.Member = address(e.GetMember())
		}
		out = append(out, shown)
	}
	slices.SortFunc(out, func(a, b *apiv1.FormerValidator) int { return strings.Compare(a.GetValidator(), b.GetValidator()) })
	return out
}
