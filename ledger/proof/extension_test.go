package proof_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

func TestExtension(t *testing.T) {
	for _, e := range []*proof.Extension{
		{Checkpoint: []byte("net\n7\n")},
		{Old: 7, Path: [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)}, Checkpoint: []byte("net\n\nsigned\n")},
	} {
		raw := e.Encode()
		back, err := proof.DecodeExtension(raw)
		if err != nil || back.Old != e.Old || len(back.Path) != len(e.Path) || !bytes.Equal(back.Checkpoint, e.Checkpoint) {
			t.Errorf("%q became %+v, %v", raw, back, err)
		}
	}
	line := strings.Repeat("A", 43) + "=\n"
	for _, bad := range []string{"", "old 7", "old 07\n\n", "old -1\n\n", "new 7\n\n", "old 7\nAAAA\n\n", "old 7\n" + strings.Repeat(line, 64) + "\n"} {
		if _, err := proof.DecodeExtension([]byte(bad)); fault.Code(err) != "checkpoint.malformed" {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

// FuzzExtension: what is read is written again as it was.
func FuzzExtension(f *testing.F) {
	f.Add([]byte("old 7\n" + strings.Repeat("A", 43) + "=\n\nnet\n9\n"))
	f.Add([]byte("old 0\n\n"))
	f.Add([]byte("old 7\n" + strings.Repeat("A", 10) + "\r" + strings.Repeat("A", 33) + "=\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := proof.DecodeExtension(raw)
		if err == nil && !bytes.Equal(e.Encode(), raw) {
			t.Fatalf("%q became %q", raw, e.Encode())
		}
	})
}
