package asset

import (
	"github.com/holiman/uint256"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Get returns a class and whether it exists.
func Get(g state.Getter, asset string) (*assetv1.Class, bool) { return classes.Get(g, asset) }

// Balance returns what an account can spend and what it has set aside in holds, in smallest units. An account or asset
// that does not exist has nothing.
func Balance(g state.Getter, asset string, account tx.Address) (available, held uint256.Int) {
	held, _ = heldSums.Get(g, holding{asset, account})
	return balance(g, asset, account), held
}

// Hold returns an open hold and whether there is one.
func Hold(g state.Getter, id HoldID) (*assetv1.HoldState, bool) { return holds.Get(g, id) }

// AscendClasses calls fn for each class in order of id until fn returns false.
func AscendClasses(r state.Reader, fn func(asset string, class *assetv1.Class) bool) {
	classes.Ascend(r, nil, fn)
}

// AscendBalances calls fn for each account that can spend some of an asset, in order of address, until fn returns false.
// What is set aside in holds is not among it; see AscendHeld.
func AscendBalances(r state.Reader, asset string, fn func(account tx.Address, available uint256.Int) bool) {
	balances.Ascend(r, ids.Append(nil, asset), func(h holding, amount uint256.Int) bool { return fn(h.account, amount) })
}

// AscendHeld calls fn for each account that has set some of an asset aside in holds, in order of address, until fn
// returns false.
func AscendHeld(r state.Reader, asset string, fn func(account tx.Address, held uint256.Int) bool) {
	heldSums.Ascend(r, ids.Append(nil, asset), func(h holding, amount uint256.Int) bool { return fn(h.account, amount) })
}

// AscendHolds calls fn for each open hold in order of id until fn returns false.
func AscendHolds(r state.Reader, fn func(HoldID, *assetv1.HoldState) bool) { holds.Ascend(r, nil, fn) }

// ClassKey is the raw state key of a class, for state proofs.
func ClassKey(asset string) []byte { return classes.Key(asset) }

// BalanceKey is the raw state key of what an account can spend, for state proofs. Its value is 16 bytes, big-endian;
// absent means nothing.
func BalanceKey(asset string, account tx.Address) []byte {
	return balances.Key(holding{asset, account})
}

// HoldKey is the raw state key of a hold, for state proofs.
func HoldKey(id HoldID) []byte { return holds.Key(id) }
