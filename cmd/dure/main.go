// Command dure runs a member's node of a Dure ledger and works with any node: keys, accounts, money, notarised
// documents, receipts. docs/cli.md lists its commands.
//
// Exit codes: 0 done; 1 the ledger said no, or something failed; 2 wrong usage; 3 not verified, or a document was
// altered; 4 no node answered, or it is not known what became of a transaction.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv,
		outTerminal: term.IsTerminal(int(os.Stdout.Fd())), errTerminal: term.IsTerminal(int(os.Stderr.Fd())), secret: readSecret,
	}, os.Args[1:])
	stop()
	os.Exit(code)
}
