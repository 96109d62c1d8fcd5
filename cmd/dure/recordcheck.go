package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// What a file is found to be.
const (
	fileOriginal   = "original"
	fileAltered    = "altered"
	fileSuperseded = "superseded"
	fileWithdrawn  = "withdrawn"
	fileUnknown    = "unknown"
)

// checked is the answer of record check.
type checked struct {
	File    string `json:"file"`
	Verdict string `json:"verdict"`
	Digest  string `json:"digest"`
	// Records of this very file or, when it is altered, of files under the same name or title.
	Records []record `json:"records"`
}

// record is a record as printed.
type record struct {
	Digest       string   `json:"digest"`
	Recorder     string   `json:"recorder"`
	Title        string   `json:"title"`
	Name         string   `json:"name"`
	Size         uint64   `json:"size"`
	MediaType    string   `json:"mediaType"`
	State        string   `json:"state"`
	RecordedAt   string   `json:"recordedAt"`
	Transaction  string   `json:"transaction"`
	SupersededBy string   `json:"supersededBy,omitempty"`
	Supersedes   string   `json:"supersedes,omitempty"`
	Reason       string   `json:"withdrawReason,omitempty"`
	ChangedAt    string   `json:"changedAt,omitempty"`
	Cosigners    []string `json:"cosigners,omitempty"`
}

func viewRecord(r *apiv1.Record) record {
	out := record{Digest: r.GetDigest(), Recorder: r.GetRecorder(), Title: r.GetTitle(), Name: r.GetName(), Size: r.GetSize(),
		MediaType: r.GetMediaType(), State: r.GetState(), RecordedAt: r.GetRecordedAt(), Transaction: r.GetTransaction(),
		SupersededBy: r.GetSupersededBy(), Supersedes: r.GetSupersedes(), Reason: r.GetWithdrawReason(), ChangedAt: r.GetChangedAt()}
	if out.ChangedAt == out.RecordedAt {
		out.ChangedAt = "" // nothing happened since
	}
	for _, c := range r.GetCosignatures() {
		out.Cosigners = append(out.Cosigners, c.GetAccount()+" at "+c.GetSignedAt())
	}
	return out
}

func recordCheck(a *app) *cobra.Command {
	var title, receipt string
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Tell whether a file is original, altered, superseded, withdrawn or unknown", Args: cobra.ExactArgs(1),
		Long: `Tells what the ledger knows of a file:

  original    recorded exactly as it is, and in force
  superseded  recorded, but a newer version was recorded since
  withdrawn   recorded, but its recorder withdrew it
  altered     not recorded, but another file of the same name or title is: this copy differs from it
  unknown     nothing like it was ever recorded

Exit code 0 only for original; 3 for all others. With --receipt it asks nobody: the saved receipt of the recording, and the
genesis file or a checkpoint, show that exactly this file was recorded (not whether that changed since).`,
		Example: "  dure record check contract.pdf\n  dure record check contract.pdf --receipt contract.dure --genesis genesis.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := a.digestFile(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if receipt != "" {
				return a.checkByReceipt(doc, receipt, from)
			}
			found, err := a.checkDocument(cmd.Context(), doc, title)
			if err != nil {
				return err
			}
			if err := a.print(found, func(w io.Writer) { a.printChecked(w, found) }); err != nil {
				return err
			}
			if found.Verdict != fileOriginal {
				return quietExit(exitNotVerified)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&title, "title", "", "title it was recorded under, to recognise an altered copy with another file name")
	cmd.Flags().StringVar(&receipt, "receipt", "", "receipt of the recording: check offline")
	from.register(cmd)
	return cmd
}

// maxAltered is how many records of the same name or title are shown.
const maxAltered = 5

func (a *app) checkDocument(ctx context.Context, doc client.Document, title string) (*checked, error) {
	c, err := a.ledger()
	if err != nil {
		return nil, err
	}
	records, err := c.Records(ctx, doc.Digest)
	if err != nil {
		return nil, err
	}
	out := &checked{File: doc.Name, Digest: hex.EncodeToString(doc.Digest[:]), Verdict: fileUnknown, Records: []record{}}
	for _, r := range records {
		out.Records = append(out.Records, viewRecord(r))
	}
	if len(records) > 0 {
		out.Verdict = verdictOf(records)
		return out, nil
	}
	queries := []*apiv1.ListRecordsRequest{{Name: doc.Name}, {Title: doc.Title}}
	if title != "" {
		queries = append(queries, &apiv1.ListRecordsRequest{Title: title})
	}
	seen := map[string]bool{}
	for _, query := range queries {
		for r, err := range c.FindRecords(ctx, query) {
			if err != nil {
				return nil, err
			}
			if len(out.Records) == maxAltered {
				break
			}
			if key := r.GetDigest() + r.GetRecorder(); !seen[key] {
				seen[key] = true
				out.Verdict, out.Records = fileAltered, append(out.Records, viewRecord(r))
			}
		}
	}
	return out, nil
}

// verdictOf is the best state of a document's records: it is original if anyone's record of it is in force.
func verdictOf(records []*apiv1.Record) string {
	verdict := fileWithdrawn
	for _, r := range records {
		switch r.GetState() {
		case "active":
			return fileOriginal
		case "superseded":
			verdict = fileSuperseded
		}
	}
	return verdict
}

func (a *app) printChecked(w io.Writer, found *checked) {
	fmt.Fprintln(w, map[string]string{
		fileOriginal:   "ORIGINAL: " + found.File + " is recorded exactly as it is.",
		fileSuperseded: "SUPERSEDED: " + found.File + " is recorded exactly as it is, but a newer version was recorded since.",
		fileWithdrawn:  "WITHDRAWN: " + found.File + " is recorded exactly as it is, but its recorder withdrew it.",
		fileAltered:    "ALTERED: " + found.File + " is not recorded, and differs from what was recorded under this name or title.",
		fileUnknown:    "UNKNOWN: nothing like " + found.File + " is recorded.",
	}[found.Verdict])
	printFacts(w, []fact{{"digest", found.Digest}})
	for _, r := range found.Records {
		fmt.Fprintln(w)
		facts := []fact{{"recorded", r.RecordedAt}, {"by", a.short(r.Recorder)}}
		if found.Verdict == fileAltered {
			facts = append(facts, fact{"digest", r.Digest})
		}
		facts = append(facts, fact{"title", clean(r.Title)}, fact{"name", clean(r.Name)}, fact{"size", fmt.Sprintf("%d bytes", r.Size)},
			fact{"media type", clean(r.MediaType)}, fact{"state", r.State}, fact{"changed", r.ChangedAt}, fact{"superseded by", r.SupersededBy},
			fact{"supersedes", r.Supersedes}, fact{"reason", clean(r.Reason)}, fact{"cosigned", strings.Join(r.Cosigners, "\n")}, fact{"transaction", r.Transaction})
		printFacts(w, facts)
	}
}

// checkByReceipt verifies a saved receipt and that it is of the recording of exactly this document. It asks nobody.
func (a *app) checkByReceipt(doc client.Document, path string, from anchorFlags) error {
	verified, err := a.verifyReceiptFile(path, from)
	if err != nil {
		return err
	}
	recorder, ok := recordedIn(verified, doc.Digest)
	if !ok {
		return notVerified(fault.New("record.not_in_receipt", "the receipt holds, but it does not say that this file was recorded: the file was altered, or the receipt is of something else",
			"digest", hex.EncodeToString(doc.Digest[:])), "See what the receipt is of: dure receipt verify "+path+".")
	}
	return a.print(map[string]any{"file": doc.Name, "verdict": fileOriginal, "digest": hex.EncodeToString(doc.Digest[:]), "recorder": recorder.String(),
		"recordedAt": clockTime(verified.Executed), "transaction": hex.EncodeToString(verified.ID[:]), "restsOn": flat(verified.Grounds.String()), "offline": true},
		func(w io.Writer) {
			fmt.Fprintln(w, "ORIGINAL: "+doc.Name+" was recorded exactly as it is. Whether it was superseded or withdrawn since, only a node can say.")
			printFacts(w, []fact{{"digest", hex.EncodeToString(doc.Digest[:])}, {"recorded", clockTime(verified.Executed)}, {"by", a.short(recorder.String())},
				{"transaction", hex.EncodeToString(verified.ID[:])}, {"rests on", flat(verified.Grounds.String())}})
		})
}

// recordedIn finds who recorded a digest in a verified outcome.
func recordedIn(v *light.Verified, digest [32]byte) (recorder tx.Address, ok bool) {
	if !v.OK() {
		return recorder, false
	}
	for _, e := range v.Outcome.GetEvents() {
		by, added := e.GetRecordAdded().GetRecorder(), e.GetRecordAdded().GetDigest()
		if superseded := e.GetRecordSuperseded(); superseded != nil {
			by, added = superseded.GetRecorder(), superseded.GetBy()
		}
		if len(by) == 20 && bytes.Equal(added, digest[:]) {
			return tx.Address(by), true
		}
	}
	return recorder, false
}
