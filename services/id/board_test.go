package id_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"github.com/dureledger/dure/services/id"
	"github.com/dureledger/dure/services/id/vault"
)

// board is what the ledger has of services and of consents.
type board struct {
	mu       sync.Mutex
	services map[[20]byte]id.Party
	receipts map[[32]byte]id.Receipt
	// down: it answers nothing of consents.
	down bool
}

func newBoard() *board {
	return &board{services: map[[20]byte]id.Party{}, receipts: map[[32]byte]id.Receipt{}}
}

// set sets an organisation's service, or removes it.
func (b *board) set(account [20]byte, p *id.Party) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p == nil {
		delete(b.services, account)
		return
	}
	p.ID, p.OnLedger = shown(account), true
	b.services[account] = *p
}

func (b *board) Service(_ context.Context, account [20]byte) (id.Party, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.services[account]
	if !ok {
		return p, id.ErrNoService
	}
	return p, nil
}

func (b *board) Record(_ context.Context, receipts []vault.Receipt) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return context.DeadlineExceeded
	}
	for _, r := range receipts {
		b.receipts[r.Digest] = id.Receipt{Transaction: hex.EncodeToString(r.Digest[:]), Height: int64(len(b.receipts) + 1), Withdrawn: r.Withdrawn}
	}
	return nil
}

func (b *board) Receipt(_ context.Context, digest [32]byte) (id.Receipt, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r, ok := b.receipts[digest]
	if !ok {
		return r, id.ErrNoReceipt
	}
	return r, nil
}

// count says how many consents are recorded, and how many of them are withdrawn.
func (b *board) count() (all, withdrawn int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.receipts {
		if all++; r.Withdrawn {
			withdrawn++
		}
	}
	return all, withdrawn
}

// of is the receipt of a document.
func (b *board) of(document []byte) (id.Receipt, bool) {
	r, err := b.Receipt(context.Background(), sha256.Sum256(document))
	return r, err == nil
}
