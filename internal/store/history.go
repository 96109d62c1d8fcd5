package store

import (
	"crypto/sha256"
	"fmt"
	"math/bits"
	"sync/atomic"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/sha2"
)

// History is the RFC 6962 tree over all outcomes; a leaf is the hash of the serialised outcome. It keeps the hash of
// every complete subtree, 64 bytes per outcome, so that any proof takes a few small reads.
//
// The nodes are in one file in the order in which they become complete (post-order): a tree's nodes are a prefix of those
// of every larger tree, so that cutting the file at nodeCount(n) gives the tree of n leaves.
//
// Reads are safe beside appends.
type History struct {
	file  File
	path  string
	base  Base
	size  atomic.Uint64
	stack [][32]byte // of the appender: the frontier of size
	buf   []byte
}

// nodeAt is where the node over leaves [index<<level, (index+1)<<level) is, in nodes.
func nodeAt(level uint, index uint64) uint64 {
	last := (index+1)<<level - 1
	return nodeCount(last) + uint64(level)
}

// nodeCount is the number of complete subtrees of a tree of size leaves.
func nodeCount(size uint64) uint64 { return 2*size - uint64(bits.OnesCount64(size)) }

// appendLeafHashes appends rfc6962.DefaultHasher.HashLeaf of each outcome, without memory for the garbage collector.
func appendLeafHashes(leaves [][32]byte, entries []Entry) [][32]byte {
	h := sha256.New()
	prefix, sum := []byte{rfc6962.RFC6962LeafHashPrefix}, make([]byte, 0, 32)
	for _, e := range entries {
		h.Reset()
		h.Write(prefix)
		h.Write(e.Outcome)
		leaves = append(leaves, [32]byte(h.Sum(sum)))
	}
	return leaves
}

// append adds leaves. After an error the file may hold some of their nodes, the tree none.
func (h *History) append(leaves [][32]byte) error {
	if len(leaves) == 0 {
		return nil
	}
	start := h.size.Load()
	size, stack, buf := start, h.stack, h.buf[:0]
	for _, node := range leaves {
		buf = append(buf, node[:]...)
		for n := size; n&1 == 1; n >>= 1 {
			sha2.Node(&node, &stack[len(stack)-1], &node)
			stack = stack[:len(stack)-1]
			buf = append(buf, node[:]...)
		}
		stack = append(stack, node)
		size++
	}
	h.buf = buf
	if _, err := h.file.WriteAt(buf, int64(nodeCount(start))*32); err != nil {
		return explain("writing "+h.path, err)
	}
	h.stack = stack
	h.size.Store(size)
	return nil
}

// Size is the number of outcomes in the tree.
func (h *History) Size() uint64 { return h.size.Load() }

// Root is the RFC 6962 root of the first size outcomes.
func (h *History) Root(size uint64) ([32]byte, error) {
	if size == 0 {
		return [32]byte(rfc6962.DefaultHasher.EmptyRoot()), nil
	}
	nodes, err := h.Frontier(size)
	if err != nil {
		return [32]byte{}, err
	}
	root := nodes[len(nodes)-1]
	for i := len(nodes) - 2; i >= 0; i-- {
		sha2.Node(&root, &nodes[i], &root)
	}
	return root, nil
}

// Frontier is the hashes of the complete subtrees that make up the first size outcomes, from left (largest) to right: a
// compact range, from which whoever holds it can append (compact.RangeFactory.NewRange(0, size, …)).
func (h *History) Frontier(size uint64) ([][32]byte, error) {
	if err := h.covers(size); err != nil {
		return nil, err
	}
	ids := compact.RangeNodes(0, size, make([]compact.NodeID, 0, compact.RangeSize(0, size)))
	out := make([][32]byte, len(ids))
	for i, id := range ids {
		if err := h.node(id, out[i][:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Inclusion is the audit path (RFC 6962 section 2.1.1) of the outcome at position index in the tree of the first size
// outcomes. Both must be held: the error has code outcome.unknown otherwise.
func (h *History) Inclusion(index, size uint64) ([][]byte, error) {
	if index < h.base.HistorySize || index >= size {
		return nil, fault.New(CodeUnknownOutcome, fmt.Sprintf("A history of %d has no outcome %d that is held here; the first held is %d.",
			size, index, h.base.HistorySize), "seq", index, "size", size)
	}
	if err := h.covers(size); err != nil {
		return nil, err
	}
	nodes, err := proof.Inclusion(index, size)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return h.hashes(nodes)
}

// Consistency proves (RFC 6962 section 2.1.2) that the history of size1 outcomes is the start of that of size2.
func (h *History) Consistency(size1, size2 uint64) ([][]byte, error) {
	if err := h.covers(size1); err != nil {
		return nil, err
	}
	if err := h.covers(size2); err != nil {
		return nil, err
	}
	nodes, err := proof.Consistency(size1, size2)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return h.hashes(nodes)
}

func (h *History) hashes(nodes proof.Nodes) ([][]byte, error) {
	hashes := make([][]byte, len(nodes.IDs))
	for i, id := range nodes.IDs {
		hashes[i] = make([]byte, 32)
		if err := h.node(id, hashes[i]); err != nil {
			return nil, err
		}
	}
	out, err := nodes.Rehash(hashes, rfc6962.DefaultHasher.HashChildren)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return out, nil
}

// covers says whether the tree of size outcomes is known.
func (h *History) covers(size uint64) error {
	if held := h.size.Load(); size > held || (size < h.base.HistorySize && size != 0) {
		return fault.New(CodeUnknownOutcome, fmt.Sprintf("A history of %d outcomes is not held here; sizes %d to %d are.",
			size, h.base.HistorySize, held), "size", size)
	}
	return nil
}

func (h *History) node(id compact.NodeID, hash []byte) error {
	if _, err := h.file.ReadAt(hash, int64(nodeAt(id.Level, id.Index))*32); err != nil {
		return explain("reading "+h.path, err)
	}
	return nil
}
