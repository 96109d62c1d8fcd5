package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// writing is one transaction that a command makes.
type writing struct {
	// actor is the account that acts, and by whom it is signed unless signers says more.
	actor   party
	draft   *client.Draft
	signers []tx.Signer
	// alone: one key of a rule is enough for it.
	alone bool
	// done says what happened, for a person: "Transferred 12.50 krw to bob".
	done string
	// after adds lines that depend on the outcome.
	after func(w io.Writer, outcome *apiv1.Outcome)
}

// writeFlags are the flags of every command that writes.
type writeFlags struct {
	noWait bool
	key    string
	// propose is the reason of a proposal that is made instead, lasting for a time from now.
	propose, lasting string
	// agree is a file that is written instead, for more keys to sign.
	agree string
}

func (f *writeFlags) register(a *app, cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.noWait, "no-wait", false, "return when a node has accepted the transaction, before it is committed")
	cmd.Flags().StringVar(&f.key, "key", "", "name of the key to sign with, when it is not the account's own; several with commas between, for an account with a rule")
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
	cmd.Flags().StringVar(&f.propose, "propose", "", "for an account with a rule: only propose it, for this reason, which is public; others approve it with dure account approve")
	cmd.Flags().StringVar(&f.lasting, "propose-until", "14d", "until when what is proposed can be approved: 72h, 14d, a day, or RFC 3339; at most 90d")
	cmd.Flags().StringVar(&f.agree, "agree", "", "write it to this file instead of submitting it, for others to sign: see dure agree")
	cmd.MarkFlagsMutuallyExclusive("propose", "agree")
}

// begin finds who acts and starts a draft.
func (a *app) begin(ctx context.Context, actor string) (*writing, error) {
	p, err := a.self(actor)
	if err != nil {
		return nil, err
	}
	c, err := a.ledger()
	if err != nil {
		return nil, err
	}
	network, err := c.Network(ctx)
	if err != nil {
		return nil, err
	}
	return &writing{actor: p, draft: client.NewTransaction(network)}, nil
}

// finish signs, submits and prints.
func (a *app) finish(ctx context.Context, f *writeFlags, w *writing) error {
	c, err := a.ledger()
	if err != nil {
		return err
	}
	if f.agree != "" {
		return a.leaveForOthers(ctx, f, w)
	}
	if f.propose != "" {
		if err := a.proposeInstead(f, w); err != nil {
			return err
		}
	}
	signers, err := a.signersFor(ctx, w.actor, f.key, w.alone)
	if err != nil {
		return err
	}
	signers = distinct(append(signers, w.signers...))
	if f.noWait {
		s, err := c.Sign(w.draft, signers...)
		if err != nil {
			return err
		}
		if err := c.Post(ctx, s); err != nil {
			return err
		}
		return a.printAccepted(s.ID)
	}
	outcome, err := c.Do(ctx, w.draft, signers...)
	if err != nil {
		return err
	}
	return a.printOutcome(outcome, w.done, w.after)
}

func (a *app) printAccepted(id string) error {
	return a.print(map[string]string{"id": id, "status": "accepted"}, func(out io.Writer) {
		fmt.Fprintf(out, "Accepted for ordering; not committed yet.\n")
		printFacts(out, []fact{{"transaction", id}, {"next", "dure tx show " + id + " --wait"}})
	})
}

// printOutcome says what happened. An outcome that is not ok is printed and ends the program with exit code 1.
func (a *app) printOutcome(o *apiv1.Outcome, done string, after func(io.Writer, *apiv1.Outcome)) error {
	if o.GetStatus() == client.StatusOK {
		return a.print(o, func(out io.Writer) {
			fmt.Fprintln(out, done+".")
			printFacts(out, outcomeFacts(o))
			if after != nil {
				after(out, o)
			}
		})
	}
	if a.json {
		if err := a.print(o, nil); err != nil {
			return err
		}
		return quietExit(exitFailed)
	}
	said := a.explain(client.Check(o))
	if o.GetStatus() == client.StatusFailed {
		said.what = "The ledger refused: " + said.what
	}
	said.advice = joinLines(said.advice, "transaction "+o.GetId()+", "+o.GetStatus()+" at height "+strconv.FormatInt(o.GetHeight(), 10)+", "+o.GetTime())
	return said
}

func joinLines(a, b string) string {
	if a == "" {
		return b
	}
	return a + "\n" + b
}

func outcomeFacts(o *apiv1.Outcome) []fact {
	return []fact{{"transaction", o.GetId()}, {"height", strconv.FormatInt(o.GetHeight(), 10)}, {"time", o.GetTime()}}
}

// eventField is a field of the first event with this name, "" if there is none.
func eventField(o *apiv1.Outcome, event, field string) string {
	for _, e := range o.GetEvents() {
		if e.GetName() == event {
			return e.GetFields().GetFields()[field].GetStringValue()
		}
	}
	return ""
}

// isNotFound says whether the ledger does not have what was asked for.
func isNotFound(err error) bool { return errors.Is(err, client.ErrNotFound) }
