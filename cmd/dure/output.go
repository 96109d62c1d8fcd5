package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// fact is one line of a description.
type fact struct{ name, value string }

// printFacts writes names and values in two columns, leaving out what is empty.
func printFacts(w io.Writer, facts []fact) {
	width := 0
	for _, f := range facts {
		if f.value != "" {
			width = max(width, len(f.name))
		}
	}
	for _, f := range facts {
		if f.value != "" {
			fmt.Fprintf(w, "%-*s  %s\n", width, f.name, strings.ReplaceAll(f.value, "\n", "\n"+strings.Repeat(" ", width+2)))
		}
	}
}

// toJSON writes a value as one line: protobuf messages as the API does, with every field present.
func toJSON(value any) ([]byte, error) {
	m, isProto := value.(proto.Message)
	if !isProto {
		return json.Marshal(value)
	}
	raw, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer // protojson varies its spaces on purpose
	err = json.Compact(&line, raw)
	return line.Bytes(), err
}

// print writes value as JSON if asked, otherwise as text does.
func (a *app) print(value any, text func(w io.Writer)) error {
	if !a.json {
		text(a.out)
		return nil
	}
	line, err := toJSON(value)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, string(line))
	return err
}

// list is how a list is shown: a table with a heading, or a line of JSON for each item.
type list[T any] struct {
	heading []string
	row     func(T) []string
	// none is said when there is nothing to show.
	none string
	// limit is the most items shown; 0: all.
	limit int
}

// show writes the items as they come and says when the limit cut them.
func (l list[T]) show(a *app, items iter.Seq2[T, error]) error {
	table := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	count, more := 0, false
	for item, err := range items {
		if err != nil {
			return err
		}
		if more = l.limit > 0 && count == l.limit; more {
			break
		}
		count++
		if a.json {
			line, err := toJSON(item)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out, string(line))
			continue
		}
		if count == 1 {
			fmt.Fprintln(table, strings.Join(l.heading, "\t"))
		}
		fmt.Fprintln(table, strings.Join(l.row(item), "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	switch {
	case a.json:
	case count == 0:
		fmt.Fprintln(a.err, l.none)
	case more:
		fmt.Fprintf(a.err, "The first %d are shown; --limit 0 shows all.\n", l.limit)
	}
	return nil
}

// each turns a slice into a sequence.
func each[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

// clockTime shows a time as the API does: RFC 3339 in UTC with milliseconds.
func clockTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// clean keeps text from others from steering the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '�'
		}
		return r
	}, s)
}
