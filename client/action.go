package client

import (
	"time"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Note is a remark on a movement of money. Notes are public.
type Note func(*notes)

type notes struct{ memo, reference string }

// Memo is text for people, at most 256 bytes.
func Memo(text string) Note { return func(n *notes) { n.memo = text } }

// Reference is text for machines, such as an invoice number, at most 64 bytes.
func Reference(text string) Note { return func(n *notes) { n.reference = text } }

func collect(list []Note) (n notes) {
	for _, note := range list {
		note(&n)
	}
	return n
}

// CreateAsset makes an asset class whose issuer is the actor. Cap is in smallest units; empty: none.
func (d *Draft) CreateAsset(issuer tx.Address, asset, name string, decimals uint32, limit string) *Draft {
	return d.Append(&txv1.Action{Actor: issuer[:], Call: &txv1.Action_AssetCreate{
		AssetCreate: &assetv1.Create{Asset: asset, Name: name, Decimals: decimals, Cap: limit}}})
}

// Issue creates units. Amounts, here and below, are decimal strings of the asset's smallest unit; see ParseUnits.
func (d *Draft) Issue(issuer, to tx.Address, asset, amount string, note ...Note) *Draft {
	n := collect(note)
	return d.Append(&txv1.Action{Actor: issuer[:], Call: &txv1.Action_AssetIssue{
		AssetIssue: &assetv1.Issue{Asset: asset, To: to[:], Amount: amount, Memo: n.memo, Reference: n.reference}}})
}

// Transfer moves units.
func (d *Draft) Transfer(from, to tx.Address, asset, amount string, note ...Note) *Draft {
	n := collect(note)
	return d.Append(&txv1.Action{Actor: from[:], Call: &txv1.Action_AssetTransfer{
		AssetTransfer: &assetv1.Transfer{Asset: asset, To: to[:], Amount: amount, Memo: n.memo, Reference: n.reference}}})
}

// Redeem destroys units of the holder, which the issuer then owes elsewhere.
func (d *Draft) Redeem(holder tx.Address, asset, amount string, note ...Note) *Draft {
	n := collect(note)
	return d.Append(&txv1.Action{Actor: holder[:], Call: &txv1.Action_AssetRedeem{
		AssetRedeem: &assetv1.Redeem{Asset: asset, Amount: amount, Memo: n.memo, Reference: n.reference}}})
}

// Hold sets units aside for a payee. A zero arbiter means the payer.
func (d *Draft) Hold(payer, payee, arbiter tx.Address, asset, amount string, expires time.Time, note ...Note) *Draft {
	n := collect(note)
	hold := &assetv1.Hold{Asset: asset, Amount: amount, Payee: payee[:], ExpiresAt: expires.UnixMilli(), Memo: n.memo, Reference: n.reference}
	if arbiter != (tx.Address{}) {
		hold.Arbiter = arbiter[:]
	}
	return d.Append(&txv1.Action{Actor: payer[:], Call: &txv1.Action_AssetHold{AssetHold: hold}})
}

// Release ends a hold: pay goes to the payee, the rest back to the payer. The id of a hold is 16 bytes.
func (d *Draft) Release(actor tx.Address, hold [16]byte, pay string) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_AssetRelease{
		AssetRelease: &assetv1.Release{Hold: hold[:], Pay: pay}}})
}

// Pause stops every movement of an asset.
func (d *Draft) Pause(issuer tx.Address, asset string) *Draft {
	return d.Append(&txv1.Action{Actor: issuer[:], Call: &txv1.Action_AssetPause{AssetPause: &assetv1.Pause{Asset: asset}}})
}

// Unpause lets an asset move again.
func (d *Draft) Unpause(issuer tx.Address, asset string) *Draft {
	return d.Append(&txv1.Action{Actor: issuer[:], Call: &txv1.Action_AssetUnpause{AssetUnpause: &assetv1.Unpause{Asset: asset}}})
}

// Document describes a file to be recorded. Everything in it is public; the file itself stays where it is.
type Document struct {
	// Digest is SHA-256 of the file.
	Digest [32]byte
	// Size in bytes.
	Size uint64
	// MediaType by RFC 6838.
	MediaType string
	// Title for people, 1 to 200 bytes.
	Title string
	// Name of the file without folders; may be empty.
	Name string
}

func (doc Document) add() *recordv1.Add {
	return &recordv1.Add{Digest: doc.Digest[:], Size: doc.Size, MediaType: doc.MediaType, Title: doc.Title, Name: doc.Name}
}

// AddRecord records a document.
func (d *Draft) AddRecord(recorder tx.Address, doc Document) *Draft {
	return d.Append(&txv1.Action{Actor: recorder[:], Call: &txv1.Action_RecordAdd{RecordAdd: doc.add()}})
}

// CosignRecord adds the actor's signature to another account's record.
func (d *Draft) CosignRecord(actor tx.Address, digest [32]byte, recorder tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_RecordCosign{
		RecordCosign: &recordv1.Cosign{Digest: digest[:], Recorder: recorder[:]}}})
}

// SupersedeRecord records a new version of a document.
func (d *Draft) SupersedeRecord(recorder tx.Address, old [32]byte, doc Document) *Draft {
	return d.Append(&txv1.Action{Actor: recorder[:], Call: &txv1.Action_RecordSupersede{
		RecordSupersede: &recordv1.Supersede{OldDigest: old[:], New: doc.add()}}})
}

// WithdrawRecord marks a record withdrawn.
func (d *Draft) WithdrawRecord(recorder tx.Address, digest [32]byte, reason string) *Draft {
	return d.Append(&txv1.Action{Actor: recorder[:], Call: &txv1.Action_RecordWithdraw{
		RecordWithdraw: &recordv1.Withdraw{Digest: digest[:], Reason: reason}}})
}

// Propose proposes a change of the network and votes for it. The actor is a member.
func (d *Draft) Propose(member tx.Address, change *networkv1.Change) *Draft {
	return d.Append(&txv1.Action{Actor: member[:], Call: &txv1.Action_NetworkPropose{
		NetworkPropose: &networkv1.Propose{Change: change}}})
}

// Vote votes for an open proposal. The actor is a member.
func (d *Draft) Vote(member tx.Address, proposal uint64) *Draft {
	return d.Append(&txv1.Action{Actor: member[:], Call: &txv1.Action_NetworkVote{
		NetworkVote: &networkv1.Vote{Proposal: proposal}}})
}
