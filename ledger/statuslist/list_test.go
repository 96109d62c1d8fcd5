package statuslist_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// The examples of section 4.1 and 4.2 and the test vectors of appendix C of draft-ietf-oauth-status-list-21.
func TestVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name    string            `json:"name"`
		Bits    uint32            `json:"bits"`
		Lst     string            `json:"lst"`
		Size    uint32            `json:"size"`
		Entries map[uint32]uint32 `json:"entries"` // those that are not 0
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			l, err := statuslist.ReadText(v.Bits, v.Lst, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			if l.Len() != v.Size {
				t.Fatalf("%d entries", l.Len())
			}
			own := statuslist.List{Bits: v.Bits, Entries: make([]byte, len(l.Entries))}
			for i := range l.Len() {
				if got, ok := l.Get(i); !ok || got != v.Entries[i] {
					t.Fatalf("entry %d is %d", i, got)
				}
				own.Set(i, v.Entries[i])
			}
			if !bytes.Equal(own.Entries, l.Entries) {
				t.Error("made again it has other bytes")
			}
			text, err := own.Text()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := statuslist.ReadText(v.Bits, text, len(own.Entries)); err != nil || !bytes.Equal(again.Entries, own.Entries) {
				t.Errorf("written and read it differs: %v", err)
			}
		})
	}
}

func TestRefusedTexts(t *testing.T) {
	zeros := statuslist.List{Bits: 1, Entries: make([]byte, 100)}
	text, err := zeros.Text()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		bits uint32
		lst  string
		most int
	}{
		"three bits":         {3, text, 100},
		"longer than wanted": {1, text, 99},
		"a long text":        {1, string(bytes.Repeat([]byte("A"), 1000)), 100},
		"padding":            {1, text + "=", 100},
		"not base64url":      {1, "eNrbuRgAAhcBXQ+/", 100},
		"not zlib":           {1, "AAAA", 100},
		"cut short":          {1, text[:len(text)-6], 100},
		"nothing in it":      {1, "eJwDAAAAAAE", 100},
		"more behind it":     {1, text[:len(text)/4*4] + "AAAAAAAA", 100},
	} {
		if _, err := statuslist.ReadText(tc.bits, tc.lst, tc.most); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// An entry is found in its chunk wherever the chunks begin.
func TestPlaces(t *testing.T) {
	issuer := tx.Address{1}
	for _, bits := range []uint32{1, 2, 4, 8} {
		per := statuslist.ChunkBytes * 8 / bits
		for _, tc := range []struct{ index, chunk, within uint32 }{{0, 0, 0}, {per - 1, 0, per - 1}, {per, 1, 0}, {3*per + 5, 3, 5}} {
			place, within := statuslist.PlaceOf(issuer, 7, bits, tc.index)
			if place != (statuslist.Place{Issuer: issuer, List: 7, Chunk: tc.chunk}) || within != tc.within {
				t.Errorf("%d bits, entry %d: %v, %d", bits, tc.index, place, within)
			}
			if again, err := statuslist.ReadPlace(place.Append(nil)); err != nil || again != place {
				t.Errorf("%v is read as %v, %v", place, again, err)
			}
		}
	}
	if _, err := statuslist.ReadPlace(make([]byte, 27)); err == nil {
		t.Error("a key that is too short is taken")
	}
	if _, ok := (statuslist.List{Bits: 2, Entries: []byte{1}}).Get(4); ok {
		t.Error("an entry behind the end is there")
	}
}

func TestIndexes(t *testing.T) {
	want := []uint32{0, 1, 255, 256, 65536, 1<<20 - 1}
	raw := statuslist.AppendIndexes(nil, want...)
	if got, err := statuslist.ReadIndexes(raw, len(want)); err != nil || !slices.Equal(got, want) {
		t.Errorf("read as %v, %v", got, err)
	}
	if got, err := statuslist.ReadIndexes(statuslist.AppendIndexes(nil, 5, 1<<24+9), 2); err != nil || got[1] < 8*statuslist.MaxBytes {
		t.Errorf("an index that does not fit is read as %v, %v", got, err)
	}
	for name, raw := range map[string][]byte{
		"none": nil, "cut off": raw[:len(raw)-1], "too many": statuslist.AppendIndexes(raw, 1<<20), "twice": statuslist.AppendIndexes(nil, 7, 7), "descending": statuslist.AppendIndexes(nil, 7, 6),
	} {
		if _, err := statuslist.ReadIndexes(raw, len(want)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzReadText(f *testing.F) {
	f.Add(uint32(1), "eNrbuRgAAhcBXQ")
	f.Add(uint32(2), "eNo76fITAAPfAgc")
	f.Fuzz(func(t *testing.T, bits uint32, lst string) {
		l, err := statuslist.ReadText(bits, lst, 4096)
		if err != nil {
			return
		}
		if len(l.Entries) == 0 || len(l.Entries) > 4096 || l.Len()*l.Bits != uint32(8*len(l.Entries)) {
			t.Fatalf("%d bytes of %d bits", len(l.Entries), l.Bits)
		}
		if _, ok := l.Get(l.Len() - 1); !ok {
			t.Fatal("its last entry is not there")
		}
	})
}
