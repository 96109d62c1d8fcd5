package proof

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
)

// MaxCosignatures is how many cosignatures a receipt can carry.
const MaxCosignatures = 128

// cosignatureSize is a cosignature's after the key id: unix seconds and an Ed25519 signature.
const cosignatureSize = 8 + 64

// Checkpoint is the checkpoint that the receipt's cosignatures sign: that of its last header, whose hash and validators
// a verifier has found. It has the cosignatures as lines, not verified, and no evidence.
// Error code: proof.bad_path.
func (r *Receipt) Checkpoint(header [32]byte, validators []Validator) (*Checkpoint, error) {
	o, err := r.Parsed()
	if err != nil {
		return nil, err
	}
	root, err := PathRoot(merkle.LeafHash(r.Outcome), o.GetSeq(), r.Size, r.Path)
	if err != nil {
		return nil, err
	}
	last := r.Evidence.Header
	return &Checkpoint{
		Network: r.Network, Size: r.Size, Root: root, Height: last.Height, Time: last.Time, Header: header,
		StateRoot: r.StateRoot, Validators: validators, Lines: r.Cosignatures,
	}, nil
}

// SortLines puts cosignatures in the one order that a receipt has them in: by name, then key id.
func SortLines(lines []Line) { slices.SortFunc(lines, compareLines) }

func compareLines(a, b Line) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), bytes.Compare(a.KeyID[:], b.KeyID[:]))
}

// checkCosignatures refuses what a receipt cannot carry in its one form.
func checkCosignatures(network string, lines []Line) error {
	if len(lines) > MaxCosignatures {
		return fault.New("receipt.malformed", "a receipt carries at most 128 cosignatures", "cosignatures", len(lines))
	}
	for i, l := range lines {
		if !validName(l.Name) || l.Name == network || len(l.Signature) != cosignatureSize || l.Signature[0] >= 0x80 {
			return fault.New("receipt.malformed", "a cosignature needs a name other than the network's, and 72 bytes of time and signature", "name", l.Name)
		}
		if i > 0 && compareLines(lines[i-1], l) >= 0 {
			return fault.New("receipt.malformed", "cosignatures must be in order of name and key id, none twice", "name", l.Name)
		}
	}
	return nil
}

// encodeCosignatures writes the section that versions 2 and 3 have. There is none in version 1.
func encodeCosignatures(w *writer, lines []Line) {
	w.u8(uint8(len(lines)))
	for _, l := range lines {
		w.u8(uint8(len(l.Name)))
		w.raw([]byte(l.Name))
		w.raw(l.KeyID[:])
		w.raw(l.Signature)
	}
}

func decodeCosignatures(r *reader, network string) []Line {
	n := int(r.u8("number of cosignatures"))
	var lines []Line
	for range n {
		l := Line{Name: string(r.take(int(r.u8("witness name")), "witness name"))}
		copy(l.KeyID[:], r.take(4, "witness key id"))
		l.Signature = r.take(cosignatureSize, "cosignature")
		lines = append(lines, l)
	}
	if r.err == nil && checkCosignatures(network, lines) != nil {
		r.fail("its cosignatures are out of order, there twice, too many or not in their form")
	}
	return lines
}
