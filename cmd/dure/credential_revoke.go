package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/ledger/statuslist"
)

// credentialStates are the words for what an entry of a status list says.
var credentialStates = map[string]uint32{"revoked": statuslist.Invalid, "suspended": statuslist.Suspended, "valid": statuslist.Valid}

func credentialRevoke(a *app) *cobra.Command {
	var by, state string
	var list, index uint32
	var f writeFlags
	cmd := &cobra.Command{
		Use: "revoke [FILE]", Short: "Revoke a credential on the ledger, suspend it, or lift that", Args: cobra.MaximumNArgs(1),
		Long: `Sets the credential's entry in its issuer's status list, so that every verifier refuses it from the next block on. The credential is named by its file, or by the list and entry that were
printed when it was issued. Nothing else about it goes to the ledger. Suspending needs a list of two bits an entry or more.`,
		Example: `  dure credential revoke alice.cred --by city
  dure credential revoke --list 1 --index 5021 --by city
  dure credential revoke --list 2 --index 17 --state suspended --by city`,
		RunE: func(cmd *cobra.Command, args []string) error {
			status, ok := credentialStates[state]
			if !ok {
				return usagef("--state %q: want revoked, suspended or valid", state)
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			if len(args) == 1 {
				c, _, err := readCredential(args[0])
				if err != nil {
					return err
				}
				if c.List == 0 {
					return failed("The credential has no entry in a status list, so it cannot be revoked.", "It ends when its time is over. Issue with --status-list next time.")
				}
				if c.Issuer.Account != w.actor.address {
					return usagef("the credential is by %s, not by %s; only its issuer can revoke it", c.Issuer.Account, w.actor)
				}
				list, index = c.List, c.Index
			}
			if list == 0 {
				return usage("name the credential: its file, or --list and --index")
			}
			w.draft.SetCredentialStatus(w.actor.address, list, status, index)
			w.done = fmt.Sprintf("Entry %d of status list %d of %s says %s", index, list, w.actor, state)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the issuer")
	cmd.Flags().Uint32Var(&list, "list", 0, "number of the status list")
	cmd.Flags().Uint32Var(&index, "index", 0, "entry in the list")
	cmd.Flags().StringVar(&state, "state", "revoked", "revoked, suspended or valid")
	must(cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"revoked", "suspended", "valid"}, cobra.ShellCompDirectiveNoFileComp)))
	cmd.MarkFlagsRequiredTogether("list", "index")
	f.register(a, cmd)
	return cmd
}

func credentialProve(a *app) *cobra.Command {
	var out string
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "prove FILE", Short: "Fetch the proofs by which a credential is verified offline", Args: cobra.ExactArgs(1),
		Long: `Asks a node for proofs of what a verifier would ask about a credential: the key of its issuer, the issuer's right, and the credential's status. They are verified first, and written to a
file for dure credential verify --evidence. They say how things are in a block of now, and have nothing that the credential says of its holder.`,
		Example: "  dure credential prove alice.cred --out alice.proof",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := readCredential(args[0])
			if err != nil {
				return err
			}
			anchor, err := a.anchor(from)
			if err != nil {
				return err
			}
			client, err := a.ledger()
			if err != nil {
				return err
			}
			file, evidence, err := credential.Prove(cmd.Context(), client, c, anchor)
			if err != nil {
				return refusal(err, "There is nothing to prove, or the node's proofs do not hold: dure credential verify asks without proofs; --node names another node.")
			}
			if err := writeNew(out, file, 0o644); err != nil {
				return err
			}
			return a.print(map[string]any{"file": out, "bytes": len(file), "rests_on": evidence.Grounds()}, func(w io.Writer) {
				fmt.Fprintf(w, "Wrote %s, %d bytes.\n", filepath.Base(out), len(file))
				printFacts(w, []fact{{"rests on", evidence.Grounds()}})
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; it must not exist (required)")
	must(cmd.MarkFlagRequired("out"))
	from.register(cmd)
	return cmd
}
