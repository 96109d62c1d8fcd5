package clienttest

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/holiman/uint256"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

func (l *Ledger) openAccount(sponsor tx.Address, key tx.Key) string {
	address := key.Address().String()
	l.accounts[address] = &apiv1.Account{Address: address, Sponsor: sponsor.String(), Key: address, KeyKind: tx.KindName(key.Kind),
		OpenedAt: l.blockTime.UTC().Format(TimeFormat)}
	l.order = append(l.order, address)
	return address
}

func (l *Ledger) runAccount(actor string, action *txv1.Action, t *tx.Tx) ([]*apiv1.Event, error) {
	switch call := action.Call.(type) {
	case *txv1.Action_AccountOpen:
		key := tx.Key{Kind: call.AccountOpen.Kind, Public: call.AccountOpen.PublicKey}
		if err := tx.CheckKey(key); err != nil {
			return nil, err
		}
		if l.accounts[key.Address().String()] != nil {
			return nil, fault.New("account.exists", "The account is open already.")
		}
		opened := l.openAccount(tx.Address(action.Actor), key)
		return []*apiv1.Event{event("account.opened", "account", opened, "sponsor", actor)}, nil
	case *txv1.Action_AccountRotateKey:
		key := tx.Key{Kind: call.AccountRotateKey.Kind, Public: call.AccountRotateKey.PublicKey}
		for _, witness := range t.Keys() {
			if witness.Equal(key) {
				l.accounts[actor].Key, l.accounts[actor].KeyKind = key.Address().String(), tx.KindName(key.Kind)
				return nil, nil
			}
		}
		return nil, fault.New("account.not_authorised", "The new key must sign too.")
	case *txv1.Action_AccountFreeze:
		return nil, l.setFrozen(actor, tx.Address(call.AccountFreeze.Account).String(), call.AccountFreeze.EndsAt, call.AccountFreeze.Reason)
	default:
		return nil, l.setFrozen(actor, tx.Address(action.GetAccountUnfreeze().Account).String(), 0, "")
	}
}

// setFrozen freezes an account until a time in unix milliseconds, which this ledger does not watch; 0 unfreezes it.
func (l *Ledger) setFrozen(actor, address string, until int64, reason string) error {
	account := l.accounts[address]
	if account == nil || account.Sponsor != actor {
		return fault.New("account.not_sponsor", "Only the sponsor may freeze or unfreeze an account.")
	}
	account.Frozen, account.FreezeReason, account.FrozenUntil = until != 0, reason, ""
	if account.Frozen {
		account.FrozenUntil = time.UnixMilli(until).UTC().Format(TimeFormat)
	}
	return nil
}

func (l *Ledger) runAsset(actor string, action *txv1.Action, at *apiv1.Outcome) ([]*apiv1.Event, error) {
	switch call := action.Call.(type) {
	case *txv1.Action_AssetCreate:
		a := call.AssetCreate
		if l.assets[a.Asset] != nil {
			return nil, fault.New("asset.exists", "There is an asset "+a.Asset+" already.", "asset", a.Asset)
		}
		l.assets[a.Asset] = &apiv1.Asset{Asset: a.Asset, Issuer: actor, Name: a.Name, Decimals: a.Decimals, Cap: a.Cap, Supply: "0", CreatedAt: at.Time}
		return []*apiv1.Event{event("asset.created", "asset", a.Asset, "issuer", actor)}, nil
	case *txv1.Action_AssetPause:
		return nil, l.setPaused(actor, call.AssetPause.Asset, true)
	case *txv1.Action_AssetUnpause:
		return nil, l.setPaused(actor, call.AssetUnpause.Asset, false)
	case *txv1.Action_AssetIssue:
		return l.move(call.AssetIssue.Asset, "", tx.Address(call.AssetIssue.To).String(), call.AssetIssue.Amount)
	case *txv1.Action_AssetTransfer:
		return l.move(call.AssetTransfer.Asset, actor, tx.Address(call.AssetTransfer.To).String(), call.AssetTransfer.Amount)
	case *txv1.Action_AssetRedeem:
		return l.move(call.AssetRedeem.Asset, actor, "", call.AssetRedeem.Amount)
	case *txv1.Action_AssetHold:
		return l.hold(actor, action, at)
	case *txv1.Action_AssetRelease:
		return l.release(call.AssetRelease.Hold, call.AssetRelease.Pay)
	}
	return nil, fault.New("tx.unsupported", "The action is not known here.")
}

func (l *Ledger) setPaused(actor, asset string, paused bool) error {
	a := l.assets[asset]
	if a == nil || a.Issuer != actor {
		return fault.New("asset.not_issuer", "Only the issuer may pause an asset.")
	}
	a.Paused = paused
	return nil
}

// move takes from an account ("" means issued) and gives to one ("" means redeemed).
func (l *Ledger) move(asset, from, to, amount string) ([]*apiv1.Event, error) {
	units, err := tx.ParseAmount(amount)
	if err != nil {
		return nil, err
	}
	switch a := l.assets[asset]; {
	case a == nil:
		return nil, fault.New("asset.unknown", "There is no asset "+asset+".", "asset", asset)
	case a.Paused:
		return nil, fault.New("asset.paused", "The asset is paused.", "asset", asset)
	}
	if from == "" {
		l.supply(asset, units, true)
	} else if err := l.debit(asset, from, units); err != nil {
		return nil, err
	}
	if to == "" {
		l.supply(asset, units, false)
	} else if err := l.credit(asset, to, units); err != nil {
		return nil, err
	}
	return []*apiv1.Event{event("asset.moved", "asset", asset, "from", from, "to", to, "amount", amount)}, nil
}

func (l *Ledger) supply(asset string, units uint256.Int, more bool) {
	supply, _ := tx.ParseAmount(l.assets[asset].Supply)
	if more {
		supply.Add(&supply, &units)
	} else {
		supply.Sub(&supply, &units)
	}
	l.assets[asset].Supply = tx.FormatAmount(supply)
}

func (l *Ledger) credit(asset, account string, units uint256.Int) error {
	if l.accounts[account] == nil {
		return fault.New("asset.unknown_receiver", "Account "+account+" is not open on this ledger.", "account", account)
	}
	key := [2]string{asset, account}
	have := l.balances[key]
	have.Add(&have, &units)
	l.balances[key] = have
	return nil
}

func (l *Ledger) debit(asset, account string, units uint256.Int) error {
	key := [2]string{asset, account}
	have := l.balances[key]
	if have.Lt(&units) {
		return fault.New("asset.insufficient_balance", "The account has "+tx.FormatAmount(have)+" "+asset+".", "balance", tx.FormatAmount(have))
	}
	have.Sub(&have, &units)
	l.balances[key] = have
	return nil
}

func (l *Ledger) hold(actor string, action *txv1.Action, at *apiv1.Outcome) ([]*apiv1.Event, error) {
	h := action.GetAssetHold()
	units, err := tx.ParseAmount(h.Amount)
	if err != nil {
		return nil, err
	}
	if err := l.debit(h.Asset, actor, units); err != nil {
		return nil, err
	}
	arbiter := actor
	if len(h.Arbiter) > 0 {
		arbiter = tx.Address(h.Arbiter).String()
	}
	id := at.Id[:32]
	l.holds[id] = &apiv1.Hold{Hold: id, Asset: h.Asset, Amount: h.Amount, Payer: actor, Payee: tx.Address(h.Payee).String(), Arbiter: arbiter,
		ExpiresAt: time.UnixMilli(h.ExpiresAt).UTC().Format(TimeFormat), Memo: h.Memo, Reference: h.Reference}
	return []*apiv1.Event{event("asset.held", "hold", id, "asset", h.Asset, "amount", h.Amount)}, nil
}

func (l *Ledger) release(id []byte, pay string) ([]*apiv1.Event, error) {
	h := l.holds[hex.EncodeToString(id)]
	if h == nil {
		return nil, fault.New("hold.unknown", "There is no such hold.")
	}
	paid, err := tx.ParseAmount(pay)
	held, _ := tx.ParseAmount(h.Amount)
	if err != nil || held.Lt(&paid) {
		return nil, fault.New("hold.too_much", "More than is held.")
	}
	var rest uint256.Int
	rest.Sub(&held, &paid)
	if err := l.credit(h.Asset, h.Payee, paid); err != nil {
		return nil, err
	}
	delete(l.holds, h.Hold)
	return []*apiv1.Event{event("asset.released", "hold", h.Hold, "paid", pay, "returned", tx.FormatAmount(rest))}, l.credit(h.Asset, h.Payer, rest)
}

func (l *Ledger) runRecord(actor string, action *txv1.Action, at *apiv1.Outcome) error {
	switch call := action.Call.(type) {
	case *txv1.Action_RecordAdd:
		return l.addRecord(actor, call.RecordAdd, "", at)
	case *txv1.Action_RecordCosign:
		r := l.records[[2]string{hex.EncodeToString(call.RecordCosign.Digest), tx.Address(call.RecordCosign.Recorder).String()}]
		if r == nil {
			return fault.New("record.unknown", "There is no such record.")
		}
		r.Cosignatures = append(r.Cosignatures, &apiv1.Cosignature{Account: actor, SignedAt: at.Time})
		return nil
	case *txv1.Action_RecordSupersede:
		old := hex.EncodeToString(call.RecordSupersede.OldDigest)
		r := l.records[[2]string{old, actor}]
		if r == nil {
			return fault.New("record.unknown", "There is no such record.")
		}
		r.State, r.SupersededBy, r.ChangedAt = "superseded", hex.EncodeToString(call.RecordSupersede.New.Digest), at.Time
		return l.addRecord(actor, call.RecordSupersede.New, old, at)
	}
	withdraw := action.GetRecordWithdraw()
	r := l.records[[2]string{hex.EncodeToString(withdraw.Digest), actor}]
	if r == nil {
		return fault.New("record.unknown", "There is no such record.")
	}
	r.State, r.WithdrawReason, r.ChangedAt = "withdrawn", withdraw.Reason, at.Time
	return nil
}

func (l *Ledger) addRecord(actor string, add *recordv1.Add, supersedes string, at *apiv1.Outcome) error {
	digest := hex.EncodeToString(add.Digest)
	key := [2]string{digest, actor}
	if l.records[key] != nil {
		return fault.New("record.exists", "You recorded this document before.", "digest", digest)
	}
	l.records[key] = &apiv1.Record{Digest: digest, Recorder: actor, Size: add.Size, MediaType: add.MediaType, Title: add.Title, Name: add.Name,
		RecordedAt: at.Time, Transaction: at.Id, State: "active", Supersedes: supersedes}
	return nil
}

func event(name string, kv ...any) *apiv1.Event {
	fields := map[string]any{}
	for i := 0; i+1 < len(kv); i += 2 {
		fields[fmt.Sprint(kv[i])] = kv[i+1]
	}
	s, err := structpb.NewStruct(fields)
	if err != nil {
		panic(err)
	}
	return &apiv1.Event{Name: name, Fields: s}
}

// describeCall gives the name and the arguments of an action: 20 bytes as addresses, other bytes in hex.
func describeCall(action *txv1.Action) (string, *structpb.Struct) {
	m := action.ProtoReflect()
	field := m.WhichOneof(m.Descriptor().Oneofs().ByName("call"))
	name := strings.Replace(string(field.Name()), "_", ".", 1)
	return name, arguments(m.Get(field).Message())
}

func arguments(m protoreflect.Message) *structpb.Struct {
	out := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Kind() == protoreflect.BytesKind && len(v.Bytes()) == 20:
			out.Fields[string(f.Name())] = structpb.NewStringValue(tx.Address(v.Bytes()).String())
		case f.Kind() == protoreflect.BytesKind:
			out.Fields[string(f.Name())] = structpb.NewStringValue(hex.EncodeToString(v.Bytes()))
		case f.Kind() == protoreflect.MessageKind && !f.IsList():
			out.Fields[string(f.Name())] = structpb.NewStructValue(arguments(v.Message()))
		default:
			out.Fields[string(f.Name())] = structpb.NewStringValue(v.String())
		}
		return true
	})
	return out
}

func cloneMap[K comparable, M proto.Message](m map[K]M) map[K]M {
	out := maps.Clone(m)
	for k, v := range out {
		out[k] = proto.CloneOf(v)
	}
	return out
}
