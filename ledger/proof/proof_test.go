package proof_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
	"github.com/dureledger/dure/ledger/proof"
)

// vectors are the files that client/light makes and verifies.
const vectors = "../../client/light/testdata"

func readVector(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(vectors, name))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := fault.Code(err); got != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

// TestExecutionAgrees: what blocks sign is what receipts compute, from an empty log on.
func TestExecutionAgrees(t *testing.T) {
	l := exec.New(exec.Rules{})
	if l.HistoryRoot() != proof.HistoryRoot(0, sha256.Sum256(nil)) { // RFC 6962: the root of no leaves is SHA-256 of nothing
		t.Error("history roots differ")
	}
	if l.AppHash() != proof.AppHash(l.Tree().Root(), l.HistoryRoot()) {
		t.Error("app hashes differ")
	}
}

// TestPathRoot runs RFC 6962's shape by hand, on a log of three leaves.
func TestPathRoot(t *testing.T) {
	node := func(l, r [32]byte) [32]byte { return sha256.Sum256(append(append([]byte{1}, l[:]...), r[:]...)) }
	a, b, c := merkle.LeafHash([]byte("a")), merkle.LeafHash([]byte("b")), merkle.LeafHash([]byte("c"))
	if a != sha256.Sum256([]byte("\x00a")) {
		t.Fatal("leaf hash")
	}
	want := node(node(a, b), c)
	cases := []struct {
		leaf  [32]byte
		index uint64
		path  [][32]byte
	}{{a, 0, [][32]byte{b, c}}, {b, 1, [][32]byte{a, c}}, {c, 2, [][32]byte{node(a, b)}}}
	for _, tc := range cases {
		got, err := proof.PathRoot(tc.leaf, tc.index, 3, tc.path)
		if err != nil || got != want {
			t.Errorf("leaf %d: %x, %v", tc.index, got, err)
		}
		_, err = proof.PathRoot(tc.leaf, tc.index, 3, append(tc.path, a))
		wantCode(t, err, "proof.bad_path")
		_, err = proof.PathRoot(tc.leaf, 3, 3, tc.path)
		wantCode(t, err, "proof.bad_path")
	}
}

func TestReceiptLimits(t *testing.T) {
	_, err := proof.DecodeReceipt(make([]byte, proof.MaxReceipt+1))
	wantCode(t, err, "receipt.too_large")
	r, err := proof.DecodeReceipt(readVector(t, "receipt.dure"))
	if err != nil {
		t.Fatal(err)
	}
	change := func(change func(*proof.Receipt)) error {
		bad := *r
		change(&bad)
		_, err := bad.Encode()
		return err
	}
	wantCode(t, change(func(r *proof.Receipt) { r.Network = "" }), "receipt.malformed")
	wantCode(t, change(func(r *proof.Receipt) { r.Network = strings.Repeat("n", 50) }), "receipt.malformed")
	wantCode(t, change(func(r *proof.Receipt) { r.Path = make([][32]byte, 65) }), "receipt.malformed")
	wantCode(t, change(func(r *proof.Receipt) { r.Outcome = []byte{0xff} }), "receipt.bad_outcome")
	wantCode(t, change(func(r *proof.Receipt) { r.StateRoot[0]++ }), "receipt.wrong_app_hash")
	wantCode(t, change(func(r *proof.Receipt) { r.Transaction = []byte("another") }), "receipt.wrong_transaction")
	wantCode(t, change(func(r *proof.Receipt) { r.Evidence.Header.Time = -1 }), "proof.malformed")
	wantCode(t, change(func(r *proof.Receipt) { r.Evidence.Commit.Round = -1 }), "proof.malformed")
	wantCode(t, change(func(r *proof.Receipt) { r.Evidence.Changes = make([]proof.Change, 1<<16) }), "proof.too_large")
	wantCode(t, change(func(r *proof.Receipt) {
		r.Evidence.Changes = []proof.Change{{Next: make([]proof.Validator, 1<<16)}}
	}), "proof.too_large")
}

// TestOneEncoding: decoding and encoding gives the same bytes.
func TestOneEncoding(t *testing.T) {
	for _, name := range []string{"receipt.dure", "receipt-refused.dure", "receipt-changing.dure"} {
		file := readVector(t, name)
		r, err := proof.DecodeReceipt(file)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, file) {
			t.Errorf("%s: written otherwise, %v", name, err)
		}
	}
	for _, name := range []string{"checkpoint.txt", "checkpoint-cosigned.txt", "checkpoint-changing.txt"} {
		file := readVector(t, name)
		c, err := proof.DecodeCheckpoint(file)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := c.Encode(); err != nil || !bytes.Equal(again, file) {
			t.Errorf("%s: written otherwise, %v", name, err)
		}
	}
}

func witness(name string) (proof.Witness, ed25519.PrivateKey) {
	seed := sha256.Sum256([]byte(name))
	key := ed25519.NewKeyFromSeed(seed[:])
	return proof.Witness{Name: name, Key: key.Public().(ed25519.PublicKey)}, key
}

// noteVerifier is cosignature/v1 as an independent implementation of signed notes asks for it.
type noteVerifier struct{ proof.Witness }

func (v noteVerifier) Name() string { return v.Witness.Name }

func (v noteVerifier) KeyHash() uint32 {
	sum := sha256.Sum256([]byte(v.Witness.Name + "\n\x04" + string(v.Key)))
	return binary.BigEndian.Uint32(sum[:])
}

func (v noteVerifier) Verify(msg, sig []byte) bool {
	var b bytes.Buffer
	b.WriteString("cosignature/v1\ntime 1772400000\n")
	b.Write(msg)
	return binary.BigEndian.Uint64(sig) == 1_772_400_000 && ed25519.Verify(v.Key, b.Bytes(), sig[8:])
}

// TestNote: the Go project's reader of signed notes takes a checkpoint and its cosignature.
func TestNote(t *testing.T) {
	c, err := proof.DecodeCheckpoint(readVector(t, "checkpoint-changing.txt"))
	if err != nil {
		t.Fatal(err)
	}
	w, key := witness("auditor.example")
	if err := c.AddCosignature(w.Name, key, 1_772_400_000); err != nil {
		t.Fatal(err)
	}
	file, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(file, note.VerifierList(noteVerifier{w}))
	if err != nil {
		t.Fatal(err)
	}
	if n.Text != string(c.Text()) || len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 1 || n.UnverifiedSigs[0].Name != c.Network {
		t.Errorf("read as %+v", n)
	}
}

func TestCosignatures(t *testing.T) {
	c, err := proof.DecodeCheckpoint(readVector(t, "checkpoint.txt"))
	if err != nil {
		t.Fatal(err)
	}
	w1, k1 := witness("one.example")
	w2, k2 := witness("two.example")
	policy := proof.Policy{Witnesses: []proof.Witness{w1, w2}, Threshold: 2}
	add := func(name string, key ed25519.PrivateKey, time int64) {
		t.Helper()
		if err := c.AddCosignature(name, key, time); err != nil {
			t.Fatal(err)
		}
	}
	add(w1.Name, k1, 100)
	add(w1.Name, k1, 200)                 // replaces
	add("three.example", k2, 200)         // a key under a name nobody knows
	_, err = c.VerifyCosignatures(policy) // one of two
	wantCode(t, err, "checkpoint.too_few_cosignatures")
	add(w2.Name, k2, 300)
	good, err := c.VerifyCosignatures(policy)
	if err != nil || len(good) != 2 || good[0].Time != 200 || good[1].Witness.Name != w2.Name {
		t.Errorf("cosignatures %v, %v", good, err)
	}
	c.Size++
	_, err = c.VerifyCosignatures(policy)
	wantCode(t, err, "checkpoint.bad_cosignature")

	wantCode(t, c.AddCosignature("a name", k1, 1), "checkpoint.bad_witness")
	wantCode(t, c.AddCosignature(c.Network, k1, 1), "checkpoint.bad_witness")
	wantCode(t, c.AddCosignature("one.example", nil, 1), "checkpoint.bad_witness")
	wantCode(t, c.AddCosignature("one.example", k1, -1), "checkpoint.bad_witness")
	same := w1
	same.Name = "alias.example"
	for _, p := range []proof.Policy{
		{Witnesses: []proof.Witness{w1, same}}, {Witnesses: []proof.Witness{w1}, Threshold: 2}, {Threshold: -1},
		{Witnesses: []proof.Witness{{Name: "short.example", Key: w1.Key[:31]}}},
	} {
		_, err := c.VerifyCosignatures(p)
		wantCode(t, err, "checkpoint.bad_policy")
	}
}

func TestParseWitness(t *testing.T) {
	w, _ := witness("auditor.example/a")
	got, err := proof.ParseWitness(w.String())
	if err != nil || got.Name != w.Name || !got.Key.Equal(w.Key) {
		t.Errorf("%v, %v", got, err)
	}
	id := hex.EncodeToString([]byte{0, 0, 0, 0})
	for _, s := range []string{"", "a", "a+b", "a+" + id + "+", strings.Replace(w.String(), "auditor", "editor", 1), w.String() + "=", " " + w.String()} {
		_, err := proof.ParseWitness(s)
		wantCode(t, err, "checkpoint.bad_witness")
	}
}
