package id

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/services/id/passkey"
)

// Ledger is what the provider needs of the ledger.
type Ledger interface {
	// Rules are the relying party id and origins that the network takes passkeys of.
	Rules(ctx context.Context) (rpID string, origins []string, err error)
	// Account looks an account up; ErrNoAccount if there is none.
	Account(ctx context.Context, address [20]byte) (Account, error)
	// Recover is the transaction by which the member begins to recover an account to a new passkey: signed by the member, not yet by the
	// passkey, which has to sign as well, at one of the network's origins. It is good for RecoverWithin.
	Recover(ctx context.Context, account [20]byte, key passkey.Public) ([]byte, error)
	// Finish lets the new key, given by its address, act; ErrTooEarly if the account may still object.
	Finish(ctx context.Context, account, key [20]byte) error
	// Open opens the account of a passkey, sponsored by the member; ErrOpen if it was open before.
	Open(ctx context.Context, key passkey.Public) error
	Services
	Receipts
}

// RecoverWithin is how long a person has to sign a recovery with the new passkey.
const RecoverWithin = 15 * time.Minute

var (
	// ErrNoAccount means that the ledger has no such account.
	ErrNoAccount = errors.New("id: there is no such account")
	// ErrOpen means that the key has an account already, or acts for one. Making a passkey proves nothing of its key, so this is never
	// somebody coming back: they sign in.
	ErrOpen = errors.New("id: the key has an account")
	// ErrTooEarly means that the account may still object to its recovery.
	ErrTooEarly = errors.New("id: the account may still object")
	// ErrAppealed means that a frozen account has appealed, and its sponsor has to answer before it recovers the account.
	ErrAppealed = errors.New("id: the account has appealed against its freeze")
)

// Node is a ledger behind a member's node.
type Node struct {
	Client *client.Client
	// Member is the address of the member's account, which sponsors the people it registers.
	Member [20]byte
	// Do makes a transaction happen, signed by the member's key: client.Do with its signer.
	Do func(context.Context, *client.Draft) (*apiv1.Outcome, error)
	// Sign signs one with the member's key: client.Sign with its signer.
	Sign func(*client.Draft) (*client.Signed, error)
}

// Rules asks for the network's parameters.
func (n Node) Rules(ctx context.Context) (string, []string, error) {
	info, err := n.Client.NetworkInfo(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("id: %w", err)
	}
	fields := info.GetParameters().GetFields()
	var origins []string
	for _, o := range fields["origins"].GetListValue().GetValues() {
		origins = append(origins, o.GetStringValue())
	}
	return fields["rp_id"].GetStringValue(), origins, nil
}

// Account asks the node.
func (n Node) Account(ctx context.Context, address [20]byte) (Account, error) {
	found, err := n.Client.AccountDetails(ctx, address)
	if errors.Is(err, client.ErrNotFound) {
		return Account{}, ErrNoAccount
	}
	if err != nil {
		return Account{}, fmt.Errorf("id: %w", err)
	}
	a, rules := found.GetAccount(), found.GetRecovery().GetRules()
	out := Account{
		Address: a.GetAddress(), Keys: []Key{{a.GetKey(), a.GetKeyKind(), 1}}, Takes: 1, Frozen: a.GetFrozen(), Locked: a.GetLockedAt() != "",
		Ours: rules.GetSponsor() && strings.EqualFold(a.GetSponsor(), "0x"+hex.EncodeToString(n.Member[:])), Wait: time.Duration(rules.GetWaitMs()) * time.Millisecond,
	}
	if rule := a.GetRule(); rule != nil {
		out.Keys, out.Takes = nil, rule.GetOther()
		for _, k := range rule.GetKeys() {
			out.Keys = append(out.Keys, Key{k.GetKey(), k.GetKind(), k.GetWeight()})
		}
	}
	if q := found.GetRecovery().GetRequest(); q != nil {
		out.Recovery = &Recovery{Key: q.GetKey(), ReadyAt: unixMilli(q.GetReadyAt()), LapsesAt: unixMilli(q.GetLapsesAt())}
	}
	return out, nil
}

// unixMilli reads a time as nodes say it; 0 for none.
func unixMilli(text string) int64 {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return at.UnixMilli()
}

// Open sends account.open and waits for its outcome.
func (n Node) Open(ctx context.Context, key passkey.Public) error {
	return n.do(ctx, &txv1.Action{Actor: n.Member[:], Call: &txv1.Action_AccountOpen{
		AccountOpen: &accountv1.Open{Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, PublicKey: key[:]}}},
		map[string]error{"account.exists": ErrOpen, "account.key_in_use": ErrOpen})
}

// Recover signs account.recover. A once key lets it be good for longer than a minute.
func (n Node) Recover(ctx context.Context, account [20]byte, key passkey.Public) ([]byte, error) {
	network, err := n.Client.Network(ctx)
	if err != nil {
		return nil, fmt.Errorf("id: %w", err)
	}
	var once [32]byte
	rand.Read(once[:])
	signed, err := n.Sign(client.NewTransaction(network).Valid(RecoverWithin).Once(once).Append(&txv1.Action{Actor: n.Member[:], Call: &txv1.Action_AccountRecover{
		AccountRecover: &accountv1.Recover{Account: account[:], Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, PublicKey: key[:]}}}))
	if err != nil {
		return nil, fmt.Errorf("id: beginning the recovery: %w", err)
	}
	return signed.Raw, nil
}

// Finish sends account.finish_recovery and waits for its outcome. That another has finished it meanwhile is as good.
func (n Node) Finish(ctx context.Context, account, key [20]byte) error {
	return n.do(ctx, &txv1.Action{Actor: n.Member[:], Call: &txv1.Action_AccountFinishRecovery{
		AccountFinishRecovery: &accountv1.FinishRecovery{Account: account[:], Key: key[:]}}},
		map[string]error{"account.too_early": ErrTooEarly, "account.too_few_agreed": ErrTooEarly, "account.appeal_open": ErrAppealed, "account.no_recovery": nil})
}

// do has the member act, and says what of the ledger's refusals by its codes.
func (n Node) do(ctx context.Context, action *txv1.Action, refusals map[string]error) error {
	network, err := n.Client.Network(ctx)
	if err != nil {
		return fmt.Errorf("id: %w", err)
	}
	outcome, err := n.Do(ctx, client.NewTransaction(network).Append(action))
	if err == nil {
		err = client.Check(outcome)
	}
	var refused *client.Refusal
	if errors.As(err, &refused) {
		if known, ok := refusals[refused.Code]; ok {
			return known
		}
	}
	if err != nil {
		return fmt.Errorf("id: the member's transaction: %w", err)
	}
	return nil
}
