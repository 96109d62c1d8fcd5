package all_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/modules/network"
)

const blocksFile = "testdata/blocks.txt"

// TestGoldenBlocks pins every byte that blocks sign: the serialised outcomes, their work and messages included, the
// changed keys and values, and the roots. Members that upgrade one by one must agree on all of it: a change means that a
// network which runs cannot take this binary without a new app version. The flag -update is moduletest's.
func TestGoldenBlocks(t *testing.T) {
	got := goldenBlocks(t)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(blocksFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(blocksFile)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(gotLines), len(wantLines)) {
		if gotLines[i] != wantLines[i] {
			t.Fatalf("%s:%d is no longer what this code makes. If that is meant, run with -update.\n got %s\nwant %s", blocksFile, i+1, gotLines[i], wantLines[i])
		}
	}
	if len(gotLines) != len(wantLines) {
		t.Fatalf("%s has %d lines, this code makes %d", blocksFile, len(wantLines), len(gotLines))
	}
}

func goldenBlocks(t *testing.T) string {
	c := newChain(t)
	seoul, ben, cho := moduletest.Address("seoul"), moduletest.Address("ben"), moduletest.Address("cho")
	hold := c.sign(c.body(moduletest.Action("ana", &txv1.Action_AssetHold{AssetHold: &assetv1.Hold{
		Asset: "krw", Amount: "250", Payee: ben[:], Arbiter: cho[:], ExpiresAt: c.now + 3_600_000, Memo: "deposit",
	}})), "ana")
	add := &txv1.Action_RecordAdd{RecordAdd: &recordv1.Add{
		Digest: onceKey32("a contract"), Size: 1234, MediaType: "application/pdf", Title: "Rent of a flat", Name: "rent.pdf",
	}}
	p := network.DefaultParameters()
	p.Origins = []string{"https://bank.example"}
	c.seal(c.pay("ana", "ben", "10"), c.pay("ana", "ben", "5000"), c.pay("nobody", "ben", "1"), hold)
	c.seal()
	c.seal(
		c.sign(c.body(moduletest.Action("ben", add), transfer("cho", "ben", "krw", "33"), freeze("seoul", "ana")), "ben", "cho", "seoul"),
		c.onceTx(86_400_000, transfer("ana", "ben", "krw", "1")),
		c.sign(c.body(moduletest.Action("seoul", &txv1.Action_AssetIssue{AssetIssue: &assetv1.Issue{Asset: "krw", To: seoul[:], Amount: "7"}})), "seoul"),
	)
	c.enact(&networkv1.Change{Kind: &networkv1.Change_SetParameters{SetParameters: p}})
	return printBlocks(c)
}

func printBlocks(c *chain) string {
	var b strings.Builder
	for _, r := range c.blocks {
		fmt.Fprintf(&b, "block %d time %d\n", r.Height, r.Time)
		for _, a := range r.Applied {
			fmt.Fprintf(&b, "  outcome %s\n", hex.EncodeToString(a.Leaf))
		}
		for _, v := range r.Voids {
			fmt.Fprintf(&b, "  void %x at %d: %s\n", v.ID, v.Position, v.Refusal)
		}
		for _, change := range r.Changes {
			fmt.Fprintf(&b, "  change %x = %x\n", change.Key, change.Value)
		}
		fmt.Fprintf(&b, "  state %x\n  history %x of %d\n  app hash %x\n", r.StateRoot, r.HistoryRoot, r.HistorySize, r.AppHash)
	}
	return b.String()
}
