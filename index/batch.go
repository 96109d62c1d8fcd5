package index

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strconv"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// batch is one database transaction of writes. After a write fails the rest do nothing and commit says why.
type batch struct {
	ctx   context.Context
	tx    *sql.Tx
	stmts map[string]*sql.Stmt
	// balances are those the batch has seen: most transfers are between accounts that had the asset before.
	balances map[holding]bool
	err      error
}

type holding struct {
	account tx.Address
	asset   string
}

func (x *Index) begin(ctx context.Context) (*batch, error) {
	// A batch is short, and the driver starts a goroutine for every statement that could be cut off.
	ctx = context.WithoutCancel(ctx)
	t, err := x.write.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &batch{ctx: ctx, tx: t, stmts: map[string]*sql.Stmt{}, balances: map[holding]bool{}}, nil
}

// commit ends the batch and moves the cursor with it: seq is the next outcome to index.
func (b *batch) commit(seq uint64, height int64) error {
	b.exec(sqlSetMeta, "seq", strconv.FormatUint(seq, 10))
	b.exec(sqlSetMeta, "height", strconv.FormatInt(height, 10))
	if b.err != nil {
		return b.err
	}
	return b.tx.Commit()
}

// rollback undoes a batch that was not committed; after commit it does nothing.
func (b *batch) rollback() { _ = b.tx.Rollback() }

func (b *batch) exec(query string, args ...any) {
	if b.err == nil {
		_, b.err = b.tx.ExecContext(b.ctx, query, args...)
	}
}

// run is exec for the statements that repeat: each is prepared once a batch.
func (b *batch) run(query string, args ...any) sql.Result {
	if b.err != nil {
		return nil
	}
	stmt := b.stmts[query]
	if stmt == nil {
		if stmt, b.err = b.tx.PrepareContext(b.ctx, query); b.err != nil {
			return nil
		}
		b.stmts[query] = stmt
	}
	res, err := stmt.ExecContext(b.ctx, args...)
	b.err = err
	return res
}

func (b *batch) dropAll() error {
	rows, err := b.tx.QueryContext(b.ctx, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
		AND name NOT LIKE 'text\_%\_%' ESCAPE '\'`)
	if err != nil {
		return err
	}
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range names {
		b.exec(`DROP TABLE "` + name + `"`)
	}
	return b.err
}

// entry writes what one transaction is found by and the lists it changes.
func (b *batch) entry(e Entry) {
	o := e.Outcome
	if len(o.GetId()) != 32 {
		b.err = fmt.Errorf("outcome %d has no id", o.GetSeq())
		return
	}
	body, _ := e.Body()
	f := factsOf(o, body)
	seq := int64(o.GetSeq())
	b.run(sqlAddTx, seq, o.GetId(), prefix(o.GetId()), o.GetHeight(), o.GetPosition(), o.GetTime(), int32(o.GetStatus()))
	for _, a := range f.Accounts {
		b.run(sqlAddAccount, a[:], seq)
	}
	for _, a := range f.Assets {
		b.run(sqlAddAsset, a, seq)
	}
	for _, d := range f.Digests {
		b.run(sqlAddDigest, d[:], seq)
	}
	if text := indexText(f.Text); text != "" {
		b.run(sqlAddText, seq, text)
	}
	if o.GetStatus() != ledgerv1.Status_STATUS_OK {
		return
	}
	for _, ev := range o.GetEvents() {
		b.event(seq, ev, body)
	}
	for _, a := range body.GetActions() {
		b.action(a)
	}
}

// event keeps the lists that follow from facts.
func (b *batch) event(seq int64, ev *ledgerv1.Event, body *txv1.Body) {
	switch k := ev.GetKind().(type) {
	case *ledgerv1.Event_AccountOpened:
		b.run(sqlNewAccount, k.AccountOpened.GetAccount(), k.AccountOpened.GetSponsor())
	case *ledgerv1.Event_AssetCreated:
		b.run(sqlNewAsset, k.AssetCreated.GetAsset())
	case *ledgerv1.Event_AssetMoved:
		b.balance(k.AssetMoved.GetFrom(), k.AssetMoved.GetAsset())
		b.balance(k.AssetMoved.GetTo(), k.AssetMoved.GetAsset())
	case *ledgerv1.Event_AssetHeld:
		h := k.AssetHeld
		b.balance(h.GetPayer(), h.GetAsset())
		b.run(sqlNewHold, h.GetPayer(), seq, h.GetHold())
		b.run(sqlNewHold, h.GetPayee(), seq, h.GetHold())
		if arbiter := arbiterOf(body, ev.GetAction()); len(arbiter) > 0 {
			b.run(sqlNewHold, arbiter, seq, h.GetHold())
		}
	case *ledgerv1.Event_AssetReleased:
		b.run(sqlDropHold, k.AssetReleased.GetHold())
		b.balance(k.AssetReleased.GetPayee(), k.AssetReleased.GetAsset())
		b.balance(k.AssetReleased.GetPayer(), k.AssetReleased.GetAsset())
	}
}

// arbiterOf is the arbiter an action named for its hold, which the event does not repeat.
func arbiterOf(body *txv1.Body, action uint32) []byte {
	if int(action) >= len(body.GetActions()) {
		return nil
	}
	return body.GetActions()[action].GetAssetHold().GetArbiter()
}

// action keeps the lists that need more than the facts say: titles and names of records.
func (b *batch) action(a *txv1.Action) {
	switch c := a.GetCall().(type) {
	case *txv1.Action_RecordAdd:
		b.record(a.GetActor(), c.RecordAdd.GetDigest(), c.RecordAdd.GetName(), c.RecordAdd.GetTitle())
	case *txv1.Action_RecordSupersede:
		n := c.RecordSupersede.GetNew()
		b.record(a.GetActor(), n.GetDigest(), n.GetName(), n.GetTitle())
	}
}

func (b *batch) balance(account []byte, asset string) {
	if len(account) != len(tx.Address{}) {
		return // issued or redeemed: no one's
	}
	if h := (holding{tx.Address(account), asset}); !b.balances[h] {
		b.balances[h] = true
		b.run(sqlNewBalance, account, asset)
	}
}

func (b *batch) record(recorder, digest []byte, name, title string) {
	res := b.run(sqlNewRecord, digest, recorder, name, title)
	if b.err != nil {
		return
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		b.err = err
		return
	}
	n, err := res.LastInsertId()
	if b.err = err; err == nil {
		b.run(sqlRecordText, n, indexText([]string{title, name}))
	}
}

// genesis lists what is on the ledger before its first block. Members not among the accounts sponsor themselves.
func (b *batch) genesis(g *ledgerv1.Genesis) {
	for _, a := range g.GetAccount().GetAccounts() {
		b.run(sqlNewAccount, a.GetAddress(), a.GetSponsor())
	}
	for _, m := range g.GetNetwork().GetMembers() {
		b.run(sqlNewAccount, m.GetAddress(), m.GetAddress())
	}
	for _, c := range g.GetAsset().GetClasses() {
		b.run(sqlNewAsset, c.GetAsset())
	}
	for _, h := range g.GetAsset().GetBalances() {
		b.run(sqlNewBalance, h.GetAccount(), h.GetAsset())
	}
}

func prefix(id []byte) int64 { return int64(binary.BigEndian.Uint64(id)) }
