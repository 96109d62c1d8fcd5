package index

import (
	"github.com/holiman/uint256"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// ReadAccount is an account as the state has it.
func ReadAccount(r state.Reader, address tx.Address) (*accountv1.Account, bool) {
	return accountMap.Get(r, address[:])
}

// ReadAsset is an asset class as the state has it.
func ReadAsset(r state.Reader, asset string) (*assetv1.Class, bool) {
	return assetMap.Get(r, []byte(asset))
}

// ReadBalance is what an account may spend of an asset, and what it has set aside in holds.
func ReadBalance(r state.Reader, account tx.Address, asset string) (amount, held uint256.Int) {
	return amount, held
}

// ReadHold is an open hold as the state has it.
func ReadHold(r state.Reader, id []byte) (*assetv1.HoldState, bool) { return holdMap.Get(r, id) }

// ReadRecord is the record of a digest by a recorder as the state has it.
func ReadRecord(r state.Reader, k RecordKey) (*recordv1.Record, bool) {
	return recordMap.Get(r, append(k.Digest[:], k.Recorder[:]...))
}

// ReadMembers lists the members in order of address.
func ReadMembers(r state.Reader) []*networkv1.Member { return nil }

// ReadParameters are the network's rules of the moment.
func ReadParameters(r state.Reader) *networkv1.Parameters { return &networkv1.Parameters{} }

// ReadProposal is a proposal as the state has it, open or not.
func ReadProposal(r state.Reader, id uint64) (*networkv1.Proposal, bool) { return nil, false }

var (
	accountMap = state.NewMap("A", state.Bytes, state.Proto[*accountv1.Account]())
	assetMap   = state.NewMap("SC", state.Bytes, state.Proto[*assetv1.Class]())
	holdMap    = state.NewMap("SH", state.Bytes, state.Proto[*assetv1.HoldState]())
	recordMap  = state.NewMap("R", state.Bytes, state.Proto[*recordv1.Record]())
)

// ReadRecorders lists the records of a digest.
func ReadRecorders(r state.Reader, digest [32]byte) (keys []RecordKey) {
	recordMap.Ascend(r, digest[:], func(k []byte, _ *recordv1.Record) bool {
		keys = append(keys, RecordKey{[32]byte(k[:32]), tx.Address(k[32:])})
		return true
	})
	return keys
}
