package light_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dureledger/dure/client/light"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
)

// cosignatures are lines on the checkpoint of a height, by these names, in the order of a receipt.
func (c *chain) cosignatures(height int64, names ...string) []ledgerproof.Line {
	c.t.Helper()
	checkpoint, err := ledgerproof.DecodeCheckpoint(c.checkpoint(0, height))
	if err != nil {
		c.t.Fatal(err)
	}
	for i, name := range names {
		if err := checkpoint.AddCosignature(name, witnessKey(name), 1_772_400_000+int64(i)); err != nil {
			c.t.Fatal(err)
		}
	}
	ledgerproof.SortLines(checkpoint.Lines)
	return checkpoint.Lines
}

// witnessed is a receipt of block b's transaction on the header of height, with these cosignatures.
func (c *chain) witnessed(b, height int64, lines []ledgerproof.Line) []byte {
	c.t.Helper()
	leaf := c.leaf(b, height)
	leaf.Cosignatures = lines
	file, err := light.BuildReceipt(c, 0, height, leaf)
	if err != nil {
		c.t.Fatal(err)
	}
	return file
}

// witnessedVectors are the cases of version 2 of the receipt.
func witnessedVectors(t *testing.T, moved *chain, files map[string][]byte) []vector {
	plain := moved.receipt(2, 0, 12)
	file := moved.witnessed(2, 12, moved.cosignatures(12, "press.example", "auditor.example", "stranger.example"))
	edited := func(change func(section []byte) []byte) []byte {
		return append(bytes.Clone(file[:len(plain)]), change(bytes.Clone(file[len(plain):]))...)
	}
	without := moved.witnessed(2, 12, moved.cosignatures(12, "auditor.example", "stranger.example"))
	one := (len(file) - len(without))
	version := func(b []byte, v byte) []byte { b = bytes.Clone(b); b[4] = v; return b }
	vectors := []vector{
		{Name: "receipt-witnessed", About: "version 2, cosigned by two of three witnesses and a stranger", File: "receipt-witnessed.dure", Threshold: 2},
		{Name: "receipt-plain-witness", About: "version 1, a witness known and none asked for", File: "receipt-changing.dure"},
		{Name: "receipt-too-few", About: "cosigned by two of three witnesses, three asked for", Code: "checkpoint.too_few_cosignatures", File: "receipt-witnessed.dure", Threshold: 3},
		{Name: "receipt-not-witnessed", About: "version 1, one witness asked for", Code: "checkpoint.too_few_cosignatures", File: "receipt-changing.dure", Threshold: 1},
	}
	files["receipt-witnessed.dure"] = file
	for _, b := range []broken{
		{"witnessed-bad-cosignature", "a known witness's cosignature has another time", "checkpoint.bad_cosignature", "", edited(func(s []byte) []byte { s[1+1+15+4+7]++; return s })},
		{"witnessed-other-header", "cosignatures of another checkpoint", "checkpoint.bad_cosignature", "", moved.witnessed(2, 12, moved.cosignatures(11, "auditor.example", "press.example"))},
		{"witnessed-none", "version 2 without cosignatures", "proof.malformed", "", append(version(plain, 2), 0)},
		{"witnessed-no-section", "version 2, cut before the cosignatures", "proof.malformed", "", version(plain, 2)},
		{"witnessed-as-version-1", "cosignatures in a file of version 1", "proof.malformed", "", version(file, 1)},
		{"witnessed-unordered", "the first cosignature is last", "proof.malformed", "", edited(func(s []byte) []byte {
			first := 1 + 1 + 15 + 4 + 72
			return slices.Concat(s[:1], s[first:], s[1:first])
		})},
		{"witnessed-twice", "a cosignature is there twice", "proof.malformed", "", edited(func(s []byte) []byte {
			s[0]++
			return append(s, s[len(s)-(1+16+4+72):]...)
		})},
		{"witnessed-too-many", "the number of cosignatures is greater than what follows", "proof.malformed", "", edited(func(s []byte) []byte { s[0]++; return s })},
		{"witnessed-left-over", "the number of cosignatures is less than what follows", "proof.malformed", "", edited(func(s []byte) []byte { s[0]--; return s })},
		{"witnessed-bad-name", "a witness's name has a space", "proof.malformed", "", edited(func(s []byte) []byte { s[2+7] = ' '; return s })},
		{"witnessed-no-name", "a witness has no name", "proof.malformed", "", edited(func(s []byte) []byte { s[1] = 0; return s })},
		{"witnessed-time", "a time of 2^63", "proof.malformed", "", edited(func(s []byte) []byte { s[1+1+15+4] = 0x80; return s })},
		{"witnessed-trailing", "a byte after the last cosignature", "proof.malformed", "", append(bytes.Clone(file), 0)},
		{"witnessed-cut", "cut within the last cosignature", "proof.malformed", "", file[:len(file)-one/2]},
	} {
		files["broken/"+b.name+".dure"] = b.file
		vectors = append(vectors, vector{Name: b.name, About: b.about, Code: b.code, File: "broken/" + b.name + ".dure", Threshold: 1})
	}
	for i := range vectors {
		vectors[i].Genesis, vectors[i].Witnesses = "changing.json", witnessKeys()
		if vectors[i].Code == "" {
			vectors[i].expect(t, files)
		}
	}
	return vectors
}

// TestWitnessedStates: the answer says who has signed and when, or that nobody has.
func TestWitnessedStates(t *testing.T) {
	c := changing(t)
	file := c.witnessed(2, 12, c.cosignatures(12, "press.example", "auditor.example", "stranger.example"))
	v, err := c.anchor().VerifyWitnessed(file, ledgerproof.Policy{Witnesses: witnesses(), Threshold: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Cosignatures) != 2 || v.Others != 1 || v.Cosignatures[1].Witness.Name != "press.example" || v.Cosignatures[1].Time != 1_772_400_000 {
		t.Errorf("cosignatures %+v, %d others", v.Cosignatures, v.Others)
	}
	for _, words := range []string{"auditor.example, 2026-03-01 21:20:01", "press.example, 2026-03-01 21:20:00", "by 1 that you did not name"} {
		if !strings.Contains(v.String(), words) {
			t.Errorf("%q is not in:\n%s", words, v)
		}
	}
	if v, err = c.anchor().VerifyReceipt(file); err != nil || !strings.Contains(v.String(), "none that you named has cosigned (cosigned by 3 that") {
		t.Errorf("%v:\n%s", err, v)
	}
	if v, err = c.anchor().VerifyReceipt(c.receipt(2, 0, 12)); err != nil || !strings.Contains(v.String(), "witnesses    none that you named has cosigned\n") {
		t.Errorf("%v:\n%s", err, v)
	}
}

// TestWitnessedEveryByte: whoever asks for every cosignature of a file refuses it when any byte has changed.
func TestWitnessedEveryByte(t *testing.T) {
	c := newChain(t, "quiet", four, 8, nil)
	file := c.witnessed(2, 7, c.cosignatures(7, witnessNames...))
	all := ledgerproof.Policy{Witnesses: witnesses(), Threshold: len(witnessNames)}
	anchor := c.anchor()
	if _, err := anchor.VerifyWitnessed(file, all); err != nil {
		t.Fatal(err)
	}
	for i := range file {
		for _, bit := range []byte{1, 0x20, 0x80} {
			bad := bytes.Clone(file)
			bad[i] ^= bit
			if _, err := anchor.VerifyWitnessed(bad, all); err == nil {
				t.Errorf("byte %d changed by %#x is accepted", i, bit)
			}
		}
	}
	for n := range file {
		if _, err := anchor.VerifyWitnessed(file[:n], all); err == nil {
			t.Errorf("the first %d bytes are accepted", n)
		}
	}
}

// TestWitnessedAnyPolicy: a receipt holds exactly when as many of the witnesses asked for have signed as are asked for,
// in whichever order they signed; without cosignatures it is the file of version 1.
func TestWitnessedAnyPolicy(t *testing.T) {
	c := newChain(t, "quiet", four, 8, nil)
	anchor := c.anchor()
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(rapid.SampledFrom(append(slices.Clone(witnessNames), "stranger.example")), 0, 4, rapid.ID[string]).Draw(t, "signers")
		file := c.witnessed(2, 7, c.cosignatures(7, names...))
		if len(names) == 0 && !bytes.Equal(file, c.receipt(2, 0, 7)) {
			t.Fatal("without cosignatures the file is not that of version 1")
		}
		least := rapid.IntRange(0, len(witnessNames)).Draw(t, "least")
		good := len(slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "stranger.example" }))
		v, err := anchor.VerifyWitnessed(file, ledgerproof.Policy{Witnesses: witnesses(), Threshold: least})
		if (err == nil) != (good >= least) {
			t.Fatalf("%d of %d wanted: %v", good, least, err)
		}
		if err == nil && (len(v.Cosignatures) != good || v.Others != len(names)-good) {
			t.Fatalf("%+v, %d others", v.Cosignatures, v.Others)
		}
	})
}
