package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func newRecord(a *app) *cobra.Command {
	return parent("record", "Notarise documents and check them", `Recording a document puts its digest (SHA-256), size, media type, title and file name on the ledger, with the time and who
recorded it. The document itself stays where it is. Title and name are public.`,
		recordAdd(a), recordCheck(a), recordCosign(a), recordSupersede(a), recordWithdraw(a), recordList(a))
}

func recordAdd(a *app) *cobra.Command {
	var by, title string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "add FILE…", Short: "Record files", Args: cobra.MinimumNArgs(1),
		Long:    "Records files of any size and kind. The title is the file name unless --title says otherwise.",
		Example: "  dure record add README.md\n  dure record add contract.pdf --by firm --title 'Lease, Gimpo 12'\n  dure record add scans/*.png --by firm",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if title != "" && len(args) > 1 {
				return usage("--title is for one file")
			}
			docs := make([]client.Document, len(args))
			for i, path := range args {
				var err error
				if docs[i], err = a.digestFile(ctx, path); err != nil {
					return err
				}
				if title != "" {
					docs[i].Title = title
				}
			}
			if len(docs) > 1 {
				return a.recordMany(ctx, &f, by, docs)
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			w.draft.AddRecord(w.actor.address, docs[0])
			w.done = fmt.Sprintf("Recorded %s by %s", docs[0].Name, w.actor)
			w.after = func(out io.Writer, _ *apiv1.Outcome) { printFacts(out, documentFacts(docs[0])) }
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who records")
	cmd.Flags().StringVar(&title, "title", "", "title for people, 1 to 200 bytes")
	f.register(a, cmd)
	return cmd
}

func documentFacts(d client.Document) []fact {
	return []fact{{"digest     ", hex.EncodeToString(d.Digest[:])}, {"size       ", strconv.FormatUint(d.Size, 10) + " bytes"},
		{"media type ", d.MediaType}, {"title      ", d.Title}}
}

// recordMany records several files, each in a transaction of its own, so that one that is refused stops no other.
func (a *app) recordMany(ctx context.Context, f *writeFlags, by string, docs []client.Document) error {
	w, err := a.begin(ctx, by)
	if err != nil {
		return err
	}
	c, err := a.ledger()
	if err != nil {
		return err
	}
	network, err := c.Network(ctx)
	if err != nil {
		return err
	}
	signer, err := a.signerFor(ctx, w.actor, f.key)
	if err != nil {
		return err
	}
	signed := make([]*client.Signed, len(docs))
	for i, doc := range docs {
		if signed[i], err = c.Sign(client.NewTransaction(network).AddRecord(w.actor.address, doc), signer); err != nil {
			return fmt.Errorf("%s: %w", doc.Name, err)
		}
	}
	refused := 0
	for i, r := range c.SubmitMany(ctx, signed) {
		line := recorded{Name: docs[i].Name, Digest: hex.EncodeToString(docs[i].Digest[:]), ID: r.ID, Status: r.Outcome.GetStatus(), Time: r.Outcome.GetTime()}
		err := r.Err
		if err == nil {
			err = client.Check(r.Outcome)
		}
		if err != nil {
			said := a.explain(err)
			line.Code, line.Message = said.code, said.what
			refused++
		}
		if err := a.print(line, line.print); err != nil {
			return err
		}
	}
	if refused > 0 {
		return quietExit(exitFailed)
	}
	return nil
}

// recorded is what became of one file of several.
type recorded struct {
	Name    string `json:"name"`
	Digest  string `json:"digest"`
	ID      string `json:"id"`
	Status  string `json:"status"`
	Time    string `json:"time"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

func (r recorded) print(w io.Writer) {
	if r.Code != "" {
		fmt.Fprintf(w, "%s: not recorded: %s\n", r.Name, r.Message)
		return
	}
	fmt.Fprintf(w, "%s: recorded %s, digest %s, transaction %s\n", r.Name, r.Time, r.Digest, r.ID)
}

func recordCosign(a *app) *cobra.Command {
	var by, recorder string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "cosign FILE|DIGEST", Short: "Add your signature to another's record", Args: cobra.ExactArgs(1),
		Long:    "Signs a document that another account recorded. The file is read here, so what is signed is the file you have.",
		Example: "  dure record cosign contract.pdf --recorder firm --by alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			digest, err := a.documentArg(ctx, args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			p, err := a.recorderOf(ctx, digest, recorder)
			if err != nil {
				return err
			}
			w.draft.CosignRecord(w.actor.address, digest, p.address)
			w.done = fmt.Sprintf("%s cosigned the record of %s", w.actor, p)
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who signs")
	cmd.Flags().StringVar(&recorder, "recorder", "", "who recorded it: address or name of a key (default: whoever did, if it was one)")
	must(cmd.RegisterFlagCompletionFunc("recorder", a.completeKeys))
	f.register(a, cmd)
	return cmd
}

// recorderOf is the recorder named, or the only one of the document.
func (a *app) recorderOf(ctx context.Context, digest [32]byte, given string) (party, error) {
	if given != "" {
		return a.party(given)
	}
	c, err := a.ledger()
	if err != nil {
		return party{}, err
	}
	records, err := c.Records(ctx, digest)
	switch {
	case err != nil:
		return party{}, err
	case len(records) == 0:
		return party{}, failed("Nobody recorded this document.", "Check the file: dure record check FILE.")
	case len(records) > 1:
		return party{}, usagef("%d accounts recorded this document; name one with --recorder", len(records))
	}
	return a.party(records[0].GetRecorder())
}

func recordSupersede(a *app) *cobra.Command {
	var by, title string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "supersede OLD NEWFILE", Short: "Record a new version of a document", Args: cobra.ExactArgs(2),
		Long:    "Records NEWFILE and marks your record of OLD, a file or a digest, superseded by it.",
		Example: "  dure record supersede contract-v1.pdf contract-v2.pdf --by firm",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			old, err := a.documentArg(ctx, args[0])
			if err != nil {
				return err
			}
			doc, err := a.digestFile(ctx, args[1])
			if err != nil {
				return err
			}
			if title != "" {
				doc.Title = title
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			w.draft.SupersedeRecord(w.actor.address, old, doc)
			w.done = fmt.Sprintf("Recorded %s, which supersedes %x", doc.Name, old)
			w.after = func(out io.Writer, _ *apiv1.Outcome) { printFacts(out, documentFacts(doc)) }
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who recorded the old version")
	cmd.Flags().StringVar(&title, "title", "", "title of the new version (default its file name)")
	f.register(a, cmd)
	return cmd
}

func recordWithdraw(a *app) *cobra.Command {
	var by, reason string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "withdraw FILE|DIGEST", Short: "Mark your record withdrawn", Args: cobra.ExactArgs(1),
		Long:    "Marks your record withdrawn. What it proves about the past stays.",
		Example: "  dure record withdraw contract.pdf --by firm --reason 'wrong annex'",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			digest, err := a.documentArg(ctx, args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			w.draft.WithdrawRecord(w.actor.address, digest, reason)
			w.done = fmt.Sprintf("Withdrew the record of %x", digest)
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who recorded it")
	cmd.Flags().StringVar(&reason, "reason", "", "why, public, at most 256 bytes")
	f.register(a, cmd)
	return cmd
}

func recordList(a *app) *cobra.Command {
	var recorder, name, title, text string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List records, newest first", Args: cobra.NoArgs, Example: "  dure record list --recorder firm\n  dure record list --text lease",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := &apiv1.ListRecordsRequest{Name: name, Title: title, Text: text}
			if recorder != "" {
				p, err := a.party(recorder)
				if err != nil {
					return err
				}
				query.Recorder = p.address.String()
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			return list[*apiv1.Record]{
				heading: []string{"RECORDED", "STATE", "TITLE", "NAME", "RECORDER", "DIGEST"}, none: "No records.", limit: limit,
				row: func(r *apiv1.Record) []string {
					return []string{r.GetRecordedAt(), r.GetState(), clean(r.GetTitle()), clean(r.GetName()), a.short(r.GetRecorder()), r.GetDigest()}
				},
			}.show(a, c.FindRecords(cmd.Context(), query))
		},
	}
	cmd.Flags().StringVar(&recorder, "recorder", "", "only those of this account: address or name of a key")
	must(cmd.RegisterFlagCompletionFunc("recorder", a.completeKeys))
	cmd.Flags().StringVar(&name, "name", "", "with exactly this file name")
	cmd.Flags().StringVar(&title, "title", "", "with exactly this title")
	cmd.Flags().StringVar(&text, "text", "", "with these words in title or name")
	limitFlag(cmd, &limit)
	return cmd
}
