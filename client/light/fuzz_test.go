package light_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

// FuzzVerifyReceipt: whatever is not one of the network's receipts is refused with a code, and nothing panics.
func FuzzVerifyReceipt(f *testing.F) {
	anchor, good := fuzzSeeds(f, "*.dure")
	f.Fuzz(func(t *testing.T, file []byte) {
		_, err := anchor.VerifyReceipt(file)
		if err != nil && fault.Code(err) == "" {
			t.Errorf("no code: %v", err)
		}
		if err == nil && !good(file) {
			t.Error("accepted a receipt nobody made")
		}
		if v, err := anchor.VerifyWitnessed(file, proof.Policy{Witnesses: witnesses(), Threshold: 2}); err != nil && fault.Code(err) == "" || err == nil && len(v.Cosignatures) < 2 {
			t.Errorf("no code, or too few cosignatures: %v", err)
		}
	})
}

// FuzzVerifyCheckpoint is the same for checkpoints; what is accepted without witnesses has the text of one of the network's.
func FuzzVerifyCheckpoint(f *testing.F) {
	anchor, good := fuzzSeeds(f, "*.txt")
	f.Fuzz(func(t *testing.T, file []byte) {
		_, err := anchor.VerifyCheckpoint(file, proof.Policy{})
		if err != nil && fault.Code(err) == "" {
			t.Errorf("no code: %v", err)
		}
		if err == nil && !good(file) {
			t.Error("accepted a checkpoint nobody made")
		}
		if _, err := light.FromCheckpoint(file, proof.Policy{}); err != nil && fault.Code(err) == "" {
			t.Errorf("no code: %v", err)
		}
	})
}

// fuzzSeeds adds testdata to the corpus, and gives an anchor with a test for what validators signed of the files: without
// cosignatures, which nobody asks for here.
func fuzzSeeds(f *testing.F, pattern string) (*light.Anchor, func([]byte) bool) {
	genesis, err := os.ReadFile("testdata/changing.json")
	if err != nil {
		f.Fatal(err)
	}
	anchor, err := light.FromGenesis(genesis)
	if err != nil {
		f.Fatal(err)
	}
	text := func(file []byte) string {
		before, _, _ := bytes.Cut(file, []byte("\n\n"))
		if pattern == "*.dure" {
			before = file
			if r, err := proof.DecodeReceipt(file); err == nil {
				r.Cosignatures = nil
				if before, err = r.Encode(); err != nil {
					f.Fatal(err)
				}
			}
		}
		return string(before)
	}
	known := map[string]bool{}
	for _, folder := range []string{"testdata", "testdata/broken"} {
		paths, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(paths) == 0 {
			f.Fatal(folder, err)
		}
		for _, path := range paths {
			file, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(file)
			known[text(file)] = true
		}
	}
	return anchor, func(file []byte) bool { return known[text(file)] }
}
