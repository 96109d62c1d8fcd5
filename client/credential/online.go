package credential

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// maxHistory is how many transactions of an account are looked through for its changes of key.
const maxHistory = 20_000

// online asks nodes.
type online struct{ c *client.Client }

// Online answers by asking nodes. Their word is taken for it: Evidence has proofs.
func Online(c *client.Client) Ledger { return online{c} }

func (o online) Network(ctx context.Context) (string, error) { return o.c.Network(ctx) }

func (o online) Grounds() string { return "the word of the node that was asked" }

func (o online) Key(ctx context.Context, account, key tx.Address, at time.Time) (Standing, error) {
	a, err := o.c.Account(ctx, account)
	if errors.Is(err, client.ErrNotFound) {
		return Standing{}, unknownIssuer(account)
	}
	if err != nil {
		return Standing{}, err
	}
	if err := checkAccount(account, a.GetKey() != "", a.GetFrozen()); err != nil {
		return Standing{}, err
	}
	if a.GetKey() == key.String() {
		return Standing{}, nil
	}
	changes, err := o.keyChanges(ctx, account)
	if err != nil {
		return Standing{}, err
	}
	return changes.standing(account, key, at)
}

func (o online) keyChanges(ctx context.Context, account tx.Address) (keyChanges, error) {
	var out keyChanges
	seen := 0
	for t, err := range o.c.Transactions(ctx, &apiv1.ListTransactionsRequest{Account: account.String(), Status: client.StatusOK}) {
		if err != nil {
			return nil, err
		}
		if seen++; seen > maxHistory {
			return nil, fault.New("credential.wrong_issuer_key", fmt.Sprintf("The key that signed does not act for the issuer today, and in its last %d transactions is not when it did. "+
				"Ask the issuer for a new credential.", maxHistory))
		}
		for _, e := range slices.Backward(t.GetOutcome().GetEvents()) {
			fields := e.GetFields().GetFields()
			if e.GetName() != "account.key_rotated" || fields["account"].GetStringValue() != account.String() {
				continue
			}
			at, err := readTime(t.GetOutcome().GetTime())
			if err != nil {
				return nil, err
			}
			out = append(out, keyChange{at, fields["key"].GetStringValue(), t.GetId()})
		}
	}
	return out, nil
}

func (o online) Right(ctx context.Context, issuer tx.Address, schema string, at, now time.Time) (Right, error) {
	return judge(func(holder tx.Address) (*record, error) {
		for r, err := range o.c.RightsOf(ctx, holder) {
			if err != nil {
				return nil, err
			}
			if r.GetSchema() != schema {
				continue
			}
			out, err := readRight(r)
			if err != nil {
				return nil, err
			}
			return out, o.dismissed(ctx, holder, out)
		}
		return nil, nil
	}, issuer, schema, at, now)
}

// readRight reads a right as the API says it.
func readRight(r *apiv1.Right) (*record, error) {
	out := &record{reason: r.GetReason(), depth: r.GetDepth()}
	var err error
	if r.GetGiver() != "" {
		if out.giver, err = tx.ParseAddress(r.GetGiver()); err != nil {
			return nil, err
		}
	}
	for _, t := range []struct {
		text string
		to   *time.Time
	}{{r.GetSince(), &out.since}, {r.GetEndsAt(), &out.ends}, {r.GetRevokedAt(), &out.revoked}} {
		if *t.to, err = readTime(t.text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// readTime reads a time as the API writes it; "" is the zero time.
func readTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("credential: a time of the ledger: %w", err)
	}
	return t, nil
}

// dismissed ends a right with its holder's being an organisation. Of a member the ledger knows only that it is one now.
func (o online) dismissed(ctx context.Context, holder tx.Address, r *record) error {
	org, err := o.c.Organisation(ctx, holder)
	if errors.Is(err, client.ErrNotFound) {
		r.end(r.since, noOrganisation)
		return nil
	}
	if err != nil {
		return err
	}
	since, err := readTime(org.GetSince())
	if err != nil {
		return err
	}
	dismissed, err := readTime(org.GetDismissedAt())
	if err != nil {
		return err
	}
	r.while(since, dismissed, org.GetDismissReason())
	return nil
}

// Status looks the entry up in the whole list, so that the node does not learn which credential is verified.
func (o online) Status(ctx context.Context, issuer tx.Address, list, index uint32) (int, error) {
	l, _, err := o.c.StatusList(ctx, issuer, list)
	if errors.Is(err, client.ErrNotFound) {
		return 0, noList(issuer, list)
	}
	if err != nil {
		return 0, err
	}
	status, ok := l.Get(index)
	if !ok {
		return 0, outOfRange(index, l.Len())
	}
	return int(status), nil
}

func noList(issuer tx.Address, list uint32) error {
	return fault.New("credential.bad_status_list", fmt.Sprintf("The issuer %s has no status list %d on the ledger, so whether the credential was revoked cannot be told. It is refused.", issuer, list),
		"issuer", issuer, "list", list)
}

func outOfRange(index, size uint32) error {
	return fault.New("credential.status_out_of_range", fmt.Sprintf("The credential has entry %d of a status list of %d. Whether it was revoked cannot be told, so it is refused. Ask the issuer for a "+
		"new one.", index, size), "index", index, "size", size)
}
