package index

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/asset"
)

// cursor says how far the index is and which numbers it has given.
type cursor struct {
	seq    uint64 // the next outcome to index
	height int64
	// accounts, records and readings have been numbered so far; the numbers give their lists an order.
	accounts, records, readings int64
	// erased is how many readings have lost their raw bytes, from the first on.
	erased int64
	// gone is how many readings could not be listed because their transactions had been erased, goneUntil when the last of them was
	// anchored, in unix milliseconds.
	gone, goneUntil int64
}

func (c cursor) meta() map[string]string {
	return map[string]string{
		"seq": strconv.FormatUint(c.seq, 10), "height": strconv.FormatInt(c.height, 10),
		"accounts": strconv.FormatInt(c.accounts, 10), "records": strconv.FormatInt(c.records, 10),
		"readings": strconv.FormatInt(c.readings, 10), "erased": strconv.FormatInt(c.erased, 10),
		"gone": strconv.FormatInt(c.gone, 10), "gone_until": strconv.FormatInt(c.goneUntil, 10),
	}
}

func cursorOf(meta map[string]string) (c cursor, err error) {
	for name, into := range map[string]*int64{
		"height": &c.height, "accounts": &c.accounts, "records": &c.records, "readings": &c.readings, "erased": &c.erased,
		"gone": &c.gone, "gone_until": &c.goneUntil,
	} {
		if *into, err = strconv.ParseInt(meta[name], 10, 64); err != nil {
			return c, fmt.Errorf("cursor: %w", err)
		}
	}
	if c.seq, err = strconv.ParseUint(meta["seq"], 10, 63); err != nil {
		return c, fmt.Errorf("cursor: %w", err)
	}
	return c, nil
}

// changes is what one step writes, in one database transaction and in one part or several.
type changes struct {
	// anew makes all tables first, dropping those there are.
	anew bool
	// rows are the values of each table's new rows, one row after the other.
	rows [tableCount][]any
	// ended are holds that are no longer open, some of them perhaps opened by this very step.
	ended [][]byte
	// moved are accounts that have another sponsor now, in order, some of them perhaps opened by this very step.
	moved []move
	// eraseTo is the number up to which readings lose their raw bytes; 0: none do.
	eraseTo int64
	meta    map[string]string

	// links are written last, those of the whole step in the order of their keys.
	links  [tableCount][]link
	cursor cursor
	known  *holdings
}

// move is an account and its new sponsor.
type move struct{ account, sponsor []byte }

// link is a row by which something is found: a transaction, by what it names, or an asset, by who has had it.
type link struct {
	head uint64 // the first 8 bytes of key, filled up with zeros: most links are put in order without looking at the rest
	key  string
	seq  int64
}

func (l link) compare(other link) int {
	if l.head != other.head {
		return cmp.Compare(l.head, other.head)
	}
	return cmp.Or(strings.Compare(l.key, other.key), cmp.Compare(l.seq, other.seq))
}

func (c *changes) add(t table, values ...any) { c.rows[t] = append(c.rows[t], values...) }

func (c *changes) link(t table, key string, seq int64) {
	var head [8]byte
	copy(head[:], key)
	c.links[t] = append(c.links[t], link{binary.BigEndian.Uint64(head[:]), key, seq})
}

// next empties c of the rows of the part that was written.
func (c *changes) next() {
	for t := range c.rows {
		clear(c.rows[t])
		c.rows[t] = c.rows[t][:0]
	}
	c.anew, c.ended, c.moved, c.eraseTo = false, nil, nil, 0
}

// finish goes on with the parts that end a step: links, in the order of their keys so that neighbours in the tables are written together, and
// last the cursor. It rests after each part that is as large as parts may be.
func (c *changes) finish(yield func(*changes, error) bool, rest func()) {
	for t := range c.links {
		links := c.links[t]
		slices.SortFunc(links, link.compare)
		for some := range slices.Chunk(links, maxPart) {
			for _, l := range some {
				c.linked(table(t), l)
			}
			if !yield(c, nil) {
				return
			}
			c.next()
			if len(some) == maxPart {
				rest()
			}
		}
		c.links[t] = nil
	}
	if c.meta == nil {
		c.meta = map[string]string{}
	}
	for name, value := range c.cursor.meta() {
		c.meta[name] = value
	}
	yield(c, nil)
}

// linked adds the row of a link.
func (c *changes) linked(t table, l link) {
	switch t {
	case idTxTable:
		c.add(t, int64(l.head), l.seq)
	case assetTxTable:
		c.add(t, l.key, l.seq)
	case balanceTable:
		c.add(t, []byte(l.key[:len(tx.Address{})]), l.key[len(tx.Address{}):])
	default:
		c.add(t, []byte(l.key), l.seq)
	}
}

// entry adds what one transaction is found by and the lists it changes.
func (c *changes) entry(e Entry) error {
	o := e.Outcome
	if o.GetSeq() != c.cursor.seq {
		return fmt.Errorf("outcome %d is where %d should be", o.GetSeq(), c.cursor.seq)
	}
	if len(o.GetId()) != 32 {
		return fmt.Errorf("outcome %d has no id", o.GetSeq())
	}
	body, _ := e.Body()
	f := factsOf(o, body)
	seq := int64(o.GetSeq())
	c.add(txTable, seq, o.GetId(), o.GetHeight(), int64(o.GetPosition()), o.GetTime(), int64(o.GetStatus()))
	c.link(idTxTable, string(o.GetId()[:8]), seq)
	for _, a := range f.Accounts {
		c.link(accountTxTable, string(a[:]), seq)
	}
	for _, a := range f.Assets {
		if len(a) <= asset.MaxID && storable(a) { // a failed transaction may name anything
			c.link(assetTxTable, a, seq)
		}
	}
	for _, d := range f.Digests {
		c.link(digestTxTable, string(d[:]), seq)
	}
	if text := plain(f.Text...); text != "" {
		c.add(textTxTable, seq, text)
	}
	if o.GetStatus() == ledgerv1.Status_STATUS_OK {
		for i, ev := range o.GetEvents() {
			c.event(seq, ev)
			if a := subjectOf(ev); a != nil {
				c.add(accountEventTable, a, seq, int64(i))
			}
			if err := c.streamEvent(e, i, body); err != nil {
				return err
			}
		}
		for _, a := range body.GetActions() {
			c.action(a)
		}
	}
	c.cursor.seq, c.cursor.height = o.GetSeq()+1, o.GetHeight()
	return nil
}

// event keeps the lists that follow from facts.
func (c *changes) event(seq int64, ev *ledgerv1.Event) {
	switch k := ev.GetKind().(type) {
	case *ledgerv1.Event_AccountOpened:
		c.account(k.AccountOpened.GetAccount(), k.AccountOpened.GetSponsor())
	case *ledgerv1.Event_AccountSponsorChanged:
		c.moved = append(c.moved, move{k.AccountSponsorChanged.GetAccount(), k.AccountSponsorChanged.GetSponsor()})
	case *ledgerv1.Event_AccountProposalClosed:
		for _, raw := range k.AccountProposalClosed.GetActions() {
			if a, err := tx.DecodeAction(raw); err == nil { // the ledger has done it
				c.action(a)
			}
		}
	case *ledgerv1.Event_AssetCreated:
		c.add(assetTable, k.AssetCreated.GetAsset())
	case *ledgerv1.Event_AssetMoved:
		c.balance(k.AssetMoved.GetFrom(), k.AssetMoved.GetAsset())
		c.balance(k.AssetMoved.GetTo(), k.AssetMoved.GetAsset())
	case *ledgerv1.Event_AssetHeld:
		h := k.AssetHeld
		c.balance(h.GetPayer(), h.GetAsset())
		c.add(holdPartyTable, h.GetPayer(), seq, h.GetHold())
		c.add(holdPartyTable, h.GetPayee(), seq, h.GetHold())
		if arbiter := h.GetArbiter(); len(arbiter) > 0 {
			c.add(holdPartyTable, arbiter, seq, h.GetHold())
		}
	case *ledgerv1.Event_AssetReleased:
		c.ended = append(c.ended, k.AssetReleased.GetHold())
		c.balance(k.AssetReleased.GetPayee(), k.AssetReleased.GetAsset())
		c.balance(k.AssetReleased.GetPayer(), k.AssetReleased.GetAsset())
	case *ledgerv1.Event_IdentityRightGiven:
		c.add(issueTable, k.IdentityRightGiven.GetHolder(), k.IdentityRightGiven.GetSchema())
	case *ledgerv1.Event_IdentityAttested:
		f := k.IdentityAttested
		c.add(factTable, f.GetIssuer(), factKey(f.GetAccount(), f.GetSchema(), f.GetValue()))
	case *ledgerv1.Event_IdentityConsentGiven:
		g := k.IdentityConsentGiven
		c.add(consentTable, g.GetRecipient(), consentKey(g.GetPerson(), g.GetDigest()))
	}
}

// subjectOf is the account whose keys, sponsor, freezes or recovery an event is about, nil if it is about something else.
func subjectOf(ev *ledgerv1.Event) []byte {
	m := ev.ProtoReflect()
	kind := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind"))
	if kind == nil || !strings.HasPrefix(string(kind.Name()), "account_") {
		return nil
	}
	field := kind.Message().Fields().ByName("account")
	if field == nil || field.Kind() != protoreflect.BytesKind || field.IsList() {
		return nil
	}
	return m.Get(kind).Message().Get(field).Bytes()
}

// action keeps the lists that need more than the facts say: titles and names of records.
func (c *changes) action(a *txv1.Action) {
	switch k := a.GetCall().(type) {
	case *txv1.Action_RecordAdd:
		c.record(a.GetActor(), k.RecordAdd.GetDigest(), k.RecordAdd.GetName(), k.RecordAdd.GetTitle())
	case *txv1.Action_RecordSupersede:
		n := k.RecordSupersede.GetNew()
		c.record(a.GetActor(), n.GetDigest(), n.GetName(), n.GetTitle())
	}
}

func (c *changes) account(address, sponsor []byte) {
	c.cursor.accounts++
	c.add(accountTable, c.cursor.accounts, address, sponsor)
}

// balance notes that an account has had an asset. Most transfers are between accounts that had it before.
func (c *changes) balance(account []byte, asset string) {
	if len(account) != len(tx.Address{}) {
		return // issued or redeemed: no one's
	}
	h := holding{tx.Address(account), asset}
	if c.known.has(h) {
		return
	}
	c.known.put(h)
	c.link(balanceTable, string(account)+asset, 0)
}

// record lists a record. The ledger has refused a second one of the same digest and recorder.
func (c *changes) record(recorder, digest []byte, name, title string) {
	c.cursor.records++
	c.add(recordTable, c.cursor.records, digest, recorder, name, title)
	if text := plain(title, name); text != "" {
		c.add(textRecordTable, c.cursor.records, text)
	}
}

// genesis lists what is on the ledger before its first block. Members not among the accounts sponsor themselves.
func (c *changes) genesis(g *ledgerv1.Genesis) {
	there := map[string]bool{}
	for _, a := range g.GetAccount().GetAccounts() {
		there[string(a.GetAddress())] = true
		c.account(a.GetAddress(), a.GetSponsor())
	}
	for _, m := range g.GetNetwork().GetMembers() {
		if !there[string(m.GetAddress())] {
			c.account(m.GetAddress(), m.GetAddress())
		}
	}
	for _, a := range g.GetAsset().GetClasses() {
		c.add(assetTable, a.GetAsset())
	}
	for _, h := range g.GetAsset().GetBalances() {
		c.balance(h.GetAccount(), h.GetAsset())
	}
}

func prefix(id []byte) int64 { return int64(binary.BigEndian.Uint64(id)) }
