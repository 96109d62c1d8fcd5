package identity_test

import (
	"fmt"

	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/all"
)

// Identity is what a module declares that has rules about who somebody is; modules/all wires it.
type Identity interface {
	// Has says whether a fact of a schema about an account holds at a time in unix milliseconds; an empty value stands for any.
	Has(r state.Reader, account tx.Address, schema, value string, at int64) bool
}

// Before a module pays a voucher out that only shops selling food may take, it asks whether this is one.
func Example() {
	l, err := moduletest.Play(
		"seoul account.open key=bakery",
		"seoul identity.register_schema schema=shop title_ko=가게 title_en=Shop digest=schema field=kind,fact,food|books",
		"seoul network.propose change.identity.give.schema=shop change.identity.give.holder=seoul change.identity.give.ends_at=+365d",
		"busan network.vote proposal=1", "jeju network.vote proposal=1",
		"seoul identity.attest account=bakery schema=shop value=food ends_at=+30d",
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	var who Identity = all.Identity()
	bakery := moduletest.Address("bakery")
	fmt.Println(who.Has(l.View, bakery, "shop", "food", l.Now), who.Has(l.View, bakery, "shop", "books", l.Now))
	// Output: true false
}
