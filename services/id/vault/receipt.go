package vault

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// DocumentType is what the document of a consent says it is.
const DocumentType = "dure/consent/v1"

// documentUnit is what the size of a document is a multiple of, in bytes, so that the size says nothing.
const documentUnit = 1024

// ConsentDocument is what somebody shows who wants to prove a consent: whoever has it finds its digest on the ledger. The salt keeps everybody else from
// finding it by trying.
type ConsentDocument struct {
	Type    string   `json:"type"`
	Account string   `json:"account"`
	Service string   `json:"service"`
	Name    string   `json:"name"`
	Asked   []string `json:"asked"`
	Agreed  []string `json:"agreed"`
	At      string   `json:"at"`
	Salt    []byte   `json:"salt"`
}

// Document is a consent of an account as a file: JSON, padded with spaces. Its digest goes on the ledger.
func (c Consent) Document(a Account) []byte {
	raw, err := json.MarshalIndent(ConsentDocument{DocumentType, "0x" + hex.EncodeToString(a[:]), c.Service, c.Name, c.Asked, c.Agreed,
		time.UnixMilli(c.At).UTC().Format(time.RFC3339Nano), c.Salt}, "", "  ")
	if err != nil {
		panic(err) // strings and numbers
	}
	padding := documentUnit - (len(raw)+1)%documentUnit
	return append(append(raw, bytes.Repeat([]byte(" "), padding)...), '\n')
}

// Receipt is what the ledger is to say of a consent: that there was one of this digest, or that it was withdrawn.
type Receipt struct {
	Digest    [32]byte
	Size      int
	Withdrawn bool
}

func (c Consent) receipt(a Account, withdrawn bool) Receipt {
	document := c.Document(a)
	return Receipt{sha256.Sum256(document), len(document), withdrawn}
}

// Receipts lists what the ledger is to say and may not say yet, oldest first.
func (v *Vault) Receipts(ctx context.Context, most int) (out []Receipt, err error) {
	rows, err := v.people.QueryContext(ctx, `SELECT digest, size, withdrawn FROM receipt ORDER BY rowid LIMIT ?`, most)
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var digest []byte
		var one Receipt
		if err := rows.Scan(&digest, &one.Size, &one.Withdrawn); err != nil {
			return nil, fmt.Errorf("vault: %w", err)
		}
		if copy(one.Digest[:], digest) != len(one.Digest) {
			return nil, errors.New("vault: a digest that waits for the ledger has not 32 bytes")
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// Recorded takes off the list what the ledger says now. What has changed since it was listed stays.
func (v *Vault) Recorded(ctx context.Context, done []Receipt) error {
	return v.step(ctx, func(step *sql.Tx) error {
		for _, r := range done {
			if _, err := step.ExecContext(ctx, `DELETE FROM receipt WHERE digest = ? AND withdrawn = ?`, r.Digest[:], r.Withdrawn); err != nil {
				return err
			}
		}
		return nil
	})
}

func owe(ctx context.Context, w writer, r Receipt) error {
	_, err := w.ExecContext(ctx, `INSERT INTO receipt (digest, size, withdrawn) VALUES (?, ?, ?) ON CONFLICT (digest) DO UPDATE SET withdrawn = excluded.withdrawn`,
		r.Digest[:], r.Size, r.Withdrawn)
	return err
}

// step makes several changes to the people's file, or none.
func (v *Vault) step(ctx context.Context, change func(*sql.Tx) error) error {
	step, err := v.people.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	defer step.Rollback() // nothing after the commit
	if err := change(step); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	if err := step.Commit(); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}
