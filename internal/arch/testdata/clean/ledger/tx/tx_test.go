package tx

import (
	"testing"
	"time"
)

func FuzzDecode(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		start := time.Now()
		if _, ok := Decode(raw); ok && time.Since(start).Seconds() > 1.5 {
			t.Error("slow")
		}
	})
}

func FuzzAgain(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, raw []byte) { Decode(raw) })
}

func FuzzOnceMore(f *testing.F) {
	f.Add([]byte("seed"))
	f.Fuzz(func(t *testing.T, raw []byte) { Decode(raw) })
}

func seed(f *testing.F) { f.Add([]byte("seed")) }
