package api

import (
	"context"
	"encoding/hex"
	"slices"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// find is a transaction that concerns the account. That one exists which does not is told, for whoever knows an id must not
// conclude that it was never committed, and ids cannot be guessed. Codes tx.unknown, access.not_yours.
func (a *asker) find(text string) (whole bool, err error) {
	id, err := parseHash("id", text)
	if err != nil {
		return false, err
	}
	e, err := a.s.find(id)
	if err != nil {
		return false, err
	}
	named, whole := a.concerns(e)
	if !named {
		return false, notYours(a, "the transaction "+idText(id))
	}
	return whole, nil
}

func ownTransaction(_ context.Context, a *asker, m *apiv1.GetTransactionRequest) error {
	_, err := a.find(m.GetId())
	return err
}

// ownReceipt refuses receipts of anchors to devices: a receipt has the transaction whole.
func ownReceipt(_ context.Context, a *asker, m *apiv1.GetReceiptRequest) error {
	whole, err := a.find(m.GetId())
	if err == nil && !whole {
		return notYours(a, "all that this transaction carries: StreamService.GetReading proves each reading by itself; the whole")
	}
	return err
}

func ownTransactions(_ context.Context, a *asker, m *apiv1.ListTransactionsRequest) error {
	return a.narrow("account", &m.Account)
}

func ownWatch(_ context.Context, a *asker, m *apiv1.WatchTransactionsRequest) error {
	return a.narrow("account", &m.Account)
}

func showTransaction(a *asker, m *apiv1.GetTransactionResponse) error {
	if a.redact(m.GetTransaction()) {
		m.Raw = nil
	}
	return nil
}

func showTransactions(a *asker, m *apiv1.ListTransactionsResponse) error {
	for _, t := range m.GetTransactions() {
		a.redact(t)
	}
	return nil
}

func showWatched(a *asker, m *apiv1.WatchTransactionsResponse) error {
	a.redact(m.GetTransaction())
	return nil
}

// redact takes other devices' readings out of a transaction that others anchored, and says whether there were any.
func (a *asker) redact(t *apiv1.Transaction) bool {
	me, cut := a.account.String(), false
	for i, action := range t.GetActions() {
		if action.GetCall() != "stream.anchor" || action.GetActor() == me {
			continue
		}
		cut, action.Arguments = true, nil
		o := t.GetOutcome()
		o.Events = slices.DeleteFunc(o.GetEvents(), func(ev *apiv1.Event) bool {
			return int(ev.GetAction()) == i && ev.GetName() == "stream.reported" && ev.GetFields().GetFields()["device"].GetStringValue() != me
		})
	}
	return cut
}

// oncePrefix begins the state keys of once keys (docs/state.md).
const oncePrefix = 'X'

// ownProof lets pass raw keys of the state of one sort: once keys. A proof has the hashes of the leaves beside its own, and who can guess
// what such a leaf says, a balance say, sees from its hash whether he is right (decision 101). Among once keys nobody can: they are digests with
// the ids of transactions.
func ownProof(_ context.Context, a *asker, m *apiv1.GetStateProofRequest) error {
	if k := m.GetKey(); len(k) != 1+32 || k[0] != oncePrefix {
		return notYours(a, "a proof of this part of the state")
	}
	return nil
}

// showProof shows proofs of once keys that a transaction used which concerns the account, and none of absence: that would show the keys
// and values on both sides.
func showProof(a *asker, m *apiv1.GetStateProofResponse) error {
	if m.GetExists() {
		if _, err := a.find(hex.EncodeToString(m.GetValue())); err == nil {
			return nil
		}
	}
	return notYours(a, "this once key")
}
