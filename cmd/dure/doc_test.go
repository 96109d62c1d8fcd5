package main

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestReference keeps docs/cli.md current: it is made from the commands themselves.
func TestReference(t *testing.T) {
	root := newRoot(newApp(console{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }}))
	var b strings.Builder
	b.WriteString("# The dure command\n\nMade from the program by `go test ./cmd/dure -update`; do not edit.\n\n")
	b.WriteString(root.Long + "\n\n```\n" + dedent(root.Example) + "\n```\n\nFlags of every command:\n\n" + flagTable(root.PersistentFlags()) + "\n")
	for _, group := range table {
		fmt.Fprintf(&b, "## %s\n\n", strings.TrimSuffix(group.title, ":"))
		for _, cmd := range root.Commands() {
			if cmd.GroupID == group.id {
				describeCommand(&b, cmd)
			}
		}
	}
	golden(t, "../../docs/cli.md", b.String())
}

func describeCommand(b *strings.Builder, cmd *cobra.Command) {
	if cmd.Hidden {
		return
	}
	fmt.Fprintf(b, "### %s\n\n%s.\n\n", cmd.CommandPath(), strings.TrimSuffix(cmd.Short, "."))
	if cmd.Long != "" && cmd.Long != cmd.Short {
		b.WriteString(cmd.Long + "\n\n")
	}
	if !cmd.HasSubCommands() || cmd.Example != "" { // some do something themselves besides having subcommands
		describeUse(b, cmd)
	}
	for _, child := range cmd.Commands() {
		describeCommand(b, child)
	}
}

func describeUse(b *strings.Builder, cmd *cobra.Command) {
	b.WriteString("```\n" + cmd.UseLine() + "\n```\n\n")
	if cmd.Example != "" {
		b.WriteString("For example:\n\n```\n" + dedent(cmd.Example) + "\n```\n\n")
	}
	if flags := flagTable(cmd.LocalNonPersistentFlags()); flags != "" {
		b.WriteString(flags + "\n")
	}
}

func flagTable(flags *pflag.FlagSet) string {
	var b strings.Builder
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		usage := f.Usage
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "[]" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(&b, "- `%s` %s\n", name, usage)
	})
	return b.String()
}

func dedent(s string) string { return strings.TrimPrefix(strings.ReplaceAll(s, "\n  ", "\n"), "  ") }

// TestHelp: every command that does something says how, with an example.
func TestHelp(t *testing.T) {
	root := newRoot(newApp(console{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }}))
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" {
			t.Errorf("%s has no short help", cmd.CommandPath())
		}
		if !cmd.HasSubCommands() && cmd.Name() != "help" && cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for _, child := range cmd.Commands() {
			walk(child)
		}
	}
	walk(root)
}
