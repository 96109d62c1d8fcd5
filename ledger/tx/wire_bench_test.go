package tx

import (
	"testing"

	"google.golang.org/protobuf/proto"

	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
)

// BenchmarkWalk measures the strict check alone, for a signed transfer.
func BenchmarkWalk(b *testing.B) {
	body, err := proto.Marshal(&txv1.Body{Network: make([]byte, 16), NotAfter: 1_760_000_000_000, Salt: 7, Actions: []*txv1.Action{{
		Actor: make([]byte, 20),
		Call: &txv1.Action_AssetTransfer{AssetTransfer: &assetv1.Transfer{
			Asset: "krw", To: make([]byte, 20), Amount: "12500", Memo: "lunch",
		}},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	raw, err := proto.Marshal(&txv1.Transaction{Kind: &txv1.Transaction_Native{Native: &txv1.Native{Body: body, Witnesses: []*txv1.Witness{
		{Kind: 1, PublicKey: make([]byte, 32), Signature: make([]byte, 64)},
	}}}})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := walk(transactionTable, raw); err != nil {
			b.Fatal(err)
		}
		if err := walk(bodyTable, body); err != nil {
			b.Fatal(err)
		}
	}
}
