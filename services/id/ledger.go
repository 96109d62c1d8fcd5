package id

import (
	"context"
	"errors"
	"fmt"

	"github.com/dureledger/dure/client"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/services/id/passkey"
)

// Account is what the ledger says of a person's account.
type Account struct {
	// Address and Key are as the ledger shows them: 0x and 40 hex digits. Key is the address of the key that acts.
	Address, Key string
	// Passkey: the key that acts is a passkey.
	Passkey bool
	Frozen  bool
}

// Ledger is what the provider needs of the ledger.
type Ledger interface {
	// Rules are the relying party id and origins that the network takes passkeys of.
	Rules(ctx context.Context) (rpID string, origins []string, err error)
	// Account looks an account up; ErrNoAccount if there is none.
	Account(ctx context.Context, address [20]byte) (Account, error)
	// Open opens the account of a passkey, sponsored by the member; ErrOpen if it was open before.
	Open(ctx context.Context, key passkey.Public) error
	Services
	Receipts
}

var (
	// ErrNoAccount means that the ledger has no such account.
	ErrNoAccount = errors.New("id: there is no such account")
	// ErrOpen means that the key has an account already, or acts for one. Making a passkey proves nothing of its key, so this is never
	// somebody coming back: they sign in.
	ErrOpen = errors.New("id: the key has an account")
)

// Node is a ledger behind a member's node.
type Node struct {
	Client *client.Client
	// Member is the address of the member's account, which sponsors the people it registers.
	Member [20]byte
	// Do makes a transaction happen, signed by the member's key: client.Do with its signer.
	Do func(context.Context, *client.Draft) (*apiv1.Outcome, error)
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
	a, err := n.Client.Account(ctx, address)
	if errors.Is(err, client.ErrNotFound) {
		return Account{}, ErrNoAccount
	}
	if err != nil {
		return Account{}, fmt.Errorf("id: %w", err)
	}
	return Account{Address: a.GetAddress(), Key: a.GetKey(), Passkey: a.GetKeyKind() == "webauthn", Frozen: a.GetFrozen()}, nil
}

// Open sends account.open and waits for its outcome.
func (n Node) Open(ctx context.Context, key passkey.Public) error {
	network, err := n.Client.Network(ctx)
	if err != nil {
		return fmt.Errorf("id: %w", err)
	}
	draft := client.NewTransaction(network).Append(&txv1.Action{Actor: n.Member[:], Call: &txv1.Action_AccountOpen{
		AccountOpen: &accountv1.Open{Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, PublicKey: key[:]}}})
	outcome, err := n.Do(ctx, draft)
	if err == nil {
		err = client.Check(outcome)
	}
	var refused *client.Refusal
	if errors.As(err, &refused) && (refused.Code == "account.exists" || refused.Code == "account.key_in_use") {
		return ErrOpen
	}
	if err != nil {
		return fmt.Errorf("id: opening the account: %w", err)
	}
	return nil
}
