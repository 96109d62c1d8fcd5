package indextest

import (
	"crypto/sha256"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Transfer is an action that moves units of Asset.
func Transfer(from tx.Signer, to tx.Address, amount, memo string) *txv1.Action {
	return &txv1.Action{Actor: bytesOf(from), Call: &txv1.Action_AssetTransfer{
		AssetTransfer: &assetv1.Transfer{Asset: Asset, To: to[:], Amount: amount, Memo: memo},
	}}
}

// Hold is an action that sets units of Asset aside for an hour.
func (l *Ledger) Hold(from tx.Signer, to, arbiter tx.Address, amount string) *txv1.Action {
	_, _, now := l.State()
	return &txv1.Action{Actor: bytesOf(from), Call: &txv1.Action_AssetHold{
		AssetHold: &assetv1.Hold{Asset: Asset, Amount: amount, Payee: to[:], Arbiter: arbiter[:], ExpiresAt: now + 3_600_000, Memo: "보증금"},
	}}
}

// Release is an action that ends a hold.
func Release(by tx.Signer, hold []byte, pay string) *txv1.Action {
	return &txv1.Action{Actor: bytesOf(by), Call: &txv1.Action_AssetRelease{AssetRelease: &assetv1.Release{Hold: hold, Pay: pay}}}
}

// Create is an action that makes an asset class.
func Create(by tx.Signer, asset string) *txv1.Action {
	return &txv1.Action{Actor: bytesOf(by), Call: &txv1.Action_AssetCreate{
		AssetCreate: &assetv1.Create{Asset: asset, Name: asset},
	}}
}

// Open is an action that opens the account of a key.
func Open(by tx.Signer, key tx.Key) *txv1.Action {
	return &txv1.Action{Actor: bytesOf(by), Call: &txv1.Action_AccountOpen{
		AccountOpen: &accountv1.Open{Kind: key.Kind, PublicKey: key.Public},
	}}
}

// Record is an action that records a document of the given content.
func Record(by tx.Signer, content, title, name string) *txv1.Action {
	digest := sha256.Sum256([]byte(content))
	return &txv1.Action{Actor: bytesOf(by), Call: &txv1.Action_RecordAdd{
		RecordAdd: &recordv1.Add{Digest: digest[:], Size: uint64(len(content)), MediaType: "text/plain", Title: title, Name: name},
	}}
}
