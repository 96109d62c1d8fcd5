package record_test

import (
	"fmt"
	"testing"

	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/record"
)

// A record takes 64 cosignatures, in order of signing, and no more.
func TestCosignaturesAreBounded(t *testing.T) {
	lines := []string{"seoul record.add digest=v1 size=1 media_type=text/plain title=1"}
	for i := range record.MaxCosignatures + 1 {
		lines = append(lines, fmt.Sprintf("seoul account.open key=p%d", i))
	}
	l, err := moduletest.Play(lines...)
	if err != nil {
		t.Fatal(err)
	}
	var digest record.Digest
	seoul := moduletest.Address("seoul")
	record.AscendAll(l.View, func(d record.Digest, _ tx.Address, _ *recordv1.Record) bool {
		digest = d
		return true
	})
	for i := range record.MaxCosignatures + 1 {
		r := moduletest.Do(l, fmt.Sprintf("p%d", i), &txv1.Action_RecordCosign{RecordCosign: &recordv1.Cosign{Digest: digest[:], Recorder: seoul[:]}})
		if want := map[bool]string{true: "", false: "record.too_many_cosignatures"}[i < record.MaxCosignatures]; fault.Code(r.Err) != want {
			t.Fatalf("cosignature %d: %v", i+1, r.Err)
		}
	}
	got, _ := record.Get(l.View, digest, seoul)
	for i, s := range got.GetCosignatures() {
		if a := moduletest.Address(fmt.Sprintf("p%d", i)); string(s.GetAccount()) != string(a[:]) {
			t.Errorf("cosignature %d is not p%d's", i, i)
		}
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
}
