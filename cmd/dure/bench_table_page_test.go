package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A whole run makes the page's table anew. Rows of a run of some, or of one that was interrupted, go in the places of those that have their names;
// a page without a place for the table is refused before anything runs.
func TestTablePage(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.md")
	const around = "before\n" + tableBegin + "\n%" + tableEnd + "\nafter\n"
	put := func(rows string) {
		t.Helper()
		if err := os.WriteFile(page, []byte(strings.Replace(around, "%", tableHead+rows, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		only        []string
		interrupted bool
		want        string
	}{
		"whole":       {nil, false, "| b | new |\n| d | new |\n"},
		"some":        {[]string{"b", "d"}, false, "| a | old |\n| b | new |\n| c | old |\n| d | new |\n"},
		"interrupted": {nil, true, "| a | old |\n| b | new |\n| c | old |\n| d | new |\n"},
	} {
		put("| a | old |\n| b | old |\n| c | old |\n")
		var out bytes.Buffer
		table := &benchTable{page: page, only: test.only, app: &app{console: console{out: &out}}}
		if err := table.begin(); err != nil {
			t.Fatal(err)
		}
		for _, what := range []string{"b", "d"} {
			if !table.wants(what) {
				t.Errorf("%s: row %s is not wanted", name, what)
			}
			table.row(what, "new")
		}
		if table.wants("a") != (test.only == nil) {
			t.Errorf("%s: row a is not wanted as it should", name)
		}
		if err := table.write(test.interrupted); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.Replace(around, "%", tableHead+test.want, 1); string(got) != want {
			t.Errorf("%s: the page is\n%s\nnot\n%s", name, got, want)
		}
		if out.String() != tableHead+"| b | new |\n| d | new |\n" {
			t.Errorf("%s: printed\n%s", name, out.String())
		}
	}
	var said bytes.Buffer
	(&benchTable{app: &app{console: console{out: &said}}}).row("e", "failed: one\nand another")
	if said.String() != "| e | failed: one; and another |\n" {
		t.Errorf("a row of an error of two lines is %q", said.String())
	}
	if err := (&benchTable{only: []string{"no such row"}, app: &app{console: console{out: &bytes.Buffer{}}}}).write(false); err == nil {
		t.Error("a name that no row has is not said to be none")
	}
	if err := os.WriteFile(page, []byte("no marks"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&benchTable{page: page, app: &app{console: console{out: &bytes.Buffer{}}}}).begin(); err == nil {
		t.Error("a page without marks is taken")
	}
}
