package main

import (
	"bytes"
	"strings"
	"testing"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// What the ledger holds against a validator is shown under its member, and says how much more there was.
func TestMisbehavioursAreShown(t *testing.T) {
	out := &bytes.Buffer{}
	printMisbehaviours(out, []*apiv1.Misbehaviour{
		{Kind: "duplicate_vote", Height: 41, Time: "2026-01-02T03:04:05.000Z", RecordedAt: 44},
	}, 3)
	for _, want := range []string{"2 times before", "signed two votes for block 41 at 2026-01-02T03:04:05.000Z", "in block 44"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	out.Reset()
	if printMisbehaviours(out, nil, 0); out.Len() != 0 {
		t.Errorf("without evidence: %s", out)
	}
}
