package id

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/services/id/page"
	"github.com/dureledger/dure/services/id/vault"
)

// Receipts keeps consents on the ledger, as digests that say nothing by themselves. The provider cannot sign for a person: what is on the ledger is the
// member's own statement that it has a consent of this digest, and later that this was withdrawn.
type Receipts interface {
	// Record makes the ledger say what it does not say yet of at most MaxRecorded, and returns when it does.
	Record(ctx context.Context, receipts []vault.Receipt) error
	// Receipt is what the ledger says of a digest that this member recorded; ErrNoReceipt if nothing.
	Receipt(ctx context.Context, digest [32]byte) (Receipt, error)
}

// Receipt is what the ledger says of a consent.
type Receipt struct {
	// Transaction recorded it, in block Height, at a time in unix milliseconds.
	Transaction string
	Height      int64
	At          int64
	Withdrawn   bool
}

// ErrNoReceipt means that the ledger has no record of the digest, or not yet.
var ErrNoReceipt = errors.New("id: the ledger says nothing of this consent")

// MaxRecorded is how many receipts one transaction has at most; each may take two actions.
const MaxRecorded = 50

// The recorder tries again after a while that doubles from the first to the last.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// record carries to the ledger what the vault says is missing there, until the provider closes. Nobody waits for it: what a crash interrupts is found again
// when the provider starts.
func (s *Server) record() {
	retry := firstRetry
	for {
		n, err := s.recordSome()
		var again <-chan time.Time
		switch {
		case s.stopped.Err() != nil:
			return
		case err != nil:
			s.log.Warn("consents are not on the ledger yet", "error", err, "again", retry)
			again, retry = time.After(retry), min(2*retry, lastRetry)
		case n > 0:
			retry = firstRetry
			continue
		}
		select {
		case <-s.stopped.Done():
			return
		case <-s.owed:
		case <-again:
		}
	}
}

// recordSome records a transaction full, and says how many were on the list.
func (s *Server) recordSome() (int, error) {
	list, err := s.vault.Receipts(s.stopped, MaxRecorded)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	if err := s.ledger.Record(s.stopped, list); err != nil {
		return 0, err
	}
	return len(list), s.vault.Recorded(s.stopped, list)
}

// owe tells the recorder that there is something to do.
func (s *Server) owe() {
	select {
	case s.owed <- struct{}{}:
	default: // it knows
	}
}

// receipt is what a person's page says of a consent.
func (s *Server) receipt(ctx context.Context, account [20]byte, c vault.Consent) page.Receipt {
	found, err := s.ledger.Receipt(ctx, c.Digest(account))
	if err != nil {
		if !errors.Is(err, ErrNoReceipt) {
			s.log.Warn("a receipt cannot be read", "error", err)
		}
		return page.Receipt{}
	}
	out := page.Receipt{Transaction: found.Transaction, Height: found.Height, At: found.At}
	if s.settings.LedgerPage != "" {
		out.Link = strings.TrimRight(s.settings.LedgerPage, "/") + "/tx/" + found.Transaction
	}
	return out
}

// consentFile gives a person the document of a consent, with which anybody can prove it.
func (s *Server) consentFile(w http.ResponseWriter, r *http.Request) {
	who, ok, err := s.current(r)
	if !ok {
		s.ownSignIn(w, r, err)
		return
	}
	c, err := s.vault.Consent(r.Context(), who.account, r.URL.Query().Get("service"))
	switch {
	case errors.Is(err, vault.ErrUnknown):
		s.fail(w, r, http.StatusNotFound, "signin.not_there")
		return
	case err != nil:
		s.broken(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="dure-consent.json"`)
	_, _ = w.Write(c.Document(who.account)) // the reader may be gone
}

// What is public of a consent's record.
const (
	recordTitle  = "로그인 동의 Consent at a sign-in"
	recordReason = "withdrawn by the person"
)

// Record adds a record for each receipt that has none of this member, and withdraws it if the consent was.
func (n Node) Record(ctx context.Context, receipts []vault.Receipt) error {
	network, err := n.Client.Network(ctx)
	if err != nil {
		return fmt.Errorf("id: %w", err)
	}
	draft, actions := client.NewTransaction(network), 0
	for _, r := range receipts {
		known, err := n.own(ctx, r.Digest)
		if err != nil {
			return err
		}
		if known == nil {
			draft.AddRecord(n.Member, client.Document{Digest: r.Digest, Size: uint64(r.Size), MediaType: "application/json", Title: recordTitle})
			actions++
		}
		if r.Withdrawn && (known == nil || known.GetState() == "active") {
			draft.WithdrawRecord(n.Member, r.Digest, recordReason)
			actions++
		}
	}
	if actions == 0 {
		return nil
	}
	outcome, err := n.Do(ctx, draft)
	if err == nil {
		err = client.Check(outcome)
	}
	if err != nil {
		return fmt.Errorf("id: recording consents: %w", err)
	}
	return nil
}

// Receipt asks the node.
func (n Node) Receipt(ctx context.Context, digest [32]byte) (Receipt, error) {
	known, err := n.own(ctx, digest)
	if err != nil {
		return Receipt{}, err
	}
	if known == nil {
		return Receipt{}, ErrNoReceipt
	}
	at, err := time.Parse(time.RFC3339Nano, known.GetRecordedAt())
	if err != nil {
		return Receipt{}, fmt.Errorf("id: the node's answer: %w", err)
	}
	out := Receipt{Transaction: known.GetTransaction(), At: at.UnixMilli(), Withdrawn: known.GetState() == "withdrawn"}
	found, err := n.Client.Find(ctx, out.Transaction)
	if errors.Is(err, client.ErrNotFound) {
		return out, nil // the node's index is behind its state
	}
	if err != nil {
		return out, fmt.Errorf("id: %w", err)
	}
	out.Height = found.GetOutcome().GetHeight()
	return out, nil
}

// own is this member's record of a digest, nil if there is none.
func (n Node) own(ctx context.Context, digest [32]byte) (*apiv1.Record, error) {
	records, err := n.Client.Records(ctx, digest)
	if err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	member := "0x" + hex.EncodeToString(n.Member[:])
	for _, r := range records {
		if strings.EqualFold(r.GetRecorder(), member) {
			return r, nil
		}
	}
	return nil, nil
}
