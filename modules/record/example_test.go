package record_test

import (
	"crypto/sha256"
	"fmt"

	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/record"
)

// A document is recorded by its digest, and later anybody who has the file finds who recorded it and when.
func Example() {
	l := moduletest.New()
	file := []byte("We agree to farm together.\n")
	digest := sha256.Sum256(file)
	moduletest.Do(l, "seoul", &txv1.Action_RecordAdd{RecordAdd: &recordv1.Add{
		Digest: digest[:], Size: uint64(len(file)), MediaType: "text/plain", Title: "Agreement", Name: "agreement.txt",
	}})

	record.Ascend(l.View, digest, func(recorder tx.Address, r *recordv1.Record) bool {
		fmt.Println(r.GetTitle(), r.GetState(), recorder == moduletest.Address("seoul"))
		return true
	})
	// Output: Agreement STATE_ACTIVE true
}
