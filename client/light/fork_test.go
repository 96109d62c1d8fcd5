package light_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/client/light"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
)

// witnessVector is a case of testdata/witness/vectors.json: what a witness that has cosigned Last says when it is shown a
// checkpoint. Every file is signed by the true validators' keys.
type witnessVector struct {
	Name        string   `json:"name"`
	About       string   `json:"about"`
	Genesis     string   `json:"genesis"`
	Last        string   `json:"last,omitempty"`
	Shown       string   `json:"shown"`
	Consistency [][]byte `json:"consistency,omitempty"`
	// Code of the refusal; empty if the witness cosigns.
	Code string `json:"code,omitempty"`
}

// TestWitnessVectors makes the files that client/witness and the tests of the binary show to witnesses, and checks that
// all of them hold by themselves: only what was cosigned before tells them apart.
func TestWitnessVectors(t *testing.T) {
	honest := newChain(t, "quiet", four, 8, nil)
	fork := honest.fork(2)
	files := map[string][]byte{
		"genesis.json": honest.genesis, "first.txt": honest.checkpoint(0, 6), "next.txt": honest.checkpoint(6, 8),
		"fork-same.txt": fork.checkpoint(0, 6), "fork-next.txt": fork.checkpoint(0, 8), "fork-pinned.txt": fork.checkpoint(6, 8),
		"fork-shorter.txt": honest.shorter().checkpoint(0, 8),
	}
	path := logConsistency(5, honest.leaves[:7], true)
	size, root := honest.history(6)
	larger, rootOfLarger := honest.history(8)
	if err := ledgerproof.CheckConsistency(size, root, larger, rootOfLarger, path); err != nil {
		t.Fatal(err)
	}
	second := "witness.second_history"
	vectors := []witnessVector{
		{Name: "first", About: "the first checkpoint of all", Shown: "first.txt"},
		{Name: "next", About: "a later one whose history begins with the cosigned one's", Last: "first.txt", Shown: "next.txt", Consistency: path},
		{Name: "again", About: "the one that is cosigned already", Last: "first.txt", Shown: "first.txt"},
		{Name: "same-height", About: "another header at the cosigned height", Last: "first.txt", Shown: "fork-same.txt", Code: second},
		{Name: "later", About: "a later header over another history, with the proof of the true one", Last: "first.txt", Shown: "fork-next.txt", Consistency: path, Code: second},
		{Name: "later-own-proof", About: "the same, with a proof within the other history", Last: "first.txt", Shown: "fork-pinned.txt",
			Consistency: logConsistency(5, fork.leaves[:7], true), Code: second},
		{Name: "no-proof", About: "the true later checkpoint without its proof", Last: "first.txt", Shown: "next.txt", Code: second},
		{Name: "shorter", About: "a later header over a shorter history", Last: "first.txt", Shown: "fork-shorter.txt", Code: second},
	}
	for i := range vectors {
		vectors[i].Genesis = "genesis.json"
	}
	list, err := json.MarshalIndent(vectors, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	files["vectors.json"] = append(list, '\n')
	for name, want := range files {
		path := filepath.Join("testdata", "witness", name)
		if *update {
			write(t, path, want)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the code makes (%v); if the format was meant to change, run with -update", name, err)
		}
	}
	for _, v := range vectors {
		anchor, err := light.FromGenesis(honest.genesis)
		if v.Shown == "next.txt" || v.Shown == "fork-pinned.txt" {
			anchor, err = light.FromCheckpoint(files["first.txt"], ledgerproof.Policy{})
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := anchor.VerifyCheckpoint(files[v.Shown], ledgerproof.Policy{}); err != nil {
			t.Errorf("%s does not hold by itself: %v", v.Shown, err)
		}
	}
}

// fork is what the validators' leaked keys make of the chain years later: from block b on another history, signed as well.
func (c *chain) fork(b int64) *chain {
	f := *c
	f.headers, f.commits, f.leaves = slices.Clone(c.headers), slices.Clone(c.commits), slices.Clone(c.leaves)
	o := &ledgerv1.Outcome{}
	if err := proto.Unmarshal(c.leaves[b-1], o); err != nil {
		c.t.Fatal(err)
	}
	o.Events[0].GetAssetMoved().Amount = "2500000"
	f.leaves[b-1] = marshal(c.t, o)
	f.signFrom(b + 1)
	return &f
}

// shorter is a chain whose last header signs a history of three outcomes.
func (c *chain) shorter() *chain {
	f := *c
	f.headers, f.commits = slices.Clone(c.headers), slices.Clone(c.commits)
	f.cut = 3
	f.signFrom(int64(len(f.headers)))
	return &f
}

func (c *chain) signFrom(h int64) {
	for ; h <= int64(len(c.headers)); h++ {
		c.headers[h-1] = c.newHeader(h)
		c.commits[h-1] = c.sign(c.headers[h-1], c.sets[h-1], everyone)
	}
}

// logConsistency is RFC 6962's SUBPROOF(m, D[n], b), word for word (section 2.1.2).
func logConsistency(m int, leaves [][]byte, b bool) [][]byte {
	if m == len(leaves) {
		if b {
			return nil
		}
		root := logRoot(leaves)
		return [][]byte{root[:]}
	}
	k := split(len(leaves))
	if m <= k {
		right := logRoot(leaves[k:])
		return append(logConsistency(m, leaves[:k], b), right[:])
	}
	left := logRoot(leaves[:k])
	return append(logConsistency(m-k, leaves[k:], false), left[:])
}
