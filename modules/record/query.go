package record

import (
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Get returns the record that an account made of a digest and whether there is one.
func Get(g state.Getter, digest Digest, recorder tx.Address) (*recordv1.Record, bool) {
	return records.Get(g, id{digest, recorder})
}

// Ascend calls fn for each record of a digest, in order of recorder, until fn returns false.
func Ascend(r state.Reader, digest Digest, fn func(recorder tx.Address, record *recordv1.Record) bool) {
	records.Ascend(r, digest[:], func(i id, record *recordv1.Record) bool { return fn(i.recorder, record) })
}

// AscendAll calls fn for every record, in order of digest and recorder, until fn returns false.
func AscendAll(r state.Reader, fn func(digest Digest, recorder tx.Address, record *recordv1.Record) bool) {
	records.Ascend(r, nil, func(i id, record *recordv1.Record) bool { return fn(i.digest, i.recorder, record) })
}

// Key is the raw state key of a record, for state proofs.
func Key(digest Digest, recorder tx.Address) []byte { return records.Key(id{digest, recorder}) }
