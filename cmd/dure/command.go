package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// newCommand makes one command of the table.
type newCommand func(*app) *cobra.Command

// table is every command of dure, in the order that help shows them.
var table = []struct {
	id, title string
	commands  []newCommand
}{
	{"identity", "Keys, accounts and identity:", []newCommand{newKey, newAccount, newOrg, newID, newCredential, newConsent, newSignin}},
	{"business", "Money, agreements and documents:", []newCommand{newAsset, newPay, newAgree, newRecord}},
	{"devices", "Devices:", []newCommand{newDevice, newStream, newGateway}},
	{"proof", "Proofs:", []newCommand{newReceipt, newCheckpoint, newWitness}},
	{"ledger", "The ledger:", []newCommand{newStatus, newTx, newBlock, newNetwork, newAccess}},
	{"node", "Running a node:", nodeCommands},
	{"other", "Other:", []newCommand{newDemo, newBench, newVersion, newCompletion}},
}

const rootLong = `dure works with a Dure ledger: a ledger for payments and notarised documents that institutions run together, with
receipts that anyone can verify offline.

Commands that read or write the ledger ask a node, http://127.0.0.1:8080 unless --node or DURE_NODE says otherwise;
with several addresses the next is tried when one does not answer. Keys are kept encrypted under ~/.dure.
Where a command takes an account, give its address (0x…) or the name of a key of yours. Where the account that acts
may be left out, it is DURE_ACCOUNT, the one named in the file HOME/account, or the only key there is.

Exit codes: 0 done; 1 the ledger said no, or something failed; 2 wrong usage; 3 not verified, or a document was
altered; 4 no node answered, or it is not known what became of a transaction.`

const rootExample = `  dure key new alice
  dure account open alice --sponsor bank
  dure asset transfer krw 12,500 --from alice --to bob --memo rent
  dure record add contract.pdf --by alice
  dure receipt get TRANSACTION -o r.dure && dure receipt verify r.dure --genesis genesis.json`

// newRoot makes the whole tree.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use: "dure", Short: "Work with a Dure ledger", Long: rootLong, Example: rootExample,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.start() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err.Error()) })
	a.flags(root.PersistentFlags())
	for _, group := range table {
		if len(group.commands) == 0 {
			continue
		}
		root.AddGroup(&cobra.Group{ID: group.id, Title: group.title})
		for _, make := range group.commands {
			cmd := make(a)
			cmd.GroupID = group.id
			root.AddCommand(cmd)
		}
	}
	root.SetHelpCommandGroupID("other")
	must(root.RegisterFlagCompletionFunc("node", cobra.NoFileCompletions))
	must(root.RegisterFlagCompletionFunc("network", cobra.NoFileCompletions))
	must(root.RegisterFlagCompletionFunc("as", a.completeKeys))
	must(root.RegisterFlagCompletionFunc("as-key", a.completeKeys))
	return root
}

// parent makes a command that only holds others.
func parent(use, short, long string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			names := make([]string, 0, len(children))
			for _, child := range children {
				names = append(names, child.Name())
			}
			return usage("say what to do: " + cmd.CommandPath() + " " + strings.Join(names, "|"))
		}}
	cmd.AddCommand(children...)
	return cmd
}

// run executes one command line and returns the exit code.
func run(ctx context.Context, c console, args []string) int {
	a := newApp(c)
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	if f := cmd.Flags().Lookup("json"); f == nil || f.Value.Type() == "bool" { // the bench commands write a file
		a.json = a.json || slices.Contains(args, "--json") // a mistake before it was not read
	}
	if !a.started { // cobra found the fault: an unknown command or flag, a wrong number of arguments
		err = asUsage(err)
	}
	return a.fail(cmd, err)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
