package store

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/merkle/testonly"
	"pgregory.net/rapid"
)

// referenceRoot is the root that the library computes.
func referenceRoot(leaves [][32]byte) [32]byte {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	r := factory.NewEmptyRange(0)
	for i := range leaves {
		if err := r.Append(leaves[i][:], nil); err != nil {
			panic(err)
		}
	}
	root, err := r.GetRootHash(nil)
	if err != nil {
		panic(err)
	}
	if len(leaves) == 0 {
		root = rfc6962.DefaultHasher.EmptyRoot()
	}
	return [32]byte(root)
}

func TestHistoryAgainstLibrary(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fs := newMemFS()
		h, err := openHistory(fs, "h", Base{}, 0, quiet())
		if err != nil {
			rt.Fatal(err)
		}
		var leaves [][32]byte
		for range rapid.IntRange(1, 8).Draw(rt, "appends") {
			var group [][32]byte
			for range rapid.IntRange(0, 40).Draw(rt, "leaves") {
				group = append(group, sha256.Sum256([]byte{byte(len(leaves) + len(group)), byte(len(leaves) >> 8)}))
			}
			if err := h.append(group); err != nil {
				rt.Fatal(err)
			}
			leaves = append(leaves, group...)
			if rapid.Bool().Draw(rt, "reopen") {
				back := rapid.Uint64Range(0, h.Size()).Draw(rt, "back")
				if h, err = openHistory(fs, "h", Base{}, back, quiet()); err != nil {
					rt.Fatal(err)
				}
				if err := h.append(leaves[back:]); err != nil {
					rt.Fatal(err)
				}
			}
		}
		compareTrees(rt, h, leaves)
	})
}

func compareTrees(t *rapid.T, h *History, leaves [][32]byte) {
	tree := testonly.New(rfc6962.DefaultHasher)
	for i := range leaves {
		tree.Append(leaves[i][:])
	}
	n := uint64(len(leaves))
	if h.Size() != n {
		t.Fatalf("size %d, want %d", h.Size(), n)
	}
	size := rapid.Uint64Range(0, n).Draw(t, "size")
	root, err := h.Root(size)
	if err != nil || !bytes.Equal(root[:], tree.HashAt(size)) {
		t.Fatalf("root of %d is %x (%v), want %x", size, root, err, tree.HashAt(size))
	}
	whole, err := h.Root(n)
	if err != nil {
		t.Fatal(err)
	}
	path, err := h.Consistency(size, n)
	if err != nil {
		t.Fatal(err)
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, size, n, path, root[:], whole[:]); err != nil {
		t.Fatal(err)
	}
	if size == 0 {
		return
	}
	index := rapid.Uint64Range(0, size-1).Draw(t, "index")
	if path, err = h.Inclusion(index, size); err != nil {
		t.Fatal(err)
	}
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaves[index][:], path, root[:]); err != nil {
		t.Fatal(err)
	}
	frontier, err := h.Frontier(size)
	if err != nil {
		t.Fatal(err)
	}
	hashes := make([][]byte, len(frontier))
	for i := range frontier {
		hashes[i] = frontier[i][:]
	}
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	r, err := factory.NewRange(0, size, hashes)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.GetRootHash(nil); err != nil || !bytes.Equal(got, root[:]) {
		t.Fatalf("the frontier's root is %x (%v), want %x", got, err, root)
	}
}

func TestHistoryBounds(t *testing.T) {
	h, err := openHistory(newMemFS(), "h", Base{}, 0, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if root, err := h.Root(0); err != nil || !bytes.Equal(root[:], rfc6962.DefaultHasher.EmptyRoot()) {
		t.Fatalf("the empty root is %x, %v", root, err)
	}
	if err := h.append([][32]byte{{1}, {2}, {3}}); err != nil {
		t.Fatal(err)
	}
	_, err = h.Root(4)
	wantCode(t, err, CodeUnknownOutcome)
	_, err = h.Inclusion(3, 3)
	wantCode(t, err, CodeUnknownOutcome)
	_, err = h.Inclusion(0, 4)
	wantCode(t, err, CodeUnknownOutcome)
	_, err = h.Consistency(1, 4)
	wantCode(t, err, CodeUnknownOutcome)
	if _, err = h.Consistency(3, 2); err == nil {
		t.Fatal("a proof that a larger tree is part of a smaller one")
	}
	if _, err = h.Inclusion(2, 3); err != nil {
		t.Fatal(err)
	}
}
