package light_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/fault"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
)

var update = flag.Bool("update", false, "write testdata anew")

// vector is one case of testdata/vectors.json, for any implementation.
type vector struct {
	Name  string `json:"name"`
	About string `json:"about"`
	// File is a receipt (.dure) or a checkpoint (.txt).
	File string `json:"file"`
	// Genesis or Checkpoint is the file to start from.
	Genesis    string `json:"genesis,omitempty"`
	Checkpoint string `json:"checkpoint,omitempty"`
	// Witnesses, as C2SP verifier keys, of whom Threshold must have cosigned the checkpoint or receipt.
	Witnesses []string `json:"witnesses,omitempty"`
	Threshold int      `json:"threshold,omitempty"`
	// Code of the refusal; empty if the file is good, and then the rest says what it shows.
	Code    string `json:"code,omitempty"`
	ID      string `json:"id,omitempty"`
	Header  string `json:"header,omitempty"`
	Height  int64  `json:"height,omitempty"`
	Changes int    `json:"changes,omitempty"`
	Power   int64  `json:"power,omitempty"`
}

// TestVectors verifies every case of testdata and that the files are the ones this code makes.
func TestVectors(t *testing.T) {
	files, vectors := makeVectors(t)
	checkVectors(t, "", files, vectors)
}

// checkVectors checks or writes a folder of testdata.
func checkVectors(t *testing.T, folder string, files map[string][]byte, vectors []vector) {
	t.Helper()
	list, err := json.MarshalIndent(vectors, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	files["vectors.json"] = append(list, '\n')
	for name, want := range files {
		path := filepath.Join("testdata", folder, filepath.FromSlash(name))
		if *update {
			write(t, path, want)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the code makes; if the format was meant to change, run with -update", name)
		}
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) { v.run(t, files) })
	}
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func (v vector) run(t *testing.T, files map[string][]byte) {
	anchor, err := light.FromGenesis(files[v.Genesis])
	if v.Checkpoint != "" {
		anchor, err = light.FromCheckpoint(files[v.Checkpoint], ledgerproof.Policy{})
	}
	if err != nil {
		t.Fatal(err)
	}
	grounds, id, err := v.verify(t, anchor, files[v.File])
	if fault.Code(err) != v.Code {
		t.Fatalf("error %v, want code %q", err, v.Code)
	}
	if v.Code != "" {
		return
	}
	if id != v.ID || hex.EncodeToString(grounds.Header[:]) != v.Header || grounds.Height != v.Height ||
		grounds.Changes != v.Changes || grounds.Power != v.Power {
		t.Errorf("shows id %s and %+v, want %+v", id, grounds, v)
	}
}

func (v vector) verify(t *testing.T, anchor *light.Anchor, file []byte) (light.Grounds, string, error) {
	policy := ledgerproof.Policy{Threshold: v.Threshold}
	for _, s := range v.Witnesses {
		w, err := ledgerproof.ParseWitness(s)
		if err != nil {
			t.Fatal(err)
		}
		policy.Witnesses = append(policy.Witnesses, w)
	}
	if strings.HasSuffix(v.File, ".dure") {
		got, err := anchor.VerifyWitnessed(file, policy)
		if err != nil {
			return light.Grounds{}, "", err
		}
		return got.Grounds, hex.EncodeToString(got.ID[:]), nil
	}
	got, err := anchor.VerifyCheckpoint(file, policy)
	if err != nil {
		return light.Grounds{}, "", err
	}
	return got.Grounds, "", nil
}

// makeVectors makes all files by name, and the cases.
func makeVectors(t *testing.T) (map[string][]byte, []vector) {
	quiet, moved := newChain(t, "quiet", four, 8, nil), changing(t)
	deep, deepFile := deepReceipt(t)
	files := map[string][]byte{
		"quiet.json": quiet.genesis, "changing.json": moved.genesis, "deep.json": deep.genesis,
		"checkpoint-changing.txt": moved.checkpoint(0, 10),
	}
	good := func(name, about, genesis, file string, b []byte) vector {
		files[file] = b
		return vector{Name: name, About: about, Genesis: genesis, File: file}
	}
	vectors := []vector{
		good("receipt", "a payment, no change of validators", "quiet.json", "receipt.dure", quiet.receipt(2, 0, 7)),
		good("receipt-refused", "a refused payment", "quiet.json", "receipt-refused.dure", quiet.receipt(3, 0, 8)),
		good("receipt-deep", "in a history of 10^9 outcomes", "deep.json", "receipt-deep.dure", deepFile),
		good("receipt-changing", "over three changes of validators", "changing.json", "receipt-changing.dure", moved.receipt(2, 0, 12)),
		good("receipt-from-checkpoint", "refreshed against a checkpoint of height 10, on a later header", "", "receipt-from-checkpoint.dure", moved.receipt(2, 10, 12)),
		good("receipt-at-checkpoint", "refreshed against a checkpoint of height 10, on the checkpoint's own header", "", "receipt-at-checkpoint.dure", moved.receipt(2, 10, 10)),
		good("checkpoint", "no change of validators, nobody asked to cosign", "quiet.json", "checkpoint.txt", quiet.checkpoint(0, 7)),
		good("checkpoint-changing", "over three changes of validators", "changing.json", "checkpoint-changing.txt", files["checkpoint-changing.txt"]),
		good("checkpoint-cosigned", "cosigned by two of three witnesses", "quiet.json", "checkpoint-cosigned.txt", cosigned(t, quiet.checkpoint(0, 7))),
	}
	vectors[4].Checkpoint, vectors[5].Checkpoint = "checkpoint-changing.txt", "checkpoint-changing.txt"
	vectors[8].Witnesses, vectors[8].Threshold = witnessKeys(), 2
	for i := range vectors {
		vectors[i].expect(t, files)
	}
	for _, b := range append(brokenReceipts(t, quiet, moved), brokenCheckpoints(t, quiet, moved)...) {
		v := vector{Name: b.name, About: b.about, Code: b.code}
		v.File = "broken/" + b.name + ".dure"
		if strings.HasPrefix(b.code, "checkpoint.") {
			v.File, v.Witnesses, v.Threshold = "broken/"+b.name+".txt", witnessKeys(), 1
		}
		files[v.File] = b.file
		if v.Genesis = "quiet.json"; bytes.Contains(b.file, []byte("changing-")) {
			v.Genesis = "changing.json"
		}
		if b.anchor != "genesis" {
			v.Genesis, v.Checkpoint = "", b.anchor+".txt"
		}
		vectors = append(vectors, v)
	}
	return files, append(vectors, witnessedVectors(t, moved, files)...)
}

// expect fills in what a good file shows.
func (v *vector) expect(t *testing.T, files map[string][]byte) {
	t.Helper()
	anchor, err := light.FromGenesis(files[v.Genesis])
	if v.Checkpoint != "" {
		anchor, err = light.FromCheckpoint(files[v.Checkpoint], ledgerproof.Policy{})
	}
	if err != nil {
		t.Fatal(err)
	}
	grounds, id, err := v.verify(t, anchor, files[v.File])
	if err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
	v.ID, v.Header, v.Height, v.Changes, v.Power = id, hex.EncodeToString(grounds.Header[:]), grounds.Height, grounds.Changes, grounds.Power
}
