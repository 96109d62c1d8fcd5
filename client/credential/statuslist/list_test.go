package statuslist

import (
	"bytes"
	"compress/zlib"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/fault"
)

// The lists of section 4.1 and 4.2.
func TestSmallVectors(t *testing.T) {
	for _, v := range []struct {
		bits    int
		lst     string
		entries string
		want    []int
	}{
		{1, "eNrbuRgAAhcBXQ", "b9a3", []int{1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1}},
		{2, "eNo76fITAAPfAgc", "c944f9", []int{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3}},
	} {
		l, err := Decode(v.bits, v.lst)
		if err != nil || hex.EncodeToString(l.Entries) != v.entries {
			t.Fatalf("%v %x", err, l.Entries)
		}
		var have []int
		made, err := New(v.bits, len(v.want))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range v.want {
			status, err := l.Status(i)
			if err != nil {
				t.Fatal(err)
			}
			have = append(have, status)
			if err := made.Set(i, want); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(have, v.want) || !bytes.Equal(made.Entries, l.Entries) {
			t.Errorf("have %v, want %v; made %x", have, v.want, made.Entries)
		}
	}
}

// The lists of a million entries of appendix C, as their bytes are in CBOR, and the entries set in them.
func TestLargeVectors(t *testing.T) {
	places := []int{0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345}
	for _, v := range []struct {
		bits   int
		packed string
		want   []int
	}{
		{1, `78daeddc010dc0200c0041a88249400ad2903e0f4bba00bd93f002beb7a2a2010000a91e0900000000000000000000000000000080729604000000000000000000000000
			000000000000000000000000000000000000000000000000000000005c6f4800000000000000fc2c240000000000000000000000be1b12000000000000000000ecaa4b00
			0000000000000000000000000000009b0b0900000000000000000038de9400000000000000002a30cc010000000080642f0bd8011b`,
			[]int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
		{2, `78daeddb310d00211000412ea1a04004fe5520ed357c28c81d3312b6df68bc65480000000000406e21010000000000000000000000000000000000000000000000000000
			000000000040795b020000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
			00000000000000000000000000000000000000000080f4ba0400000000000000000000000000406d764a000000000000000000000000000000000000000000e092210100
			0000000000000000000000000000000000fc131200000000000000000000000000000000000000000000000000000000000000c0912e0100000000000000000000000000
			0000000000c07d4b02000000000000000000000000000000a8614a0000000000000000000000406a1fcd60010c`,
			[]int{1, 2, 1, 3, 1, 1, 2, 1, 1, 2, 3}},
	} {
		packed, err := hex.DecodeString(strings.Join(strings.Fields(v.packed), ""))
		if err != nil {
			t.Fatal(err)
		}
		l, err := Decode(v.bits, base64.RawURLEncoding.EncodeToString(packed))
		if err != nil {
			t.Fatalf("%d bits: %v", v.bits, err)
		}
		made, err := New(v.bits, l.Size())
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range places {
			if status, err := l.Status(at); err != nil || status != v.want[i] {
				t.Errorf("%d bits: entry %d is %d, %v; want %d", v.bits, at, status, err, v.want[i])
			}
			if err := made.Set(at, v.want[i]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(made.Entries, l.Entries) {
			t.Errorf("%d bits: other entries are set too", v.bits)
		}
	}
}

var (
	key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	now = time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
)

const uri = "https://issuer.example/lists/1"

func token(t *testing.T, change func(*Token)) string {
	t.Helper()
	l, err := New(1, 16)
	if err != nil {
		t.Fatal(err)
	}
	tok := Token{Subject: uri, Issued: now, Expires: now.Add(time.Hour), TTL: time.Minute, List: l}
	change(&tok)
	text, err := Sign(key, nil, tok)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestToken(t *testing.T) {
	text := token(t, func(tok *Token) {
		if err := tok.List.Set(5, Invalid); err != nil {
			t.Fatal(err)
		}
	})
	got, err := Verify(text, key.Public(), uri, now)
	if err != nil {
		t.Fatal(err)
	}
	if status, err := got.List.Status(5); err != nil || status != Invalid || got.TTL != time.Minute {
		t.Errorf("%d %v %+v", status, err, got)
	}
	for name, c := range map[string]struct {
		code string
		text string
		at   time.Time
		uri  string
	}{
		"another list":       {"credential.bad_status_list", text, now, uri + "0"},
		"no list":            {"credential.bad_status_list", text, now, ""},
		"copy kept too long": {"credential.status_expired", text, now.Add(2 * time.Minute), uri},
		"expired":            {"credential.status_expired", token(t, func(tok *Token) { tok.TTL = 0 }), now.Add(time.Hour), uri},
		"from the future":    {"credential.bad_status_list", text, now.Add(-time.Hour), uri},
		"tampered with":      {"credential.bad_signature", text[:len(text)-4] + "AAAA", now, uri},
	} {
		if _, err := Verify(c.text, key.Public(), c.uri, c.at); fault.Code(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Verify(text, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)).Public(), uri, now); fault.Code(err) != "credential.bad_signature" {
		t.Errorf("another's key: %v", err)
	}
}

func TestRefused(t *testing.T) {
	var bomb bytes.Buffer
	w := zlib.NewWriter(&bomb)
	if _, err := w.Write(make([]byte, MaxEntries+1)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"three bits": second(Decode(3, "eNrbuRgAAhcBXQ")), "not base64url": second(Decode(1, "eNrbuRgAAhcBXQ==")), "not zlib": second(Decode(1, "AAAA")),
		"cut off": second(Decode(1, "eNrbuRgAAhcB")), "too much": second(Decode(1, base64.RawURLEncoding.EncodeToString(bomb.Bytes()))),
		"no entries": second(New(1, 0)), "status too large": List{1, []byte{0}}.Set(0, 2),
	} {
		if fault.Code(err) != "credential.bad_status_list" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, index := range []int{-1, 8} {
		if _, err := (List{1, []byte{0}}).Status(index); fault.Code(err) != "credential.status_out_of_range" {
			t.Errorf("entry %d: %v", index, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
