package account_test

import (
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/modules/account"
)

// A member opens an account for a key; the account is found by the key's address.
func Example() {
	l := moduletest.New()
	key := moduletest.Key("alice")
	r := moduletest.Do(l, "seoul", &txv1.Action_AccountOpen{AccountOpen: &accountv1.Open{Kind: key.Kind, PublicKey: key.Public}})
	fmt.Println("refused:", r.Err)

	a, ok := account.Get(l.View, key.Address())
	fmt.Println("open:", ok, "kind:", a.GetKind(), "frozen:", account.Frozen(a, l.Now))
	// Output:
	// refused: <nil>
	// open: true kind: KEY_KIND_ED25519 frozen: false
}
