package proof_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

func seed(f *testing.F, pattern string) {
	for _, folder := range []string{vectors, filepath.Join(vectors, "broken"), filepath.Join(vectors, "mldsa"), filepath.Join(vectors, "mldsa", "broken")} {
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
		}
	}
}

// FuzzDecodeReceipt: what is accepted has this one encoding; what is refused has a code.
func FuzzDecodeReceipt(f *testing.F) {
	seed(f, "*.dure")
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := proof.DecodeReceipt(file)
		if err != nil {
			if fault.Code(err) == "" {
				t.Errorf("no code: %v", err)
			}
			return
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, file) {
			t.Errorf("accepted %x, which encodes as %x, %v", file, again, err)
		}
	})
}

// FuzzDecodeCheckpoint is the same for checkpoints.
func FuzzDecodeCheckpoint(f *testing.F) {
	seed(f, "*.txt")
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := proof.DecodeCheckpoint(file)
		if err != nil {
			if fault.Code(err) == "" {
				t.Errorf("no code: %v", err)
			}
			return
		}
		if again, err := c.Encode(); err != nil || !bytes.Equal(again, file) {
			t.Errorf("accepted %q, which encodes as %q, %v", file, again, err)
		}
	})
}

// FuzzDecodeReading is the same for proofs of readings.
func FuzzDecodeReading(f *testing.F) {
	r := &proof.Reading{Verdict: 0x10, Level: 1, Firmware: 7, Message: []byte("a reading"), Index: 1, Size: 3, Path: make([][32]byte, 2), Receipt: []byte("a receipt")}
	r.Key.Public = make([]byte, 32)
	file, err := r.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Add(file[:len(file)-1])
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := proof.DecodeReading(file)
		if err != nil {
			if fault.Code(err) == "" {
				t.Errorf("no code: %v", err)
			}
			return
		}
		if again, err := r.Encode(); err != nil || !bytes.Equal(again, file) {
			t.Errorf("accepted %x, which encodes as %x, %v", file, again, err)
		}
	})
}
