package light_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/client/light"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/merkle"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
)

// broken is a file that must be refused.
type broken struct {
	name, about, code string
	// anchor is "genesis" or the name of a valid checkpoint.
	anchor string
	file   []byte
}

// edit changes a receipt's parts without asking whether they still make sense. The app hash is stated anew.
func edit(t testing.TB, file []byte, change func(*ledgerproof.Receipt)) []byte {
	t.Helper()
	r, err := ledgerproof.DecodeReceipt(file)
	if err != nil {
		t.Fatal(err)
	}
	change(r)
	o, err := r.Parsed()
	if err != nil {
		t.Fatal(err)
	}
	root, err := ledgerproof.PathRoot(merkle.LeafHash(r.Outcome), o.GetSeq(), r.Size, r.Path)
	if err != nil {
		t.Fatal(err)
	}
	r.Evidence.Header.AppHash = ledgerproof.AppHash(r.StateRoot, ledgerproof.HistoryRoot(r.Size, root))
	out, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// editOutcome changes the outcome in a receipt.
func editOutcome(t testing.TB, file []byte, change func(*ledgerv1.Outcome)) []byte {
	return edit(t, file, func(r *ledgerproof.Receipt) {
		o, err := r.Parsed()
		if err != nil {
			t.Fatal(err)
		}
		change(o)
		r.Outcome = marshal(t, o)
	})
}

// forge is a receipt of a changed outcome on a header that some of the validators' keys sign again.
func (c *chain) forge(b, height int64, change func(*ledgerv1.Outcome), who func(string) bool) []byte {
	o := &ledgerv1.Outcome{}
	if err := proto.Unmarshal(c.leaves[b-1], o); err != nil {
		c.t.Fatal(err)
	}
	change(o)
	f := *c
	f.leaves = slices.Clone(c.leaves)
	f.leaves[b-1] = marshal(c.t, o)
	return f.signAgain(b, height, who)
}

// signAgain makes the app hash of height fit and signs its header by who, whatever their power.
func (c *chain) signAgain(b, height int64, who func(string) bool) []byte {
	header := *c.headers[height-1]
	header.AppHash = c.appHash(height)
	commit := c.sign(&header, c.sets[height-1], who)
	return edit(c.t, c.receipt0(b, height), func(r *ledgerproof.Receipt) {
		r.Outcome, r.Path = c.leaves[b-1], c.leaf(b, height).Path
		r.Evidence.Commit.Signatures = signatures(commit)
	})
}

// receipt0 is the network's true receipt, whatever the leaves of c have become.
func (c *chain) receipt0(b, height int64) []byte {
	f := newChain(c.t, c.network[:len(c.network)-33], c.start, int64(len(c.headers)), nil)
	return f.receipt(b, 0, height)
}

func signatures(c *types.Commit) (list []ledgerproof.Signature) {
	for i, s := range c.Signatures {
		if s.BlockIDFlag == types.BlockIDFlagCommit {
			list = append(list, ledgerproof.Signature{Validator: uint16(i), Time: s.Timestamp.UnixNano(), Bytes: s.Signature})
		}
	}
	return list
}

func setPaid(o *ledgerv1.Outcome) { o.Events[0].GetAssetMoved().Amount = "2500000" }

// brokenReceipts are forgeries and damages of receipts. quiet never changes validators; moved changes them in headers 4, 5, 9.
func brokenReceipts(t testing.TB, quiet, moved *chain) []broken {
	q, m := quiet.receipt(2, 0, 7), moved.receipt(2, 0, 12)
	list := brokenFiles(quiet, q)
	list = append(list, brokenCommits(t, quiet, q)...)
	return append(list, brokenChanges(t, moved, m)...)
}

func brokenFiles(quiet *chain, q []byte) []broken {
	t := quiet.t
	other := newChain(t, "other", four, 8, nil)
	at := func(i int, b byte) []byte {
		f := bytes.Clone(q)
		f[i] = b
		return f
	}
	return []broken{
		{"empty", "no bytes at all", "receipt.not_a_receipt", "genesis", nil},
		{"not-a-receipt", "does not begin with DURE", "receipt.not_a_receipt", "genesis", at(0, 'P')},
		{"newer-version", "a layout version that does not exist", "receipt.unsupported_version", "genesis", at(4, 9)},
		{"truncated", "the last byte is missing", "proof.malformed", "genesis", q[:len(q)-1]},
		{"trailing", "a zero byte follows", "proof.malformed", "genesis", append(bytes.Clone(q), 0)},
		{"wrong-network", "a good receipt of another network run by the same validators", "receipt.wrong_network", "genesis", other.receipt(2, 0, 7)},
		{"changed-transaction", "one byte of the transaction is changed", "receipt.wrong_transaction", "genesis", at(5+1+len(quiet.network)+4+10, 0xee)},
		{"changed-outcome", "the amount in the outcome is changed, nothing is signed again", "proof.bad_signature", "genesis", editOutcome(t, q, setPaid)},
		{"changed-sibling", "a hash of the path is changed", "proof.bad_signature", "genesis", edit(t, q, func(r *ledgerproof.Receipt) { r.Path[0][0] ^= 1 })},
		{"changed-size", "the log's size is changed to one with a path of the same length", "proof.bad_signature", "genesis",
			edit(t, q, func(r *ledgerproof.Receipt) { r.Size = 5 })},
		{"changed-state-root", "the state root is changed", "proof.bad_signature", "genesis", edit(t, q, func(r *ledgerproof.Receipt) { r.StateRoot[31] ^= 1 })},
		{"void", "all four sign a void outcome", "receipt.bad_outcome", "genesis", void(q)},
		{"from-the-future", "all four sign an outcome of a block at the header's own height", "receipt.bad_outcome", "genesis",
			quiet.forge(2, 7, func(o *ledgerv1.Outcome) { o.Height = 7 }, everyone)},
	}
}

// void sets the status in the serialised outcome to 3. Nobody needs to have signed it: it is refused before.
func void(q []byte) []byte {
	f := bytes.Clone(q)
	i := bytes.LastIndex(f, []byte{0x38, 1, 0x48}) // status = 1, then work
	f[i+1] = 3
	return f
}

func brokenCommits(t testing.TB, quiet *chain, q []byte) []broken {
	commit := func(change func(*ledgerproof.Commit)) []byte {
		return edit(t, q, func(r *ledgerproof.Receipt) { change(&r.Evidence.Commit) })
	}
	resign := func(vote func(*cmtproto.Vote)) []byte {
		return commit(func(c *ledgerproof.Commit) {
			header := quiet.headers[6]
			v := &cmtproto.Vote{Type: cmtproto.PrecommitType, Height: 7, BlockID: quiet.commits[6].BlockID.ToProto(), Timestamp: time.Unix(0, c.Signatures[0].Time).UTC()}
			vote(v)
			signer := quiet.names[quiet.sets[6].Validators[0].Address.String()]
			sig, err := key(signer).Sign(types.VoteSignBytes(header.ChainID, v))
			if err != nil {
				t.Fatal(err)
			}
			c.Signatures[0].Bytes = sig
		})
	}
	first := quiet.names[quiet.sets[6].Validators[0].Address.String()]
	second := quiet.names[quiet.sets[6].Validators[1].Address.String()]
	return []broken{
		{"forged-two-of-four", "two of four genesis keys sign a changed outcome", "proof.too_little_power", "genesis", quiet.forge(2, 7, setPaid, only(first, second))},
		{"forged-by-nobody", "no signatures at all", "proof.too_little_power", "genesis", commit(func(c *ledgerproof.Commit) { c.Signatures = nil })},
		{"signed-twice", "two validators, one of them counted twice", "proof.bad_signer", "genesis", commit(func(c *ledgerproof.Commit) { c.Signatures[2] = c.Signatures[1] })},
		{"out-of-order-signers", "the signatures are not in ascending order of validator", "proof.bad_signer", "genesis",
			commit(func(c *ledgerproof.Commit) { c.Signatures[0], c.Signatures[1] = c.Signatures[1], c.Signatures[0] })},
		{"unknown-signer", "a signature by validator 4 of 0 to 3", "proof.bad_signer", "genesis", commit(func(c *ledgerproof.Commit) { c.Signatures[2].Validator = 4 })},
		{"changed-vote-time", "one nanosecond more in a vote", "proof.bad_signature", "genesis", commit(func(c *ledgerproof.Commit) { c.Signatures[1].Time++ })},
		{"changed-round", "the commit claims round 1", "proof.bad_signature", "genesis", commit(func(c *ledgerproof.Commit) { c.Round = 1 })},
		{"prevote", "a signature is on a prevote", "proof.bad_signature", "genesis", resign(func(v *cmtproto.Vote) { v.Type = cmtproto.PrevoteType })},
		{"nil-vote", "a signature is on a vote for no block", "proof.bad_signature", "genesis", resign(func(v *cmtproto.Vote) { v.BlockID = cmtproto.BlockID{} })},
		{"other-height", "a signature is on another height", "proof.bad_signature", "genesis", resign(func(v *cmtproto.Vote) { v.Height = 8 })},
	}
}

func brokenChanges(t testing.TB, moved *chain, m []byte) []broken {
	evidence := func(change func(*ledgerproof.Evidence)) []byte {
		return edit(t, m, func(r *ledgerproof.Receipt) { change(&r.Evidence) })
	}
	next := func(change func(set []ledgerproof.Validator) []ledgerproof.Validator) []byte {
		return evidence(func(e *ledgerproof.Evidence) { e.Changes[0].Next = change(e.Changes[0].Next) })
	}
	lone := moved.names[moved.sets[3].Validators[0].Address.String()]
	pair := moved.names[moved.sets[3].Validators[1].Address.String()]
	commitBy := func(who ...string) []ledgerproof.Signature {
		return signatures(moved.sign(moved.headers[3], moved.sets[3], only(who...)))
	}
	return []broken{
		{"one-third-skip", "the change of validators in header 4 is signed by half of the set before", "proof.too_little_power", "genesis",
			evidence(func(e *ledgerproof.Evidence) { e.Changes[0].Commit.Signatures = commitBy(lone, pair) })},
		{"change-left-out", "the change of validators in header 5 is missing", "proof.bad_signature", "genesis",
			evidence(func(e *ledgerproof.Evidence) { e.Changes = slices.Delete(e.Changes, 1, 2) })},
		{"all-changes-left-out", "header 7, signed by the third set, as if the genesis set had", "proof.bad_signature", "genesis",
			edit(t, moved.receipt(2, 0, 7), func(r *ledgerproof.Receipt) { r.Evidence.Changes = nil })},
		{"changes-out-of-order", "the changes in headers 4 and 5 are exchanged", "proof.bad_signature", "genesis",
			evidence(func(e *ledgerproof.Evidence) { e.Changes[0], e.Changes[1] = e.Changes[1], e.Changes[0] })},
		{"change-twice", "the change in header 4 is there twice", "proof.out_of_order", "genesis",
			evidence(func(e *ledgerproof.Evidence) { e.Changes = slices.Insert(e.Changes, 1, e.Changes[0]) })},
		{"other-new-power", "a new validator has more power than was signed", "proof.wrong_validators", "genesis",
			next(func(set []ledgerproof.Validator) []ledgerproof.Validator { set[0].Power++; return set })},
		{"other-new-key", "a new validator has another key than was signed", "proof.wrong_validators", "genesis",
			next(func(set []ledgerproof.Validator) []ledgerproof.Validator { set[0].Key[0] ^= 1; return set })},
		{"overflowing-power", "the new powers add up to more than 2^60", "proof.bad_validators", "genesis",
			next(func(set []ledgerproof.Validator) []ledgerproof.Validator {
				for i := range set {
					set[i].Power = types.MaxTotalVotingPower / 3
				}
				return set
			})},
		{"no-power", "a new validator has power 0", "proof.bad_validators", "genesis",
			next(func(set []ledgerproof.Validator) []ledgerproof.Validator { set[3].Power = 0; return set })},
		{"same-validator-twice", "a key is in the new set twice", "proof.bad_validators", "genesis",
			next(func(set []ledgerproof.Validator) []ledgerproof.Validator { set[2] = set[1]; return set })},
		{"unordered-set", "the new set is not in order of power", "proof.bad_validators", "genesis",
			next(func(set []ledgerproof.Validator) []ledgerproof.Validator { set[0], set[3] = set[3], set[0]; return set })},
		{"empty-set", "the new set is empty", "proof.bad_validators", "genesis",
			next(func([]ledgerproof.Validator) []ledgerproof.Validator { return nil })},
		{"change-of-nothing", "header 3, whose next validators are its own, as a change", "proof.no_change", "genesis",
			evidence(func(e *ledgerproof.Evidence) { e.Changes = slices.Insert(e.Changes, 0, moved.noChange(3)) })},
		{"before-checkpoint", "proven from genesis, verified from a checkpoint of height 10", "proof.before_anchor", "checkpoint-changing", m},
		{"second-history", "all validators sign another header at the checkpoint's own height", "proof.wrong_header", "checkpoint-changing", moved.secondHistory(10)},
	}
}

// noChange presents a header that changes no validators as one that does.
func (c *chain) noChange(h int64) ledgerproof.Change {
	f := *c
	f.changes = []int64{h}
	header := *c.headers[h-1]
	header.NextValidatorsHash = c.sets[3+1].Hash() // so that the builder takes it for a change
	f.headers = slices.Clone(c.headers)
	f.headers[h-1] = &header
	f.sets = slices.Clone(c.sets)
	r, err := ledgerproof.DecodeReceipt(f.receipt(1, 0, h+1))
	if err != nil {
		c.t.Fatal(err)
	}
	change := r.Evidence.Changes[0]
	change.Header.NextValidatorsHash = [32]byte(c.headers[h-1].NextValidatorsHash)
	return change
}

// secondHistory is a receipt on a header of height h that the true validators signed beside the one they committed.
func (c *chain) secondHistory(h int64) []byte {
	f := *c
	f.headers, f.commits = slices.Clone(c.headers), slices.Clone(c.commits)
	header := *c.headers[h-1]
	header.DataHash = digest("another block")
	f.headers[h-1] = &header
	f.commits[h-1] = c.sign(&header, c.sets[h-1], everyone)
	return f.receipt(2, h, h)
}

// TestForgedExactlyTwoThirds: two of three equal validators are not more than two thirds.
func TestForgedExactlyTwoThirds(t *testing.T) {
	c := newChain(t, "three", four[:3], 6, nil)
	file := edit(t, c.receipt(2, 0, 6), func(r *ledgerproof.Receipt) {
		r.Evidence.Commit.Signatures = r.Evidence.Commit.Signatures[:2]
	})
	_, err := c.anchor().VerifyReceipt(file)
	wantCode(t, err, "proof.too_little_power")
}

// TestTimeMustRise: headers of a proof that go back in time are refused though all signed them.
func TestTimeMustRise(t *testing.T) {
	c := changing(t)
	header := *c.headers[11]
	header.Time = blockTime(3)
	c.headers[11] = &header
	c.commits[11] = c.sign(&header, c.sets[11], everyone)
	_, err := c.anchor().VerifyReceipt(c.receipt(2, 0, 12))
	wantCode(t, err, "proof.out_of_order")
}

func TestBuildRefuses(t *testing.T) {
	c := newChain(t, "quiet", four, 8, nil)
	_, err := light.BuildReceipt(c, 9, 8, c.leaf(2, 8))
	wantCode(t, err, "proof.before_anchor")
	_, err = light.BuildReceipt(c, 0, 7, c.leaf(2, 8))
	wantCode(t, err, "receipt.wrong_app_hash")
	size, root := c.history(6)
	_, err = light.BuildCheckpoint(c, 0, 7, size, root, c.tree.Root())
	wantCode(t, err, "checkpoint.wrong_app_hash")
	c.commits[7] = c.sign(c.headers[7], c.sets[7], only("amber", "birch"))
	_, err = light.BuildReceipt(c, 0, 8, c.leaf(2, 8))
	wantCode(t, err, "proof.incomplete")
}

func TestGenesisRefused(t *testing.T) {
	_, err := light.FromGenesis([]byte("{}"))
	wantCode(t, err, "genesis.malformed")
	_, err = light.FromGenesis(genesisFile("twice", []validator{{"amber", 10}, {"amber", 10}}))
	wantCode(t, err, "proof.bad_validators")
	_, err = light.FromGenesis(genesisFile("minus", []validator{{"amber", 10}, {"birch", -1}}))
	wantCode(t, err, "proof.bad_validators")
	_, err = light.FromGenesis(genesisFile("huge", []validator{{"amber", 1 << 60}, {"birch", 1 << 60}}))
	wantCode(t, err, "proof.bad_validators")
	_, err = light.FromGenesis(genesisFile("nobody", nil))
	wantCode(t, err, "proof.bad_validators")
}
