package device

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/dureledger/dure/ledger/fault"
)

func open(t *testing.T, dir string, most int) *buffer {
	t.Helper()
	b, err := openBuffer(dir, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.close() })
	return b
}

func fill(t *testing.T, b *buffer, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := b.add(sample(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func sample(i int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("%04d", i)), 250) }

// drain takes everything out and says which messages came, from the first on.
func drain(t *testing.T, b *buffer, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		got, err := b.oldest()
		if err != nil || !bytes.Equal(got, sample(i)) {
			t.Fatalf("%d: %.8q %v", i, got, err)
		}
		if err := b.drop(); err != nil {
			t.Fatal(err)
		}
	}
}

// Messages come out in order, through a restart and through many times more than a file is let grow to.
func TestBuffer(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, 10_000)
	fill(t, b, 0, 3000)
	drain(t, b, 0, 2500)
	b = open(t, dir, 10_000)
	if b.waiting() != 500 {
		t.Fatalf("%d wait", b.waiting())
	}
	fill(t, b, 3000, 3010)
	drain(t, b, 2500, 3010)
	if got, err := b.oldest(); got != nil || err != nil {
		t.Errorf("%q %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(dir, bufferFile)); err != nil || info.Size() != 0 {
		t.Errorf("%v %v", info.Size(), err)
	}
	if open(t, dir, 10).waiting() != 0 {
		t.Error("what was done with came back")
	}
}

func TestBufferFull(t *testing.T) {
	b := open(t, t.TempDir(), 2)
	fill(t, b, 0, 2)
	if err := b.room(); fault.Code(err) != "device.buffer_full" {
		t.Error(err)
	}
	drain(t, b, 0, 1)
	if err := b.room(); err != nil {
		t.Error(err)
	}
}

// Wherever a crash cuts the file, what was whole before is kept; a lost count of what is done with brings back what was sent, and no more.
func TestBufferCutOff(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir, 100)
	fill(t, b, 0, 3)
	drain(t, b, 0, 1)
	_ = b.close()
	whole, err := os.ReadFile(filepath.Join(dir, bufferFile))
	if err != nil {
		t.Fatal(err)
	}
	done, err := os.ReadFile(filepath.Join(dir, doneFile))
	if err != nil {
		t.Fatal(err)
	}
	record := len(whole) / 3
	for cut := range len(whole) + 1 {
		if cut%97 != 0 && cut%record > 8 {
			continue
		}
		for name, count := range map[string][]byte{"kept": done, "lost": nil, "half": done[:3], "beyond": binary.BigEndian.AppendUint64(nil, 1<<40)} {
			dir := t.TempDir()
			for file, content := range map[string][]byte{bufferFile: whole[:cut], doneFile: count} {
				if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b, err := openBuffer(dir, 100)
			if err != nil {
				t.Fatal(err)
			}
			from := 0
			if name == "kept" && cut >= record {
				from = 1
			}
			if want := max(0, cut/record-from); b.waiting() != want {
				t.Errorf("cut at %d, count %s: %d wait, want %d", cut, name, b.waiting(), want)
			}
			drain(t, b, from, cut/record)
			fill(t, b, 7, 8)
			drain(t, b, 7, 8)
			_ = b.close()
		}
	}
}

// FuzzBuffer: whatever is in the files, opening them gives whole messages or an error.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 0, 0, 7}, []byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{}, []byte{255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, readings, done []byte) {
		dir := t.TempDir()
		for file, content := range map[string][]byte{bufferFile: readings, doneFile: done} {
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		b, err := openBuffer(dir, 100)
		if err != nil {
			t.Fatal(err)
		}
		defer b.close()
		for b.waiting() > 0 {
			if m, err := b.oldest(); err != nil || len(m) == 0 {
				t.Fatal(m, err)
			}
			if err := b.drop(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestStarts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "starts")
	for want := uint64(1); want < 4; want++ {
		if got, err := countStart(file); err != nil || got != want {
			t.Errorf("%d, want %d: %v", got, want, err)
		}
	}
	if err := os.WriteFile(file, []byte("many"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := countStart(file); err == nil {
		t.Errorf("a damaged count counts as %d", got)
	}
}
