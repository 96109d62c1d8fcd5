package clienttest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/holiman/uint256"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// TimeFormat is RFC 3339 in UTC with milliseconds, as the API writes times.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Ledger is an in-memory ledger. Its nodes share it.
type Ledger struct {
	// ID is the network id.
	ID string
	// Genesis is what nodes give out as the genesis file.
	Genesis []byte

	mu     sync.Mutex
	now    func() time.Time
	height int64
	// blockTime is the time of the newest block.
	blockTime time.Time
	// indexLag is how many heights the index is behind.
	indexLag int64

	state
	once    map[string]string
	byID    map[string]*entry
	history []*entry
}

// state is what actions change; a failed transaction gets the copy made before it back.
type state struct {
	accounts map[string]*apiv1.Account
	assets   map[string]*apiv1.Asset
	balances map[[2]string]uint256.Int
	holds    map[string]*apiv1.Hold
	records  map[[2]string]*apiv1.Record
	order    []string // keys of accounts in order of opening
}

type entry struct {
	tx  *apiv1.Transaction
	raw []byte
}

// New starts a ledger whose clock is now. Its id is name and the first 16 bytes of the name's SHA-256.
func New(name string, now func() time.Time) *Ledger {
	genesis := []byte(`{"name":"` + name + `"}`)
	sum := sha256.Sum256(genesis)
	return &Ledger{
		ID: name + "-" + hex.EncodeToString(sum[:16]), Genesis: genesis, now: now, height: 1, blockTime: now(),
		state: state{
			accounts: map[string]*apiv1.Account{}, assets: map[string]*apiv1.Asset{}, balances: map[[2]string]uint256.Int{},
			holds: map[string]*apiv1.Hold{}, records: map[[2]string]*apiv1.Record{},
		},
		once: map[string]string{}, byID: map[string]*entry{},
	}
}

// Open puts the account of a key on the ledger, sponsored by itself.
func (l *Ledger) Open(keys ...tx.Key) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		l.openAccount(key.Address(), key)
	}
}

// Fund puts an asset on the ledger if it is not there yet and units of it on an account. The first account funded
// becomes the issuer.
func (l *Ledger) Fund(asset string, decimals uint32, account tx.Address, amount string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	units, err := tx.ParseAmount(amount)
	if err != nil {
		panic(err)
	}
	if l.assets[asset] == nil {
		l.assets[asset] = &apiv1.Asset{Asset: asset, Name: asset, Issuer: account.String(), Decimals: decimals, Supply: "0",
			CreatedAt: l.blockTime.UTC().Format(TimeFormat)}
	}
	if err := l.credit(asset, account.String(), units); err != nil {
		panic(err)
	}
	l.supply(asset, units, true)
}

// Balance of an account, in smallest units.
func (l *Ledger) Balance(asset string, account tx.Address) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return tx.FormatAmount(l.balances[[2]string{asset, account.String()}])
}

// Len is the number of transactions in the history.
func (l *Ledger) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.history)
}

// Heartbeat commits an empty block.
func (l *Ledger) Heartbeat() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nextBlock()
}

// SetIndexLag sets how many heights the index is behind.
func (l *Ledger) SetIndexLag(heights int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.indexLag = heights
}

func (l *Ledger) nextBlock() {
	l.height++
	if now := l.now(); now.After(l.blockTime) {
		l.blockTime = now
	}
}

// Submit executes transactions in one block.
func (l *Ledger) Submit(raws [][]byte, wait apiv1.Wait) []*apiv1.SubmitResult {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nextBlock()
	out := make([]*apiv1.SubmitResult, 0, len(raws))
	for _, raw := range raws {
		r := l.submit(raw)
		if wait == apiv1.Wait_WAIT_NONE {
			r.Outcome = nil
		}
		out = append(out, r)
	}
	return out
}

func (l *Ledger) submit(raw []byte) *apiv1.SubmitResult {
	t, err := tx.Decode(l.ID, raw, 64<<10)
	if err == nil {
		err = t.Verify()
	}
	if err != nil {
		return refuse("", err)
	}
	id := hex.EncodeToString(t.ID[:])
	if known := l.byID[id]; known != nil {
		return &apiv1.SubmitResult{Id: id, Outcome: known.tx.Outcome}
	}
	notAfter := time.UnixMilli(t.Body.NotAfter)
	longest := 2 * time.Minute
	if len(t.Body.Once) > 0 {
		longest = 30 * 24 * time.Hour
	}
	switch {
	case l.blockTime.After(notAfter):
		return refuse(id, fault.New("tx.expired", "The transaction's time is over."))
	case notAfter.Sub(l.blockTime) > longest:
		return refuse(id, fault.New("tx.too_far_ahead", "The transaction is valid too far ahead."))
	}
	outcome := &apiv1.Outcome{Id: id, Height: l.height, Time: l.blockTime.UTC().Format(TimeFormat), Status: "ok"}
	if err := l.authorise(t); err != nil {
		return &apiv1.SubmitResult{Id: id, Outcome: refusedOutcome(outcome, "void", err)}
	}
	if err := l.useOnce(t, id); err != nil {
		return &apiv1.SubmitResult{Id: id, Outcome: refusedOutcome(outcome, "void", err)}
	}
	before := l.state.clone()
	for i, action := range t.Body.Actions {
		events, err := l.run(action, t, outcome)
		if err != nil {
			l.state = before
			outcome.Events, outcome.Action = nil, uint32(i)
			refusedOutcome(outcome, "failed", err)
			break
		}
		for _, e := range events {
			e.Action = uint32(i)
		}
		outcome.Events = append(outcome.Events, events...)
	}
	outcome.Seq = uint64(len(l.history))
	e := &entry{tx: describe(t, outcome), raw: raw}
	l.byID[id], l.history = e, append(l.history, e)
	return &apiv1.SubmitResult{Id: id, Outcome: outcome}
}

// authorise wants for each actor a witness whose key may act for it.
func (l *Ledger) authorise(t *tx.Tx) error {
	for _, action := range t.Body.Actions {
		actor := tx.Address(action.Actor).String()
		account := l.accounts[actor]
		if account == nil {
			return fault.New("account.unknown", "Account "+actor+" is not open on this ledger.", "account", actor)
		}
		allowed := false
		for _, key := range t.Keys() {
			allowed = allowed || key.Address().String() == account.Key
		}
		if !allowed {
			return fault.New("account.not_authorised", "No witness may act for account "+actor+".", "account", actor)
		}
	}
	return nil
}

func (l *Ledger) useOnce(t *tx.Tx, id string) error {
	if len(t.Body.Once) == 0 {
		return nil
	}
	sum := sha256.Sum256(append(append([]byte("dure/once/v1\n"), t.Body.Actions[0].Actor...), t.Body.Once...))
	key := "X" + string(sum[:])
	if first, used := l.once[key]; used {
		return fault.New("tx.once_used", "The once key was used by an earlier transaction.", "tx", first)
	}
	l.once[key] = id
	return nil
}

func refuse(id string, err error) *apiv1.SubmitResult {
	f := fault.As(err)
	fields := map[string]string{}
	for _, field := range f.Fields {
		fields[field.Name] = field.Value
	}
	return &apiv1.SubmitResult{Id: id, Error: &apiv1.Error{Code: f.Code, Message: f.Message, Fields: fields}}
}

func refusedOutcome(o *apiv1.Outcome, status string, err error) *apiv1.Outcome {
	e := refuse("", err).Error
	o.Status, o.Code, o.Message, o.Fields = status, e.Code, e.Message, e.Fields
	return o
}

func (s state) clone() state {
	return state{
		accounts: cloneMap(s.accounts), assets: cloneMap(s.assets), balances: maps.Clone(s.balances),
		holds: cloneMap(s.holds), records: cloneMap(s.records), order: s.order,
	}
}

func describe(t *tx.Tx, outcome *apiv1.Outcome) *apiv1.Transaction {
	out := &apiv1.Transaction{
		Id: outcome.Id, NotAfter: time.UnixMilli(t.Body.NotAfter).UTC().Format(TimeFormat), Once: hex.EncodeToString(t.Body.Once), Outcome: outcome,
	}
	for _, action := range t.Body.Actions {
		call, arguments := describeCall(action)
		out.Actions = append(out.Actions, &apiv1.Action{Actor: tx.Address(action.Actor).String(), Call: call, Arguments: arguments})
	}
	for _, key := range t.Keys() {
		out.Witnesses = append(out.Witnesses, &apiv1.Witness{
			Kind: tx.KindName(key.Kind), PublicKey: hex.EncodeToString(key.Public), Key: key.Address().String()})
	}
	return out
}

// run executes one action.
func (l *Ledger) run(action *txv1.Action, t *tx.Tx, at *apiv1.Outcome) ([]*apiv1.Event, error) {
	actor := tx.Address(action.Actor).String()
	if l.accounts[actor].Frozen {
		return nil, fault.New("account.frozen", "Account "+actor+" is frozen.", "account", actor)
	}
	switch call := action.Call.(type) {
	case *txv1.Action_AccountOpen, *txv1.Action_AccountRotateKey, *txv1.Action_AccountFreeze, *txv1.Action_AccountUnfreeze:
		return l.runAccount(actor, action, t)
	case *txv1.Action_AccountAppeal, *txv1.Action_AccountAnswer, *txv1.Action_AccountSetRecovery, *txv1.Action_AccountRecover, *txv1.Action_AccountAgreeRecovery,
		*txv1.Action_AccountObjectRecovery, *txv1.Action_AccountFinishRecovery, *txv1.Action_AccountSetSponsor:
		return nil, fault.New("tx.unsupported", fmt.Sprintf("This ledger knows nothing of %T.", call))
	case *txv1.Action_RecordAdd, *txv1.Action_RecordCosign, *txv1.Action_RecordSupersede, *txv1.Action_RecordWithdraw:
		return nil, l.runRecord(actor, action, at)
	case *txv1.Action_NetworkPropose, *txv1.Action_NetworkVote:
		return nil, fault.New("network.not_member", fmt.Sprintf("%T needs a member.", call))
	default:
		return l.runAsset(actor, action, at)
	}
}
