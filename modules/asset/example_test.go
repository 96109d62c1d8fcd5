package asset_test

import (
	"fmt"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/modules/asset"
)

// An issuer makes an asset and issues units; the holder sets some aside for somebody.
func Example() {
	l, seoul, busan := moduletest.New(), moduletest.Address("seoul"), moduletest.Address("busan")
	moduletest.Do(l, "seoul", &txv1.Action_AssetCreate{AssetCreate: &assetv1.Create{Asset: "krw", Name: "Korean won"}})
	moduletest.Do(l, "seoul", &txv1.Action_AssetIssue{AssetIssue: &assetv1.Issue{Asset: "krw", To: busan[:], Amount: "5000"}})
	r := moduletest.Do(l, "busan", &txv1.Action_AssetHold{AssetHold: &assetv1.Hold{
		Asset: "krw", Amount: "2000", Payee: seoul[:], ExpiresAt: l.Now + 3600_000,
	}})

	available, held := asset.Balance(l.View, "krw", busan)
	fmt.Println("available", available.Dec(), "held", held.Dec())
	h, ok := asset.Hold(l.View, asset.NewHoldID(r.ID, 0))
	fmt.Println("hold of", h.GetAmount(), ok)
	// Output:
	// available 3000 held 2000
	// hold of 2000 true
}
