package api

import (
	"context"
	"encoding/hex"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// assetService is dure.api.v1.AssetService.
type assetService struct{ *Server }

func (s *assetService) GetAsset(_ context.Context, r *connect.Request[apiv1.GetAssetRequest]) (*connect.Response[apiv1.GetAssetResponse], error) {
	st, _ := s.ledger.State()
	class, err := assetClass(st, r.Msg.GetAsset())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&apiv1.GetAssetResponse{Asset: assetOf(r.Msg.GetAsset(), class)}), nil
}

// assetClass is an asset class. Code asset.unknown.
func assetClass(st state.Reader, asset string) (*assetv1.Class, error) {
	if err := bounded("asset", asset); err != nil {
		return nil, err
	}
	class, ok := index.ReadAsset(st, asset)
	if !ok {
		return nil, fault.New("asset.unknown", "no such asset on the ledger", "asset", asset)
	}
	return class, nil
}

func assetOf(asset string, c *assetv1.Class) *apiv1.Asset {
	return &apiv1.Asset{
		Asset: asset, Issuer: address(c.GetIssuer()), Name: c.GetName(), Decimals: c.GetDecimals(), Cap: c.GetCap(),
		Supply: c.GetSupply(), Paused: c.GetPaused(), CreatedAt: timestamp(c.GetCreatedAt()),
	}
}

func (s *assetService) ListAssets(ctx context.Context, r *connect.Request[apiv1.ListAssetsRequest]) (*connect.Response[apiv1.ListAssetsResponse], error) {
	if s.index == nil {
		return nil, errNoIndex
	}
	names, next, err := s.index.Assets(ctx, page(r.Msg))
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	out := &apiv1.ListAssetsResponse{NextPageToken: next}
	for _, name := range names {
		if class, ok := index.ReadAsset(st, name); ok {
			out.Assets = append(out.Assets, assetOf(name, class))
		}
	}
	return connect.NewResponse(out), nil
}

func (s *assetService) GetBalance(ctx context.Context, r *connect.Request[apiv1.GetBalanceRequest]) (*connect.Response[apiv1.GetBalanceResponse], error) {
	account, err := parseAddress("account", r.Msg.GetAccount())
	if err != nil {
		return nil, err
	}
	st, height := s.ledger.State()
	if want := r.Msg.GetHeight(); want != 0 {
		if st, err = s.ledger.StateAt(ctx, want); err != nil {
			return nil, err
		}
		height = want
	}
	class, err := assetClass(st, r.Msg.GetAsset())
	if err != nil {
		return nil, err
	}
	b := balanceOf(st, account, r.Msg.GetAsset(), class)
	return connect.NewResponse(&apiv1.GetBalanceResponse{Balance: b, Height: height}), nil
}

func balanceOf(st state.Reader, account tx.Address, asset string, class *assetv1.Class) *apiv1.Balance {
	amount, held := index.ReadBalance(st, account, asset)
	return &apiv1.Balance{
		Asset: asset, Account: account.String(), Amount: tx.FormatAmount(amount), Held: tx.FormatAmount(held),
		Decimals: class.GetDecimals(),
	}
}

func (s *assetService) ListBalances(ctx context.Context, r *connect.Request[apiv1.ListBalancesRequest]) (*connect.Response[apiv1.ListBalancesResponse], error) {
	st, _ := s.ledger.State()
	out := &apiv1.ListBalancesResponse{}
	switch account, asset := r.Msg.GetAccount(), r.Msg.GetAsset(); {
	case account != "" && asset == "":
		a, err := parseAddress("account", account)
		if err != nil {
			return nil, err
		}
		out.Balances, out.NextPageToken, err = s.balancesOf(ctx, st, a, page(r.Msg))
		if err != nil {
			return nil, err
		}
	case asset != "" && account == "":
		class, err := assetClass(st, asset)
		if err != nil {
			return nil, err
		}
		if s.index == nil {
			return nil, errNoIndex
		}
		holders, next, err := s.index.HoldersOf(ctx, asset, page(r.Msg))
		if err != nil {
			return nil, err
		}
		out.NextPageToken = next
		for _, a := range holders {
			out.Balances = addBalance(out.Balances, balanceOf(st, a, asset, class))
		}
	default:
		return nil, fault.New("request.malformed", "give an account or an asset, not both; for one balance use GetBalance")
	}
	return connect.NewResponse(out), nil
}

// balancesOf is a page of what an account has.
func (s *Server) balancesOf(ctx context.Context, st state.Reader, account tx.Address, p index.Page) ([]*apiv1.Balance, string, error) {
	if s.index == nil {
		return nil, "", errNoIndex
	}
	assets, next, err := s.index.AssetsOf(ctx, account, p)
	if err != nil {
		return nil, "", err
	}
	var out []*apiv1.Balance
	for _, asset := range assets {
		if class, ok := index.ReadAsset(st, asset); ok {
			out = addBalance(out, balanceOf(st, account, asset, class))
		}
	}
	return out, next, nil
}

// addBalance leaves out what an account once had and has no more.
func addBalance(list []*apiv1.Balance, b *apiv1.Balance) []*apiv1.Balance {
	if b.GetAmount() == "0" && b.GetHeld() == "0" {
		return list
	}
	return append(list, b)
}

func (s *assetService) GetHold(_ context.Context, r *connect.Request[apiv1.GetHoldRequest]) (*connect.Response[apiv1.GetHoldResponse], error) {
	id, err := parseHex("hold", r.Msg.GetHold(), 16)
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	h, ok := index.ReadHold(st, [16]byte(id))
	if !ok {
		return nil, fault.New("hold.unknown", "no such hold is open; it may have been released", "hold", bytesText(id))
	}
	return connect.NewResponse(&apiv1.GetHoldResponse{Hold: holdOf(id, h)}), nil
}

func (s *assetService) ListHolds(ctx context.Context, r *connect.Request[apiv1.ListHoldsRequest]) (*connect.Response[apiv1.ListHoldsResponse], error) {
	account, err := parseAddress("account", r.Msg.GetAccount())
	if err != nil {
		return nil, err
	}
	if s.index == nil {
		return nil, errNoIndex
	}
	ids, next, err := s.index.Holds(ctx, account, page(r.Msg))
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	out := &apiv1.ListHoldsResponse{NextPageToken: next}
	for _, id := range ids {
		if h, ok := index.ReadHold(st, [16]byte(id)); ok {
			out.Holds = append(out.Holds, holdOf(id, h))
		}
	}
	return connect.NewResponse(out), nil
}

func holdOf(id []byte, h *assetv1.HoldState) *apiv1.Hold {
	return &apiv1.Hold{
		Hold: hex.EncodeToString(id), Asset: h.GetAsset(), Amount: h.GetAmount(), Payer: address(h.GetPayer()),
		Payee: address(h.GetPayee()), Arbiter: address(h.GetArbiter()), ExpiresAt: timestamp(h.GetExpiresAt()),
		Memo: h.GetMemo(), Reference: h.GetReference(),
	}
}
