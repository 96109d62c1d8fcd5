package state_test

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"

	ics23 "github.com/cosmos/ics23/go"

	"github.com/dureledger/dure/ledger/state"
)

// bitString is a key as the tree's definition has it: for each byte a 1 and its eight bits, then a 0.
func bitString(key []byte) string {
	var s strings.Builder
	for _, b := range key {
		s.WriteByte('1')
		for i := 7; i >= 0; i-- {
			s.WriteByte('0' + b>>i&1)
		}
	}
	return s.String() + "0"
}

// referenceRoot is the root of sorted entries, by the words of docs/state.md and nothing else.
func referenceRoot(entries []state.Change) [32]byte {
	switch len(entries) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		digest := sha256.Sum256(entries[0].Value)
		b := binary.AppendUvarint([]byte{0}, uint64(len(entries[0].Key)))
		b = append(append(b, entries[0].Key...), 32)
		return sha256.Sum256(append(b, digest[:]...))
	}
	first, last := bitString(entries[0].Key), bitString(entries[len(entries)-1].Key)
	d := 0
	for first[d] == last[d] {
		d++
	}
	cut := slices.IndexFunc(entries, func(c state.Change) bool { return bitString(c.Key)[d] == '1' })
	left, right := referenceRoot(entries[:cut]), referenceRoot(entries[cut:])
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}

func marshal(t interface{ Fatal(...any) }, proof *ics23.CommitmentProof) []byte {
	raw, err := proof.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
