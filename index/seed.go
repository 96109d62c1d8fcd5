package index

import (
	"context"
	"fmt"

	"github.com/holiman/uint256"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/account"
	"github.com/dureledger/dure/modules/asset"
	"github.com/dureledger/dure/modules/record"
	"github.com/dureledger/dure/modules/stream"
)

// Later is a Source whose first entries are not there: a node that began with a snapshot does not have what was before.
// Its lists of accounts, assets, holders, holds, records and feeds are complete, because the state has them; its lists of
// transactions and readings begin with the first entry.
type Later interface {
	// First is the position of the first entry there is, or will be.
	First() uint64
	// Seed is a state at or after that of the first entry's block, and that block's time in unix milliseconds.
	Seed() (state.Reader, int64, error)
}

// skip begins at the first entry there is, with what the state says of those before. What an index of an earlier part of
// this ledger held is given up: between the two something is missing.
func (x *Index) skip(ctx context.Context, src Source) error {
	later, ok := src.(Later)
	if !ok || x.Seq() >= later.First() {
		return nil
	}
	r, before, err := later.Seed()
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.known.forget()
	c := &changes{anew: true, known: &x.known, meta: map[string]string{"schema": schemaVersion, "network": x.genesis.NetworkID}}
	c.cursor.seq = later.First()
	c.seed(r, before)
	if err := x.apply(ctx, c); err != nil {
		return &databaseError{err}
	}
	return nil
}

// seed adds what the lists that follow from facts would hold of a state, as far as it is older than before: what is not
// comes with its transaction.
func (c *changes) seed(r state.Reader, before int64) {
	account.Ascend(r, func(address tx.Address, a *accountv1.Account) bool {
		if a.GetOpenedAt() < before {
			c.account(address[:], a.GetSponsor())
		}
		return true
	})
	asset.AscendClasses(r, func(id string, _ *assetv1.Class) bool {
		c.add(assetTable, id)
		holder := func(address tx.Address, _ uint256.Int) bool {
			c.balance(address[:], id)
			return true
		}
		asset.AscendBalances(r, id, holder)
		asset.AscendHeld(r, id, holder)
		return true
	})
	asset.AscendHolds(r, func(id asset.HoldID, h *assetv1.HoldState) bool {
		if h.GetCreatedAt() < before {
			for _, party := range [][]byte{h.GetPayer(), h.GetPayee(), h.GetArbiter()} {
				if len(party) > 0 {
					c.add(holdPartyTable, party, int64(0), id[:])
				}
			}
		}
		return true
	})
	stream.Ascend(r, func(feed string, f *streamv1.Feed) bool {
		if f.GetOpenedAt() < before {
			c.add(feedTable, feed, f.GetOperator())
		}
		stream.AscendReports(r, feed, func(device tx.Address, _ *streamv1.Report) bool {
			c.add(feedSourceTable, feed, device[:])
			return true
		})
		return true
	})
	c.seedIdentity(r)
	record.AscendAll(r, func(digest record.Digest, recorder tx.Address, rec *recordv1.Record) bool {
		if rec.GetRecordedAt() < before {
			c.record(recorder[:], digest[:], rec.GetName(), rec.GetTitle())
		}
		return true
	})
}
