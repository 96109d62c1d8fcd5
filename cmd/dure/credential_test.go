package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dureledger/dure/client/credential/sdjwt"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// An entry is given out once, whatever is chosen and whoever notes it first.
func TestUsedEntries(t *testing.T) {
	used := usedEntries{filepath.Join(t.TempDir(), "home", "status.txt")}
	seen := map[uint32]bool{}
	for range 8 {
		index, err := used.draw(8)
		if err != nil || seen[index] || index >= 8 {
			t.Fatalf("%d %v, after %v", index, err, seen)
		}
		seen[index] = true
	}
	if _, err := used.draw(8); err == nil || !strings.Contains(err.Error(), "nearly full") {
		t.Errorf("a ninth of eight: %v", err)
	}
	if err := used.note(3); !errors.Is(err, errEntryUsed) {
		t.Errorf("twice: %v", err)
	}
	if err := used.note(9); err != nil {
		t.Error(err)
	}
}

func TestReadClaims(t *testing.T) {
	schema := &apiv1.Schema{Schema: "resident", Fields: []*apiv1.SchemaField{
		{Name: "name", Kind: "text"}, {Name: "born", Kind: "date"}, {Name: "rooms", Kind: "number"}, {Name: "adult", Kind: "boolean"},
		{Name: "district", Kind: "choice", Choices: []string{"sau", "pungmu"}},
	}}
	claims, err := readClaims(schema, []string{"name=김=하늘", "born=1990-03-31", "rooms=2.5", "adult=true", "district=sau", "district=pungmu"}, []string{"rooms"})
	if err != nil {
		t.Fatal(err)
	}
	if claims["name"] != sdjwt.Hide("김=하늘") || claims["adult"] != sdjwt.Hide(true) {
		t.Errorf("%v", claims)
	}
	if _, hidden := claims["rooms"].(sdjwt.Hidden); hidden {
		t.Error("an open field can be withheld")
	}
	if list := claims["district"].([]any); len(list) != 2 || list[1] != sdjwt.Hide("pungmu") {
		t.Errorf("%v", list)
	}
	for _, given := range []string{"name", "=x", "salary=1", "born=31.3.1990", "rooms=two", `rooms="2"`, "rooms=NaN", "adult=perhaps", "district=moon"} {
		if _, err := readClaims(schema, []string{given}, nil); err == nil {
			t.Errorf("%s is taken", given)
		} else if _, value, _ := strings.Cut(given, "="); len(value) > 1 && strings.Contains(err.Error(), value) {
			t.Errorf("%s: its value is repeated: %v", given, err)
		}
	}
	if _, err := readClaims(schema, nil, []string{"name"}); err == nil {
		t.Error("a field without a claim is open")
	}
}

func TestMoment(t *testing.T) {
	a := newApp(console{in: strings.NewReader(""), clock: &testClock{now: time.Date(2026, 11, 29, 9, 0, 0, 500, time.UTC)}})
	for text, want := range map[string]string{
		"": "0001-01-01T00:00:00Z", "2027-03-31": "2027-03-31T00:00:00Z", "2027-03-31T15:00:00+09:00": "2027-03-31T15:00:00+09:00", "10d": "2026-12-09T09:00:00Z", "36h": "2026-11-30T21:00:00Z",
	} {
		if have, err := a.moment("expires", text); err != nil || have.Format(time.RFC3339) != want {
			t.Errorf("%s: %s %v", text, have, err)
		}
	}
	for _, text := range []string{"tomorrow", "-1d", "0d", "1.5d", "-3h", "31.3.2027", "10dd"} {
		if have, err := a.moment("expires", text); err == nil {
			t.Errorf("%s is %s", text, have)
		}
	}
}
