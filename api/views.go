package api

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/dureledger/dure/api/web"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// maxShownIDs bounds the transactions that the page of a block lists.
const maxShownIDs = 500

func (s *Server) statusView() web.Status {
	st, _ := s.ledger.State()
	self := s.ledger.Status().Member
	v := web.Status{Live: s.liveView()}
	var all int64
	members := index.ReadMembers(st)
	for _, m := range members {
		all += m.GetPower()
	}
	evidence := index.ReadEvidence(st)
	for _, m := range members {
		against := evidence[index.ValidatorOf(m.GetValidatorKey())]
		shown := web.Member{
			Name: m.GetName(), Address: address(m.GetAddress()), Power: m.GetPower(), Voids: m.GetVoids(),
			Misbehaviours: against.GetCount(),
			Self:          string(m.GetAddress()) == string(self[:]),
		}
		if known := against.GetLatest(); len(known) > 0 {
			shown.MisbehavedAt = known[len(known)-1].GetHeight()
		}
		if all > 0 {
			shown.Percent = int((float64(m.GetPower())/float64(all))*100 + 0.5)
		}
		v.Members = append(v.Members, shown)
	}
	parameters := index.ReadParameters(st)
	v.LeastWitnesses = parameters.GetLeastWitnesses()
	for _, key := range parameters.GetWitnesses() {
		name, _, _ := strings.Cut(key, "+")
		v.Witnesses = append(v.Witnesses, web.OutsideWitness{Name: name, Key: key})
	}
	if w, ok := s.ledger.Witnessing(); ok {
		v.WitnessedAt, v.Cosignatures = w.Height, w.Cosignatures
	}
	return v
}

// liveView is what changes by itself on the front page.
func (s *Server) liveView() web.Live {
	now := s.ledger.Status()
	v := web.Live{
		Height: now.Height, PerSecond: now.TransactionsPerSecond, FinalityMS: float64(now.Finality.Microseconds()) / 1000,
		Transactions: now.Transactions, PoolUsed: now.PoolTransactions, PoolCapacity: now.PoolCapacity,
		IndexLag: s.indexLag(), Peers: now.Peers, CatchingUp: now.CatchingUp,
	}
	if !now.Time.IsZero() {
		v.Time = now.Time.UnixMilli()
	}
	if v.Private = s.gate != nil; !v.Private {
		v.Recent = s.newest()
	}
	return v
}

// newest is the last transactions, read from the ledger itself: the index may be behind.
func (s *Server) newest() []web.Row {
	size := s.ledger.Size()
	entries, err := s.ledger.Entries(size-min(size, recentRows), recentRows)
	if err != nil {
		s.log.Error("the last transactions could not be read", "error", err)
		return nil
	}
	for i, j := 0, len(entries)-1; i < j; i, j = i+1, j-1 {
		entries[i], entries[j] = entries[j], entries[i]
	}
	return s.rows(entries)
}

func (s *Server) rows(entries []Entry) []web.Row {
	st, _ := s.ledger.State()
	out := make([]web.Row, 0, len(entries))
	for _, e := range entries {
		out = append(out, row(st, e))
	}
	return out
}

func row(st state.Reader, e Entry) web.Row {
	o := e.Outcome
	r := web.Row{
		ID: hex.EncodeToString(o.GetId()), Status: enumName(o.GetStatus()), Height: o.GetHeight(), Time: o.GetTime(),
	}
	body, _ := e.Body()
	actions := body.GetActions()
	if len(actions) == 0 {
		return r
	}
	first := actionOf(actions[0])
	r.Call, r.More = first.GetCall(), len(actions)-1
	r.Parts = summary(st, first)
	return r
}

// summary is what an action is about in a line: who, to whom, how much, what.
func summary(st state.Reader, a *apiv1.Action) []web.Value {
	parts := []web.Value{party(st, a.GetActor())}
	args := a.GetArguments().GetFields()
	for _, to := range []string{"to", "payee", "account"} {
		if v := args[to].GetStringValue(); v != "" {
			parts = append(parts, web.Value{Kind: "arrow"}, party(st, v))
		}
	}
	if v := args["amount"].GetStringValue(); v != "" {
		parts = append(parts, amountOf(st, v, args["asset"].GetStringValue()))
	} else if v := args["asset"].GetStringValue(); v != "" {
		parts = append(parts, web.Value{Text: v})
	}
	for _, name := range []string{"title", "memo"} {
		if v := args[name].GetStringValue(); v != "" {
			parts = append(parts, web.Value{Text: cutRunes(v, 40)})
		}
	}
	return parts
}

// amountOf shows an amount with the decimals of its asset.
func amountOf(st state.Reader, amount, asset string) web.Value {
	v := web.Value{Kind: "amount", Text: amount, Unit: asset}
	n, err := tx.ParseAmount(amount)
	if err != nil {
		return web.Value{Text: amount}
	}
	if class, ok := index.ReadAsset(st, asset); ok {
		v.Text = tx.FormatUnits(n, class.GetDecimals())
	}
	return v
}

func cutRunes(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}

func (s *Server) transactionView(e Entry) web.Transaction {
	st, _ := s.ledger.State()
	o := e.Outcome
	t := transactionOf(e)
	v := web.Transaction{
		ID: t.GetId(), Status: t.GetOutcome().GetStatus(), Height: o.GetHeight(), Position: o.GetPosition(), Seq: o.GetSeq(),
		Time: o.GetTime(), Once: t.GetOnce(), Work: o.GetWork(), Bytes: len(e.Raw),
		Erased: e.Erased(),
	}
	body, _ := e.Body()
	v.NotAfter = body.GetNotAfter()
	for _, a := range body.GetActions() {
		name, m := branch(a.ProtoReflect(), "call")
		v.Actions = append(v.Actions, web.Action{Name: name, Actor: party(st, address(a.GetActor())), Fields: fieldsOf(st, m, "")})
	}
	for _, ev := range o.GetEvents() {
		name, m := branch(ev.ProtoReflect(), "kind")
		v.Events = append(v.Events, web.Action{Name: name, Fields: fieldsOf(st, m, "")})
	}
	for _, w := range t.GetWitnesses() {
		v.Witnesses = append(v.Witnesses, web.Witness{Kind: w.GetKind(), Key: w.GetKey(), PublicKey: w.GetPublicKey()})
	}
	if r := o.GetRefusal(); r != nil {
		v.Refusal = &web.Refusal{Code: r.GetCode(), Message: r.GetMessage()}
		if len(v.Actions) > 1 {
			v.Refusal.Action = int(r.GetAction()) + 1
		}
		v.Refusal.Fields = refusalFields(st, r.GetFields())
	}
	return v
}

// refusalFields shows the values that explain a refusal: addresses as links, amounts with the decimals of the asset that
// is named beside them.
func refusalFields(st state.Reader, fields []*ledgerv1.Field) []web.Field {
	asset := ""
	for _, f := range fields {
		if f.GetName() == "asset" {
			asset = f.GetValue()
		}
	}
	var out []web.Field
	for _, f := range fields {
		v := web.Value{Text: f.GetValue()}
		switch f.GetName() {
		case "amount", "balance", "available", "held", "cap", "supply", "needed":
			if asset != "" {
				v = amountOf(st, f.GetValue(), asset)
			}
		default:
			if a, err := tx.ParseAddress(f.GetValue()); err == nil {
				v = party(st, a.String())
			}
		}
		out = append(out, web.Field{Name: f.GetName(), Value: v})
	}
	return out
}

// party shows an address, by name if it is a member's.
func party(st state.Reader, address string) web.Value {
	v := web.Value{Kind: "address", Text: address}
	if a, err := tx.ParseAddress(address); err == nil {
		if m, ok := index.ReadMember(st, a); ok {
			v.Name = m.GetName()
		}
	}
	return v
}

func (s *Server) blockView(b *Block) web.Block {
	v := web.Block{
		Height: b.Height, Time: b.Time.UnixMilli(), Hash: hex.EncodeToString(b.Hash[:]), AppHash: hex.EncodeToString(b.AppHash),
		Proposer: b.Proposer.String(), ProposerName: s.memberName(b.Proposer), Batches: b.Batches, Total: len(b.Transactions),
		Prev: b.Height - 1,
	}
	if b.Height < s.ledger.Status().Height {
		v.Next = b.Height + 1
	}
	for _, id := range b.Transactions[:min(len(b.Transactions), maxShownIDs)] {
		v.Transactions = append(v.Transactions, hex.EncodeToString(id[:]))
	}
	return v
}

// memberName is the name of the member of an address, empty if there is none.
func (s *Server) memberName(a tx.Address) string {
	st, _ := s.ledger.State()
	m, _ := index.ReadMember(st, a)
	return m.GetName()
}

func (s *Server) accountView(ctx context.Context, a tx.Address, token string) (web.Account, error) {
	st, _ := s.ledger.State()
	v := web.Account{Address: a.String(), Member: s.memberName(a)}
	if acc, ok := index.ReadAccount(st, a); ok {
		sponsor, _ := tx.ToAddress(acc.GetSponsor())
		v.Opened, v.OpenedAt = true, acc.GetOpenedAt()
		v.Sponsor, v.SponsorName = address(acc.GetSponsor()), s.memberName(sponsor)
		v.Key, v.KeyKind = address(acc.GetKey()), tx.KindName(acc.GetKind())
		v.LockedAt, v.LockReason = acc.GetLockedAt(), acc.GetLockReason()
		if err := s.ruleView(st, a, &v); err != nil {
			return v, err
		}
		if err := s.guardView(ctx, st, a, acc, s.ledger.Status().Time.UnixMilli(), &v); err != nil {
			return v, err
		}
	}
	if v.Device = s.deviceView(st, a); v.Device != nil {
		s.deviceFeeds(ctx, st, a, v.Device)
		s.deviceTaint(ctx, st, a, v.Device)
		if key, err := tx.ParseAddress(v.Key); err == nil {
			v.Device.Witness = s.cosignerView(key)
		}
	}
	v.Identity = s.identityView(ctx, st, a)
	v.Operates = s.feedLinks(ctx, index.FeedFilter{Operator: &a})
	balances, _, err := s.balancesOf(ctx, st, a, index.Page{Size: index.MaxPage})
	if err != nil {
		return v, err
	}
	for _, b := range balances {
		v.Balances = append(v.Balances, web.Balance{
			Asset: b.GetAsset(), Amount: amountOf(st, b.GetAmount(), b.GetAsset()).Text, Held: amountOf(st, b.GetHeld(), b.GetAsset()).Text,
		})
	}
	entries, next, err := s.list(ctx, index.Filter{Account: &a}, index.Page{Size: recentRows, Token: token})
	v.Recent, v.Next = s.rows(entries), next
	return v, err
}

// cosignerView is nil for a key by which this node has no cosignature.
func (s *Server) cosignerView(key tx.Address) *web.WitnessRecord {
	c, ok := s.ledger.CosignedBy(key)
	if !ok {
		return nil
	}
	return &web.WitnessRecord{Name: c.Name, Height: c.Height, Time: c.Time.UnixMilli(), Cosigned: c.Cosigned, Kept: c.Kept}
}

// deviceView is nil for an account that is no device.
func (s *Server) deviceView(r state.Reader, a tx.Address) *web.Device {
	known, ok := index.ReadDevice(r, a)
	if !ok {
		return nil
	}
	d := s.deviceOf(r, a, known)
	v := &web.Device{
		Maker: d.GetMaker(), Model: d.GetModel(), Serial: d.GetSerial(), Owner: d.GetOwner(), State: d.GetState(),
		Firmware: strconv.FormatUint(d.GetFirmware().GetNumber(), 10), Version: d.GetFirmware().GetVersion(), Level: d.GetLevel(), Boot: d.GetBoot(),
		LastGoodAt: known.GetLastGoodAt(), AskedAt: known.GetNonce().GetAskedAt(), LastGood: d.GetLastGoodTransaction(),
		Hardware: d.GetHardware(), HardwareKey: d.GetHardwareKey(), Attester: d.GetAttester(), Faults: shownFaults(index.ReadKnownFaults(r, a)),
	}
	if maker, err := tx.ParseAddress(d.GetMaker()); err == nil {
		m, _ := index.ReadModel(r, maker, d.GetModel())
		v.Title = m.GetTitle()
	}
	for i, doubt := range d.GetDoubts() {
		v.Doubts = append(v.Doubts, web.Doubt{
			Since: known.GetDoubts()[i].GetSince(), Until: known.GetDoubts()[i].GetUntil(), Finding: doubt.GetFinding(), Reason: doubt.GetReason(),
			By: doubt.GetBy(), Found: doubt.GetFound(), Transaction: doubt.GetTransaction(),
		})
	}
	slices.Reverse(v.Doubts)
	return v
}

func (s *Server) recordsView(digest [32]byte, records []*apiv1.Record) web.Records {
	v := web.Records{Digest: hex.EncodeToString(digest[:])}
	for _, r := range records {
		recorder, _ := tx.ParseAddress(r.GetRecorder())
		shown := web.Record{
			Recorder: r.GetRecorder(), RecorderName: s.memberName(recorder), Title: r.GetTitle(), Name: r.GetName(),
			MediaType: r.GetMediaType(), Size: strconv.FormatUint(r.GetSize(), 10), State: r.GetState(),
			Transaction: r.GetTransaction(), SupersededBy: r.GetSupersededBy(), WithdrawReason: r.GetWithdrawReason(),
			RecordedAt: milliseconds(r.GetRecordedAt()), ChangedAt: milliseconds(r.GetChangedAt()),
		}
		for _, c := range r.GetCosignatures() {
			shown.Cosigners = append(shown.Cosigners, web.Cosigner{Account: c.GetAccount(), Time: milliseconds(c.GetSignedAt())})
		}
		v.Records = append(v.Records, shown)
	}
	return v
}

// milliseconds reads a timestamp back.
func milliseconds(timestamp string) int64 {
	ms, _ := parseTime("time", timestamp)
	return ms
}
