package witness_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/client/witness"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("..", "light", "testdata", "witness", name))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// node shows one file and remembers what it was given.
type node struct {
	file        []byte
	consistency [][]byte
	err         error
	got         [][]byte
}

func (n *node) CheckpointToCosign(context.Context, int64, uint64) ([]byte, [][]byte, error) {
	return n.file, n.consistency, n.err
}

func (n *node) AddCosignature(_ context.Context, _ int64, w proof.Witness, signature []byte) error {
	c, err := proof.DecodeCheckpoint(n.file)
	if err != nil {
		return err
	}
	if _, err := c.CheckCosignature(w, signature); err != nil {
		return err
	}
	n.got = append(n.got, signature)
	return nil
}

var now = time.Unix(1_772_400_000, 0)

func newWitness(t testing.TB, nodes ...*node) *witness.Witness {
	t.Helper()
	anchor, err := light.FromGenesis(read(t, "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	w := &witness.Witness{
		Name: "auditor.example", Key: ed25519.NewKeyFromSeed(make([]byte, 32)), File: filepath.Join(t.TempDir(), "last.txt"),
		Anchor: anchor, Now: func() time.Time { return now },
	}
	for _, n := range nodes {
		w.Nodes = append(w.Nodes, n)
	}
	return w
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if got := fault.Code(err); got != code {
		t.Errorf("error %v, want code %q", err, code)
	}
}

// TestVectors plays what a witness is shown after the last checkpoint it cosigned.
func TestVectors(t *testing.T) {
	var vectors []struct {
		Name, Last, Shown, Code string
		Consistency             [][]byte
	}
	if err := json.Unmarshal(read(t, "vectors.json"), &vectors); err != nil || len(vectors) < 8 {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			n := &node{}
			w := newWitness(t, n)
			if v.Last != "" {
				n.file = read(t, v.Last)
				if r, err := w.Once(t.Context()); err != nil || !r.Signed || r.Sent != 1 {
					t.Fatalf("%+v, %v", r, err)
				}
			}
			before, _ := os.ReadFile(w.File)
			n.file, n.consistency, n.got = read(t, v.Shown), v.Consistency, nil
			r, err := w.Once(t.Context())
			wantCode(t, err, v.Code)
			after, _ := os.ReadFile(w.File)
			if v.Code == "" {
				if len(n.got) != 1 || r.Sent != 1 || r.Signed != (v.Shown != v.Last) {
					t.Errorf("%+v, %d cosignatures", r, len(n.got))
				}
				return
			}
			if len(n.got) != 0 || !bytes.Equal(before, after) {
				t.Error("it signed, or changed what it remembers")
			}
			if kept, err := os.ReadFile(w.File + ".second"); err != nil || !bytes.Equal(kept, n.file) {
				t.Errorf("the second history is not kept: %v", err)
			}
		})
	}
}

// chip is a key whose use can be watched.
type chip struct {
	ed25519.PrivateKey
	before func()
	spoil  byte
}

func (c *chip) Sign(r io.Reader, message []byte, o crypto.SignerOpts) ([]byte, error) {
	c.before()
	signature, err := c.PrivateKey.Sign(r, message, o)
	signature[0] ^= c.spoil
	return signature, err
}

// TestKeptBeforeSigned: what is signed is on disk already; a key that signs wrongly hands nothing in.
func TestKeptBeforeSigned(t *testing.T) {
	n := &node{file: read(t, "first.txt")}
	w := newWitness(t, n)
	key := &chip{PrivateKey: ed25519.NewKeyFromSeed(make([]byte, 32))}
	key.before = func() {
		if kept, err := os.ReadFile(w.File); err != nil || !bytes.Equal(kept, n.file) {
			t.Errorf("signing, but what is signed is not kept: %v", err)
		}
	}
	w.Key, key.spoil = key, 1
	_, err := w.Once(t.Context())
	wantCode(t, err, "checkpoint.bad_cosignature")
	key.spoil = 0
	if r, err := w.Once(t.Context()); err != nil || r.Signed || r.Sent != 1 || len(n.got) != 1 { // it was said before; now it arrives
		t.Errorf("%+v, %v, %d", r, err, len(n.got))
	}
}

// TestNodesDisagree: two nodes that show two histories are found out although the witness has seen neither.
func TestNodesDisagree(t *testing.T) {
	a, b := &node{file: read(t, "first.txt")}, &node{file: read(t, "fork-same.txt")}
	w := newWitness(t, a, b)
	_, err := w.Once(t.Context())
	wantCode(t, err, "witness.second_history")
	if len(a.got)+len(b.got) != 0 {
		t.Error("it signed")
	}
}

// TestSilentNodes: nodes that are behind, broken or of another network stop nobody.
func TestSilentNodes(t *testing.T) {
	foreign, err := os.ReadFile("../light/testdata/checkpoint-changing.txt")
	if err != nil {
		t.Fatal(err)
	}
	good := &node{file: read(t, "first.txt")}
	behind, broken, other := &node{err: &client.Refusal{Code: "proof.before_anchor"}}, &node{err: errors.New("no route")}, &node{file: foreign}
	w := newWitness(t, behind, broken, other, good)
	r, err := w.Once(t.Context())
	if err != nil || !r.Signed || r.Sent != 1 || len(r.Failed) != 3 || r.Height != 6 || r.Size != 5 {
		t.Fatalf("%+v, %v", r, err)
	}
	// The checkpoint comes back with the cosignature: nothing is to be done.
	c, err := proof.DecodeCheckpoint(good.file)
	if err != nil {
		t.Fatal(err)
	}
	c.Lines = []proof.Line{{Name: w.Name, KeyID: w.Verifier().KeyID(), Signature: good.got[0]}}
	if good.file, err = c.Encode(); err != nil {
		t.Fatal(err)
	}
	if r, err = w.Once(t.Context()); err != nil || r.Signed || r.Sent != 0 || r.Height != 6 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, n := range []*node{broken, behind, {err: &client.Refusal{Code: "checkpoint.not_yet"}}} {
		_, err = newWitness(t, n).Once(t.Context())
		wantCode(t, err, "witness.no_node")
	}
}

// TestRefusedToBegin: without knowing what it has said, a witness says nothing.
func TestRefusedToBegin(t *testing.T) {
	n := &node{file: read(t, "first.txt")}
	w := newWitness(t, n)
	w.Anchor = nil
	_, err := w.Once(t.Context())
	wantCode(t, err, "witness.no_anchor")

	unlock, err := witness.Lock(w.File)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Once(t.Context())
	wantCode(t, err, "witness.busy")
	unlock()

	spoiled := bytes.Replace(n.file, []byte("height 6"), []byte("height 5"), 1)
	if err := os.WriteFile(w.File, spoiled, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = w.Once(t.Context())
	wantCode(t, err, "witness.damaged")

	foreign, err := os.ReadFile("../light/testdata/checkpoint-changing.txt")
	if err == nil {
		err = os.WriteFile(w.File, foreign, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.Anchor = newWitness(t).Anchor
	_, err = w.Once(t.Context())
	wantCode(t, err, "witness.other_network")
	if len(n.got) != 0 {
		t.Error("it signed")
	}
}

// TestRun: silence is reported and gone on from; a second history ends it.
func TestRun(t *testing.T) {
	n := &node{err: errors.New("no route")}
	w := newWitness(t, n)
	rounds := 0
	err := w.Run(t.Context(), time.Millisecond, func(r *witness.Round, err error) {
		switch rounds++; rounds {
		case 1:
			wantCode(t, err, "witness.no_node")
			n.err, n.file = nil, read(t, "first.txt")
		case 2:
			if err != nil || !r.Signed {
				t.Errorf("%+v, %v", r, err)
			}
			n.file = read(t, "fork-same.txt")
		default:
			t.Errorf("round %d after a second history", rounds)
		}
	})
	wantCode(t, err, "witness.second_history")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newWitness(t, n).Run(ctx, time.Hour, func(*witness.Round, error) {}); err != nil {
		t.Error(err)
	}
}
