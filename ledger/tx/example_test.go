package tx_test

import (
	"fmt"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// A transfer is built, signed by the account that pays, and read and verified by whoever receives it.
func Example() {
	networkID := "demo-000102030405060708090a0b0c0d0e0f"
	payer, err := tx.NewEd25519Signer(make([]byte, tx.SecretSize)) // a real seed is secret and random
	if err != nil {
		panic(err)
	}
	from := payer.Key().Address()
	to, err := tx.ParseAddress("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
	if err != nil {
		panic(err)
	}
	amount, err := tx.ParseUnits("12.50", 2)
	if err != nil {
		panic(err)
	}
	body := &txv1.Body{
		NotAfter: 1_760_000_060_000, // a minute from now, unix milliseconds
		Salt:     42,                // random
		Actions: []*txv1.Action{{
			Actor: from[:],
			Call: &txv1.Action_AssetTransfer{AssetTransfer: &assetv1.Transfer{
				Asset: "usd", To: to[:], Amount: tx.FormatAmount(amount), Memo: "lunch",
			}},
		}},
	}
	raw, err := tx.Sign(networkID, body, payer)
	if err != nil {
		panic(err)
	}

	received, err := tx.Decode(networkID, raw, 64<<10)
	if err != nil {
		panic(err)
	}
	if err := received.Verify(); err != nil {
		panic(err)
	}
	fmt.Println("id", fmt.Sprintf("%x", received.ID[:8]), "signed by", received.Keys()[0].Address())

	_, err = tx.Decode("other-ffffffffffffffffffffffffffffffff", raw, 64<<10)
	fmt.Println(err)
	// Output:
	// id 4d270aae20273705 signed by 0x6eE4EB5B290C93f90A717354d5199067e75b7Af0
	// The transaction is made for the network whose id ends in 000102030405060708090a0b0c0d0e0f; this one is other-ffffffffffffffffffffffffffffffff. Build and sign it again for this network, or send it to the other. [tx.wrong_network]
}
