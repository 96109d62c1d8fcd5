package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/services/id/vault"
)

// maxConsent bounds the document of a consent, in bytes.
const maxConsent = 64 << 10

// shownConsent is what the ledger says of a consent's document.
type shownConsent struct {
	State       string                `json:"state"`
	Consent     vault.ConsentDocument `json:"consent"`
	Digest      string                `json:"digest"`
	RecordedBy  string                `json:"recorded_by"`
	RecordedAt  string                `json:"recorded_at,omitempty"`
	WithdrawnAt string                `json:"withdrawn_at,omitempty"`
	Transaction string                `json:"transaction,omitempty"`
}

func signinConsent(a *app) *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: "consent DOCUMENT", Short: "Check what somebody agreed to at a sign-in", Args: cobra.ExactArgs(1),
		Long: `Looks on the ledger for a consent. DOCUMENT is the file that a person gets on their page of a member's provider: what a service asked, what they agreed to, when, and the salt that
keeps others from guessing it. --by is that member: anybody can record a file, and what counts is that this member did, in the block of that time. Says when it was recorded, and whether
and when it was withdrawn.

Exit code 0 if the consent stands, 3 if it was withdrawn or the member recorded no such file. dure receipt get TRANSACTION proves the recording to those who ask no node.`,
		Example: "  dure signin consent dure-consent.json --by bank",
		RunE: func(cmd *cobra.Command, args []string) error {
			shown, err := a.checkConsent(cmd.Context(), args[0], by)
			if err != nil {
				return err
			}
			if err := a.print(shown, func(w io.Writer) { a.printConsent(w, shown) }); err != nil {
				return err
			}
			if shown.State != "given" {
				return quietExit(exitNotVerified)
			}
			return nil
		},
	}
	a.accountFlag(cmd, &by, "by", "the member whose provider it was")
	return cmd
}

func (a *app) checkConsent(ctx context.Context, path, by string) (*shownConsent, error) {
	raw, err := readSmall(path, maxConsent)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(raw)
	out := &shownConsent{State: fileUnknown, Digest: hex.EncodeToString(digest[:])}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&out.Consent); err != nil || out.Consent.Type != vault.DocumentType {
		return nil, usagef("%s: want the document of a consent, as a person's page of a provider gives it: JSON of the type %s", path, vault.DocumentType)
	}
	member, err := a.party(by)
	if err != nil {
		return nil, err
	}
	out.RecordedBy = member.address.String()
	c, err := a.ledger()
	if err != nil {
		return nil, err
	}
	records, err := c.Records(ctx, digest)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if r.GetRecorder() != out.RecordedBy {
			continue
		}
		out.State, out.RecordedAt, out.Transaction = "given", r.GetRecordedAt(), r.GetTransaction()
		if r.GetState() != "active" {
			out.State, out.WithdrawnAt = fileWithdrawn, r.GetChangedAt()
		}
	}
	return out, nil
}

func (a *app) printConsent(w io.Writer, s *shownConsent) {
	by := a.short(s.RecordedBy)
	fmt.Fprintln(w, map[string]string{
		"given":       "GIVEN: " + by + " recorded exactly this consent, and it stands.",
		fileWithdrawn: "WITHDRAWN: " + by + " recorded exactly this consent, and that it was withdrawn.",
		fileUnknown:   "UNKNOWN: " + by + " recorded no such file. It was changed, or is another member's.",
	}[s.State])
	refused := []string{}
	for _, item := range s.Consent.Asked {
		if !strings.Contains(" "+strings.Join(s.Consent.Agreed, " ")+" ", " "+item+" ") {
			refused = append(refused, clean(item))
		}
	}
	agreed := make([]string, len(s.Consent.Agreed))
	for i, item := range s.Consent.Agreed {
		agreed[i] = clean(item)
	}
	printFacts(w, []fact{{"account", clean(s.Consent.Account)}, {"service", clean(s.Consent.Name) + " (" + clean(s.Consent.Service) + ")"}, {"agreed to", strings.Join(agreed, ", ")},
		{"refused", strings.Join(refused, ", ")}, {"answered", clean(s.Consent.At)}, {"digest", s.Digest}, {"recorded", s.RecordedAt}, {"withdrawn", s.WithdrawnAt}, {"transaction", s.Transaction}})
}
