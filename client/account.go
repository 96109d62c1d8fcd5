package client

import (
	"context"
	"iter"
	"time"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// OpenAccount opens the account of a key, vouched for by the sponsor, a member.
func (d *Draft) OpenAccount(sponsor tx.Address, key tx.Key) *Draft {
	return d.Append(&txv1.Action{Actor: sponsor[:], Call: &txv1.Action_AccountOpen{
		AccountOpen: &accountv1.Open{Kind: key.Kind, PublicKey: key.Public}}})
}

// RotateKey replaces the key that acts for an account. The new key must sign too.
func (d *Draft) RotateKey(account tx.Address, key tx.Key) *Draft {
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountRotateKey{
		AccountRotateKey: &accountv1.RotateKey{Kind: key.Kind, PublicKey: key.Public}}})
}

// Freezing says on what ground an account is stopped, and until when.
type Freezing struct {
	Basis accountv1.Basis
	// Reason for people, at most 256 bytes. It is public.
	Reason string
	// Digest is SHA-256 of the order or other paper; nil if there is none. Orders of courts and authorities need it.
	Digest []byte
	// Until is when the freeze lifts by itself, at most 366 days from now.
	Until time.Time
	// Renew says that the account is frozen, and that this takes the place of the freeze before.
	Renew bool
}

// Freeze stops an account from acting. The actor is its sponsor.
func (d *Draft) Freeze(sponsor, account tx.Address, f Freezing) *Draft {
	return d.Append(&txv1.Action{Actor: sponsor[:], Call: &txv1.Action_AccountFreeze{AccountFreeze: &accountv1.Freeze{
		Account: account[:], Basis: f.Basis, Reason: f.Reason, Digest: f.Digest, EndsAt: f.Until.UnixMilli(), Renew: f.Renew}}})
}

// Unfreeze lets a frozen account act again.
func (d *Draft) Unfreeze(sponsor, account tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: sponsor[:], Call: &txv1.Action_AccountUnfreeze{
		AccountUnfreeze: &accountv1.Unfreeze{Account: account[:]}}})
}

// Appeal objects to the freeze of the account that acts: the one thing it may do while it is frozen. Digest is SHA-256 of what it has to
// show for it, or nil.
func (d *Draft) Appeal(account tx.Address, text string, digest []byte) *Draft {
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountAppeal{
		AccountAppeal: &accountv1.Appeal{Text: text, Digest: digest}}})
}

// AnswerAppeal answers the appeal of an account, and with lift unfreezes it. The actor is its sponsor.
func (d *Draft) AnswerAppeal(sponsor, account tx.Address, text string, digest []byte, lift bool) *Draft {
	return d.Append(&txv1.Action{Actor: sponsor[:], Call: &txv1.Action_AccountAnswer{
		AccountAnswer: &accountv1.AnswerAppeal{Account: account[:], Text: text, Digest: digest, Lift: lift}}})
}

// RecoveryRules say who may bring a new key to an account whose key is lost.
type RecoveryRules struct {
	// Guardians of whom Threshold must agree; at most 16, perhaps none.
	Guardians []tx.Address
	Threshold int
	// Wait is how long the account may object, one hour to 30 days.
	Wait time.Duration
	// Sponsor lets the sponsor begin a recovery alone.
	Sponsor bool
}

// SetRecovery sets who may recover an account. Signed by those who may now as well, it takes effect at once, otherwise when the
// waiting time in force has passed.
func (d *Draft) SetRecovery(account tx.Address, r RecoveryRules) *Draft {
	rules := &accountv1.RecoveryRules{Threshold: uint32(max(0, r.Threshold)), WaitMs: r.Wait.Milliseconds(), Sponsor: r.Sponsor}
	for _, g := range r.Guardians {
		rules.Guardians = append(rules.Guardians, g[:])
	}
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountSetRecovery{
		AccountSetRecovery: &accountv1.SetRecovery{Rules: rules}}})
}

// Recover begins the recovery of an account to a new key, which must sign too. The actor is a guardian or the sponsor; guardians who
// sign agree.
func (d *Draft) Recover(actor, account tx.Address, key tx.Key) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_AccountRecover{
		AccountRecover: &accountv1.Recover{Account: account[:], Kind: key.Kind, PublicKey: key.Public}}})
}

// AgreeRecovery has a guardian agree to the recovery of an account to the new key of this address.
func (d *Draft) AgreeRecovery(guardian, account, key tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: guardian[:], Call: &txv1.Action_AccountAgreeRecovery{
		AccountAgreeRecovery: &accountv1.AgreeRecovery{Account: account[:], Key: key[:]}}})
}

// ObjectRecovery ends the recovery of an account to the new key of this address. The actor is the account, or who has begun it.
func (d *Draft) ObjectRecovery(actor, account, key tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_AccountObjectRecovery{
		AccountObjectRecovery: &accountv1.ObjectRecovery{Account: account[:], Key: key[:]}}})
}

// FinishRecovery lets the new key of this address act for an account, once the waiting time has passed. Anybody may.
func (d *Draft) FinishRecovery(actor, account, key tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_AccountFinishRecovery{
		AccountFinishRecovery: &accountv1.FinishRecovery{Account: account[:], Key: key[:]}}})
}

// SetSponsor puts an account under another member, which must sign too.
func (d *Draft) SetSponsor(account, sponsor tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: account[:], Call: &txv1.Action_AccountSetSponsor{
		AccountSetSponsor: &accountv1.SetSponsor{Sponsor: sponsor[:]}}})
}

// AccountDetails returns an account with its last freezes and who may recover it, or ErrNotFound.
func (c *Client) AccountDetails(ctx context.Context, address tx.Address) (*apiv1.GetAccountResponse, error) {
	return read(ctx, c, &apiv1.GetAccountRequest{Address: address.String()},
		func(n *node) method[apiv1.GetAccountRequest, apiv1.GetAccountResponse] { return n.account.GetAccount })
}

// AccountEvents lists what was done to an account itself, newest first: its keys, sponsor, freezes, appeals and recoveries.
func (c *Client) AccountEvents(ctx context.Context, address tx.Address) iter.Seq2[*apiv1.AccountEvent, error] {
	return pages(func(token string) ([]*apiv1.AccountEvent, string, error) {
		res, err := read(ctx, c, &apiv1.ListAccountEventsRequest{Address: address.String(), PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListAccountEventsRequest, apiv1.ListAccountEventsResponse] {
				return n.account.ListAccountEvents
			})
		return res.GetEvents(), res.GetNextPageToken(), err
	})
}
