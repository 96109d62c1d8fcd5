package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Where the table goes in the page it is written to.
const (
	tableBegin = "<!-- figures: make bench -->"
	tableEnd   = "<!-- end of figures -->"
	tableHead  = "| What | Measured |\n|---|---|\n"
)

// begin looks at the page, before an hour and a half are spent, and begins the table.
func (t *benchTable) begin() error {
	if t.page != "" {
		if _, _, _, err := t.around(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(t.app.out, tableHead)
	return err
}

// around is what the page has before the table, as the table, and after it.
func (t *benchTable) around() (before, table, after string, err error) {
	page, err := os.ReadFile(t.page)
	if err != nil {
		return "", "", "", err
	}
	before, rest, ok := strings.Cut(string(page), tableBegin)
	table, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		return "", "", "", failed(t.page+" has no place for the table", "it needs the lines "+tableBegin+" and "+tableEnd)
	}
	return before, table, after, nil
}

// wants says whether a row is to be made.
func (t *benchTable) wants(what string) bool {
	return len(t.only) == 0 || slices.ContainsFunc(t.only, func(part string) bool { return strings.Contains(what, part) })
}

// row is one of the table's. Whoever looks sees it at once.
func (t *benchTable) row(what, figures string) {
	t.rows = append(t.rows, "| "+what+" | "+strings.ReplaceAll(figures, "\n", "; ")+" |")
	fmt.Fprintln(t.app.out, t.rows[len(t.rows)-1])
}

// write puts the rows into the page. The rows of a whole run are the table; others go in the places of those that have their names, or to its end.
func (t *benchTable) write(interrupted bool) error {
	if len(t.rows) == 0 && len(t.only) > 0 && !interrupted {
		return failed("no row has such a name", "dure bench table --quick shows the names of all")
	}
	if t.page == "" || t.quick {
		return errors.Join(t.bad...)
	}
	before, old, after, err := t.around()
	if err != nil {
		return err
	}
	rows := t.rows
	if interrupted || len(t.only) > 0 {
		rows = mergeRows(old, rows)
	}
	text := before + tableBegin + "\n" + tableHead + strings.Join(rows, "\n") + "\n" + tableEnd + after
	return errors.Join(os.WriteFile(t.page, []byte(text), 0o644), errors.Join(t.bad...)) // public
}

// mergeRows puts rows in the places of those of a table that have their names, or behind all.
func mergeRows(table string, rows []string) (out []string) {
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(tableHead, line) {
			out = append(out, strings.TrimSpace(line))
		}
	}
	name := func(row string) string {
		what, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " |")
		return what
	}
	for _, row := range rows {
		if i := slices.IndexFunc(out, func(o string) bool { return name(o) == name(row) }); i >= 0 {
			out[i] = row
		} else {
			out = append(out, row)
		}
	}
	return out
}
