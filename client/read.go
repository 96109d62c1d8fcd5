package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"iter"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// pageSize is how many items are asked for at a time.
const pageSize = 200

// read asks for one thing on whichever node answers.
func read[Req, Res any](ctx context.Context, c *Client, req *Req, of func(*node) method[Req, Res]) (*Res, error) {
	res, _, err := call(ctx, c, c.cfg.Timeout, req, of)
	return res, err
}

// pages walks a list page by page; ask returns a page and the token of the next. The last yield carries the error,
// if there was one.
func pages[T any](ask func(token string) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for token := ""; ; {
			page, next, err := ask(token)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, item := range page {
				if !yield(item, nil) {
					return
				}
			}
			if token = next; token == "" {
				return
			}
		}
	}
}

// Status of the node that answers.
func (c *Client) Status(ctx context.Context) (*apiv1.GetStatusResponse, error) {
	return read(ctx, c, &apiv1.GetStatusRequest{}, getStatus)
}

// Indexed waits until the index of the node that answers has a height; 0: the node's own, so that its lists have all that it had committed by now.
// An answer of Do may come before the index has it. A node without an index never has.
func (c *Client) Indexed(ctx context.Context, height int64) error {
	for {
		status, err := c.Status(ctx)
		if err != nil {
			return err
		}
		if height == 0 {
			height = status.GetHeight()
		}
		if status.GetIndexHeight() >= height {
			return nil
		}
		if err := c.cfg.Clock.Sleep(ctx, backoff(0)); err != nil {
			return err
		}
	}
}

// NetworkInfo returns the genesis file, the members and the parameters.
func (c *Client) NetworkInfo(ctx context.Context) (*apiv1.GetNetworkResponse, error) {
	return read(ctx, c, &apiv1.GetNetworkRequest{}, func(n *node) method[apiv1.GetNetworkRequest, apiv1.GetNetworkResponse] {
		return n.network.GetNetwork
	})
}

// Proposals lists proposed changes of the network.
func (c *Client) Proposals(ctx context.Context) iter.Seq2[*apiv1.Proposal, error] {
	return pages(func(token string) ([]*apiv1.Proposal, string, error) {
		res, err := read(ctx, c, &apiv1.ListProposalsRequest{PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListProposalsRequest, apiv1.ListProposalsResponse] {
				return n.network.ListProposals
			})
		return res.GetProposals(), res.GetNextPageToken(), err
	})
}

// Block returns a block; height 0 means the newest.
func (c *Client) Block(ctx context.Context, height int64) (*apiv1.GetBlockResponse, error) {
	return read(ctx, c, &apiv1.GetBlockRequest{Height: height}, func(n *node) method[apiv1.GetBlockRequest, apiv1.GetBlockResponse] {
		return n.ledger.GetBlock
	})
}

// Transactions lists committed transactions, newest first. The query's page token is set here; its page size is how many are asked for at
// a time, 0 means 200.
func (c *Client) Transactions(ctx context.Context, query *apiv1.ListTransactionsRequest) iter.Seq2[*apiv1.Transaction, error] {
	if query.PageSize == 0 {
		query.PageSize = pageSize
	}
	return pages(func(token string) ([]*apiv1.Transaction, string, error) {
		query.PageToken = token
		res, err := read(ctx, c, query, func(n *node) method[apiv1.ListTransactionsRequest, apiv1.ListTransactionsResponse] {
			return n.ledger.ListTransactions
		})
		return res.GetTransactions(), res.GetNextPageToken(), err
	})
}

// Account returns an account; ErrNotFound if it was never opened.
func (c *Client) Account(ctx context.Context, address tx.Address) (*apiv1.Account, error) {
	res, err := read(ctx, c, &apiv1.GetAccountRequest{Address: address.String()},
		func(n *node) method[apiv1.GetAccountRequest, apiv1.GetAccountResponse] { return n.account.GetAccount })
	return res.GetAccount(), err
}

// Accounts lists the accounts a member sponsors, or all for the zero address.
func (c *Client) Accounts(ctx context.Context, sponsor tx.Address) iter.Seq2[*apiv1.Account, error] {
	return pages(func(token string) ([]*apiv1.Account, string, error) {
		res, err := read(ctx, c, &apiv1.ListAccountsRequest{Sponsor: orEmpty(sponsor), PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListAccountsRequest, apiv1.ListAccountsResponse] {
				return n.account.ListAccounts
			})
		return res.GetAccounts(), res.GetNextPageToken(), err
	})
}

// Asset returns an asset class.
func (c *Client) Asset(ctx context.Context, asset string) (*apiv1.Asset, error) {
	res, err := read(ctx, c, &apiv1.GetAssetRequest{Asset: asset},
		func(n *node) method[apiv1.GetAssetRequest, apiv1.GetAssetResponse] { return n.asset.GetAsset })
	return res.GetAsset(), err
}

// Assets lists every asset class.
func (c *Client) Assets(ctx context.Context) iter.Seq2[*apiv1.Asset, error] {
	return pages(func(token string) ([]*apiv1.Asset, string, error) {
		res, err := read(ctx, c, &apiv1.ListAssetsRequest{PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListAssetsRequest, apiv1.ListAssetsResponse] { return n.asset.ListAssets })
		return res.GetAssets(), res.GetNextPageToken(), err
	})
}

// Balance of an account in one asset; height 0 means now. It also returns the height it is of.
func (c *Client) Balance(ctx context.Context, asset string, account tx.Address, height int64) (*apiv1.Balance, int64, error) {
	res, err := read(ctx, c, &apiv1.GetBalanceRequest{Asset: asset, Account: account.String(), Height: height},
		func(n *node) method[apiv1.GetBalanceRequest, apiv1.GetBalanceResponse] { return n.asset.GetBalance })
	return res.GetBalance(), res.GetHeight(), err
}

// Balances lists an account's balances, or an asset's holders when the account is zero.
func (c *Client) Balances(ctx context.Context, asset string, account tx.Address) iter.Seq2[*apiv1.Balance, error] {
	return pages(func(token string) ([]*apiv1.Balance, string, error) {
		res, err := read(ctx, c, &apiv1.ListBalancesRequest{Asset: asset, Account: orEmpty(account), PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListBalancesRequest, apiv1.ListBalancesResponse] {
				return n.asset.ListBalances
			})
		return res.GetBalances(), res.GetNextPageToken(), err
	})
}

// HoldInfo returns an open hold.
func (c *Client) HoldInfo(ctx context.Context, hold [16]byte) (*apiv1.Hold, error) {
	res, err := read(ctx, c, &apiv1.GetHoldRequest{Hold: hex.EncodeToString(hold[:])},
		func(n *node) method[apiv1.GetHoldRequest, apiv1.GetHoldResponse] { return n.asset.GetHold })
	return res.GetHold(), err
}

// Holds lists the open holds of an account, as payer, payee or arbiter.
func (c *Client) Holds(ctx context.Context, account tx.Address) iter.Seq2[*apiv1.Hold, error] {
	return pages(func(token string) ([]*apiv1.Hold, string, error) {
		res, err := read(ctx, c, &apiv1.ListHoldsRequest{Account: account.String(), PageSize: pageSize, PageToken: token},
			func(n *node) method[apiv1.ListHoldsRequest, apiv1.ListHoldsResponse] { return n.asset.ListHolds })
		return res.GetHolds(), res.GetNextPageToken(), err
	})
}

// Records returns every record of a digest; none is no error.
func (c *Client) Records(ctx context.Context, digest [32]byte) ([]*apiv1.Record, error) {
	res, err := read(ctx, c, &apiv1.GetRecordsRequest{Digest: hex.EncodeToString(digest[:])},
		func(n *node) method[apiv1.GetRecordsRequest, apiv1.GetRecordsResponse] { return n.record.GetRecords })
	return res.GetRecords(), err
}

// FindRecords lists records by recorder, name, title or text, newest first. Page fields of the query are set here.
func (c *Client) FindRecords(ctx context.Context, query *apiv1.ListRecordsRequest) iter.Seq2[*apiv1.Record, error] {
	return pages(func(token string) ([]*apiv1.Record, string, error) {
		query.PageSize, query.PageToken = pageSize, token
		res, err := read(ctx, c, query, func(n *node) method[apiv1.ListRecordsRequest, apiv1.ListRecordsResponse] {
			return n.record.ListRecords
		})
		return res.GetRecords(), res.GetNextPageToken(), err
	})
}

func orEmpty(a tx.Address) string {
	if a == (tx.Address{}) {
		return ""
	}
	return a.String()
}

// OnceUsed says whether an account has used a once key, and by which transaction (64 hex digits). The node's word is
// taken for it; ProveState proves it. A node that answers by account says so of what the reader's transactions used; of anything else, that it was not.
func (c *Client) OnceUsed(ctx context.Context, actor tx.Address, key [32]byte) (id string, used bool, err error) {
	res, err := read(ctx, c, &apiv1.GetStateProofRequest{Key: OnceKey(actor, key)},
		func(n *node) method[apiv1.GetStateProofRequest, apiv1.GetStateProofResponse] {
			return n.ledger.GetStateProof
		})
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) && refusal.Code == "access.not_yours" {
		return "", false, nil
	}
	return hex.EncodeToString(res.GetValue()), res.GetExists(), err
}

// OnceKey is the state key under which the ledger keeps the id of the transaction that used a once key: "X" and
// SHA-256("dure/once/v1\n" || account || once key).
func OnceKey(actor tx.Address, key [32]byte) []byte {
	sum := sha256.Sum256(append(append([]byte("dure/once/v1\n"), actor[:]...), key[:]...))
	return append([]byte("X"), sum[:]...)
}
