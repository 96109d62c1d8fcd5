// Package light verifies what a Dure network says, offline: receipts, checkpoints and proofs of state.
//
// A verifier starts from an [Anchor], which is either the network's genesis file or a checkpoint it trusts, and from
// nothing else: no clock, no network, no node. Every change of validators between the anchor and what is verified must
// be signed by more than two thirds of the voting power of the validators before it; there is no shortcut by which a third of an
// old set could vouch for a new one.
//
//	anchor, err := light.FromGenesis(genesisFile)
//	verified, err := anchor.VerifyReceipt(receiptFile)
//	fmt.Println(verified)
//
// What a verification is worth is what it rests on, so [Verified] says it: the genesis keys of the validators, or a
// checkpoint of a date and its witnesses. Keys of validators who left long ago may leak; whoever verifies years later
// should start from a newer checkpoint and refresh the receipt against it, by asking any node for the receipt again from
// that height and comparing the two with [SameOutcome].
//
// [BuildReceipt] and [BuildCheckpoint] are the other side: they assemble the files from a node's stores.
package light
