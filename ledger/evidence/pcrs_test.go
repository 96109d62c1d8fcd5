package evidence_test

import (
	"testing"

	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/fault"
)

func TestPCRs(t *testing.T) {
	for text, set := range map[string]uint32{"sha256:0": 1, "sha256:0,7": 129, "sha256:23": 1 << 23} {
		if got, err := evidence.ParsePCRs(text); err != nil || got != set || evidence.FormatPCRs(set) != text {
			t.Errorf("%s: %x, %v; written %s", text, got, err, evidence.FormatPCRs(set))
		}
	}
	for _, text := range []string{"", "0,7", "sha1:0", "sha256:", "sha256:24", "sha256:0,", "sha256:-1", "sha256:0, 7"} {
		if got, err := evidence.ParsePCRs(text); fault.Code(err) != "evidence.unsupported" {
			t.Errorf("%q: %x, %v", text, got, err)
		}
	}
	if evidence.FormatPCRs(0) != "" {
		t.Error("no registers are " + evidence.FormatPCRs(0))
	}
}
