package light_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cometbft/cometbft/crypto"
	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/mldsa65"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	"github.com/cometbft/cometbft/types"
	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/client/light"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/merkle"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// validator is a name, from which its key follows, and a power.
type validator struct {
	name  string
	power int64
}

// key is ML-DSA-65 for names that end in -pq, Ed25519 for others.
func key(name string) crypto.PrivKey {
	secret := []byte("dure test validator " + name)
	if !strings.HasSuffix(name, "-pq") {
		return cmted25519.GenPrivKeyFromSecret(secret)
	}
	seed := sha256.Sum256(secret)
	k, err := mldsa65.GenPrivKeyFromSeed(seed[:])
	if err != nil {
		panic(err)
	}
	return k
}

func publicKey(name string) []byte { return key(name).PubKey().Bytes() }

var four = []validator{{"amber", 10}, {"birch", 10}, {"cedar", 10}, {"dahlia", 10}}

// chain is a network made of real CometBFT headers, votes and validator sets, the same on every run. It has one
// transaction in every block and is the builders' Source.
type chain struct {
	t       testing.TB
	genesis []byte
	start   []validator
	network string
	names   map[string]string // address to name
	headers []*types.Header   // of height i+1
	commits []*types.Commit
	sets    []*types.ValidatorSet
	changes []int64
	txs     [][]byte
	leaves  [][]byte // outcome of block i+1
	cut     int64    // if not 0, how many of them headers sign at most
	tree    *state.Tree
}

// newChain makes a network of the given name with blocks heights. changes maps a height to the validators of the height after.
func newChain(t testing.TB, name string, start []validator, blocks int64, changes map[int64][]validator) *chain {
	t.Helper()
	c := &chain{t: t, start: start, genesis: genesisFile(name, start), names: map[string]string{}, tree: state.NewTree()}
	g, err := genesis.Parse(c.genesis)
	if err != nil {
		t.Fatal(err)
	}
	c.network = g.NetworkID
	c.tree = c.tree.Apply([]state.Change{{Key: []byte("Aalice"), Value: []byte("open")}, {Key: []byte("Sgold"), Value: []byte("100")}})
	c.sets = append(c.sets, c.newSet(start))
	for h := int64(1); h <= blocks; h++ {
		c.block(h, changes[h])
	}
	return c
}

// block adds the block of height h, the next, with the validators of the height after if they change.
func (c *chain) block(h int64, change []validator) {
	next := c.sets[h-1]
	if change != nil {
		next = c.newSet(change)
		c.changes = append(c.changes, h)
	}
	c.sets = append(c.sets, next)
	c.headers = append(c.headers, c.newHeader(h))
	c.commits = append(c.commits, c.sign(c.headers[h-1], c.sets[h-1], everyone))
	c.execute(h)
}

func genesisFile(name string, start []validator) []byte {
	var members []string
	for i, v := range start {
		key := publicKey(v.name)
		members = append(members, fmt.Sprintf(`      {"address": %q, "name": %q, "validatorKey": %q, "power": "%d"}`,
			base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{byte(i + 1)}, 20)), v.name, base64.StdEncoding.EncodeToString(key), v.power))
	}
	members = append(members, `      {"address": "ZGlkIG5vdCB2YWxpZGF0ZS4=", "name": "observer"}`)
	return []byte(fmt.Sprintf("{\n  \"name\": %q,\n  \"time\": \"1700000000000\",\n  \"network\": {\n    \"members\": [\n%s\n    ]\n  }\n}\n",
		name, strings.Join(members, ",\n")))
}

func (c *chain) newSet(list []validator) *types.ValidatorSet {
	var vals []*types.Validator
	for _, v := range list {
		k := key(v.name).PubKey()
		c.names[k.Address().String()] = v.name
		vals = append(vals, types.NewValidator(k, v.power))
	}
	return types.NewValidatorSet(vals)
}

func digest(parts ...any) []byte {
	sum := sha256.Sum256([]byte(fmt.Sprint(parts...)))
	return sum[:]
}

// blockTime of a height; uneven on purpose.
func blockTime(h int64) time.Time {
	return time.Date(2026, 3, 1, 9, 0, 0, 123456789, time.UTC).Add(time.Duration(h) * 1700 * time.Millisecond)
}

func (c *chain) newHeader(h int64) *types.Header {
	empty := sha256.Sum256(nil)
	header := &types.Header{
		Version: cmtversion.Consensus{Block: 11, App: 1},
		ChainID: c.network, Height: h, Time: blockTime(h),
		LastCommitHash: empty[:], DataHash: digest("data", h),
		ValidatorsHash: c.sets[h-1].Hash(), NextValidatorsHash: c.sets[h].Hash(),
		ConsensusHash: digest("consensus"), AppHash: c.appHash(h), LastResultsHash: digest("results", h),
		EvidenceHash: empty[:], ProposerAddress: c.sets[h-1].Validators[0].Address,
	}
	if h > 1 {
		last := c.commits[h-2]
		header.LastBlockID, header.LastCommitHash = last.BlockID, last.Hash()
	}
	return header
}

// appHash in the header of height h: after block h-1.
func (c *chain) appHash(h int64) []byte {
	size, root := c.history(h)
	hash := ledgerproof.AppHash(c.tree.Root(), ledgerproof.HistoryRoot(size, root))
	return hash[:]
}

// history is the log that the header of height h signs.
func (c *chain) history(h int64) (uint64, [32]byte) {
	if c.cut > 0 {
		h = min(h, c.cut+1)
	}
	return uint64(h - 1), logRoot(c.leaves[:h-1])
}

// execute adds the outcome of block h: a payment, or for every third block a refused one.
func (c *chain) execute(h int64) {
	from, to := bytes.Repeat([]byte{1}, 20), bytes.Repeat([]byte{2}, 20)
	raw := c.payment(h, from, to)
	decoded, err := tx.Decode(c.network, raw, 1<<16)
	if err != nil {
		c.t.Fatal(err)
	}
	o := &ledgerv1.Outcome{
		Id: decoded.ID[:], TxHash: decoded.Hash[:], Seq: uint64(h - 1), Height: h, Position: 0,
		Time: blockTime(h).UnixMilli(), Status: ledgerv1.Status_STATUS_OK, Work: 420,
		Events: []*ledgerv1.Event{{Kind: &ledgerv1.Event_AssetMoved{AssetMoved: &assetv1.Moved{Asset: "gold", From: from, To: to, Amount: "25"}}}},
	}
	if h%3 == 0 {
		o.Status, o.Events = ledgerv1.Status_STATUS_FAILED, nil
		o.Refusal = &ledgerv1.Refusal{Code: "asset.insufficient_balance", Message: "the payer has less than the amount",
			Fields: []*ledgerv1.Field{{Name: "balance", Value: "3"}, {Name: "amount", Value: "25"}}}
	}
	c.txs, c.leaves = append(c.txs, raw), append(c.leaves, marshal(c.t, o))
}

func (c *chain) payment(h int64, from, to []byte) []byte {
	short, err := genesis.Short(c.network)
	if err != nil {
		c.t.Fatal(err)
	}
	signer, err := tx.NewEd25519Signer(digest("payer"))
	if err != nil {
		c.t.Fatal(err)
	}
	raw, err := tx.Sign(c.network, &txv1.Body{
		Network: short, NotAfter: blockTime(h).UnixMilli() + 60_000, Salt: uint64(h),
		Actions: []*txv1.Action{{Actor: from, Call: &txv1.Action_AssetTransfer{
			AssetTransfer: &assetv1.Transfer{Asset: "gold", To: to, Amount: "25", Memo: "rent for March"}}}},
	}, signer)
	if err != nil {
		c.t.Fatal(err)
	}
	return raw
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func everyone(string) bool { return true }

func only(names ...string) func(string) bool {
	return func(name string) bool {
		for _, n := range names {
			if n == name {
				return true
			}
		}
		return false
	}
}

// sign makes the commit of those in the set that who accepts; the others are absent.
func (c *chain) sign(h *types.Header, set *types.ValidatorSet, who func(name string) bool) *types.Commit {
	id := types.BlockID{Hash: h.Hash(), PartSetHeader: types.PartSetHeader{Total: 1, Hash: digest("parts", h.Height)}}
	commit := &types.Commit{Height: h.Height, Round: 0, BlockID: id}
	for i, v := range set.Validators {
		name := c.names[v.Address.String()]
		if !who(name) {
			commit.Signatures = append(commit.Signatures, types.NewCommitSigAbsent())
			continue
		}
		at := h.Time.Add(time.Duration(300+i) * time.Millisecond)
		vote := &cmtproto.Vote{Type: cmtproto.PrecommitType, Height: h.Height, BlockID: id.ToProto(), Timestamp: at}
		sig, err := key(name).Sign(types.VoteSignBytes(c.network, vote))
		if err != nil {
			c.t.Fatal(err)
		}
		commit.Signatures = append(commit.Signatures, types.CommitSig{
			BlockIDFlag: types.BlockIDFlagCommit, ValidatorAddress: v.Address, Timestamp: at, Signature: sig,
		})
	}
	return commit
}

func (c *chain) HeaderAt(h int64) (*types.Header, error)           { return c.headers[h-1], nil }
func (c *chain) CommitAt(h int64) (*types.Commit, error)           { return c.commits[h-1], nil }
func (c *chain) ValidatorsAt(h int64) (*types.ValidatorSet, error) { return c.sets[h-1], nil }
func (c *chain) ChangeHeights(from, to int64) (heights []int64, _ error) {
	for _, h := range c.changes {
		if from <= h && h < to {
			heights = append(heights, h)
		}
	}
	return heights, nil
}

// leaf of the outcome of block b in the log that the header of height signs.
func (c *chain) leaf(b, height int64) light.Leaf {
	return light.Leaf{
		Transaction: c.txs[b-1], Outcome: c.leaves[b-1], Size: uint64(height - 1),
		Path: logPath(c.leaves[:height-1], int(b-1)), StateRoot: c.tree.Root(),
	}
}

// receipt of block b's transaction on the header of height, for a verifier who trusts height trusted.
func (c *chain) receipt(b, trusted, height int64) []byte {
	c.t.Helper()
	file, err := light.BuildReceipt(c, trusted, height, c.leaf(b, height))
	if err != nil {
		c.t.Fatal(err)
	}
	return file
}

func (c *chain) checkpoint(trusted, height int64) []byte {
	c.t.Helper()
	size, root := c.history(height)
	file, err := light.BuildCheckpoint(c, trusted, height, size, root, c.tree.Root())
	if err != nil {
		c.t.Fatal(err)
	}
	return file
}

func (c *chain) anchor() *light.Anchor {
	c.t.Helper()
	a, err := light.FromGenesis(c.genesis)
	if err != nil {
		c.t.Fatal(err)
	}
	return a
}

// logRoot and logPath are RFC 6962's definitions, word for word (sections 2.1 and 2.1.1).
func logRoot(leaves [][]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return merkle.LeafHash(leaves[0])
	}
	k := split(len(leaves))
	left, right := logRoot(leaves[:k]), logRoot(leaves[k:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func logPath(leaves [][]byte, i int) [][32]byte {
	if len(leaves) == 1 {
		return nil
	}
	k := split(len(leaves))
	if i < k {
		return append(logPath(leaves[:k], i), logRoot(leaves[k:]))
	}
	return append(logPath(leaves[k:], i-k), logRoot(leaves[:k]))
}

// split is the largest power of two below n.
func split(n int) int {
	k := 1
	for 2*k < n {
		k *= 2
	}
	return k
}
