package light_test

import (
	"fmt"
	"log"
	"os"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/proof"
)

// A stranger who has the network's genesis file verifies a receipt, offline.
func Example() {
	genesis, err := os.ReadFile("testdata/changing.json")
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := os.ReadFile("testdata/receipt-changing.dure")
	if err != nil {
		log.Fatal(err)
	}
	anchor, err := light.FromGenesis(genesis)
	if err != nil {
		log.Fatal(err)
	}
	verified, err := anchor.VerifyReceipt(receipt)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(verified)
	// Output:
	// transaction  0a6659393bea10514801b67402578c03750649c344096ec0f9163b090424c26e
	// outcome      ok
	// executed     in block 2, 2026-03-01 09:00:03.523 UTC
	// events       1
	// witnesses    none that you named has cosigned
	// network      changing-2da8ff9fb7bb26b9317bb98727263fde
	// rests on     the genesis keys of 4 validators
	// then         3 changes of validators, each signed by more than two thirds of the validators before it
	// signed       header 12 of 2026-03-01 09:00:20.523 UTC, by 3 of 4 validators with 30 of 40 power
}

// A device that keeps a checkpoint, cosigned by two witnesses it knows, verifies a receipt from there.
func ExampleFromCheckpoint() {
	checkpoint, err := os.ReadFile("testdata/checkpoint-cosigned.txt")
	if err != nil {
		log.Fatal(err)
	}
	var policy proof.Policy
	for _, key := range []string{
		"auditor.example+01a77bfe+BC3tM7t9KmevWjctATl2OAMV9t6XAvH3X4h81faFgjqf",
		"meter.example/7+bf80e61e+BFJA/RtL/0OMba9zrxAQXKTloiQjCbj7p7IdwY8X8H4m",
	} {
		w, err := proof.ParseWitness(key)
		if err != nil {
			log.Fatal(err)
		}
		policy.Witnesses = append(policy.Witnesses, w)
	}
	policy.Threshold = 2
	anchor, err := light.FromCheckpoint(checkpoint, policy)
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := os.ReadFile("testdata/receipt.dure")
	if err != nil {
		log.Fatal(err)
	}
	verified, err := anchor.VerifyReceipt(receipt)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verified.OK(), verified.Basis)
	// Output:
	// true a checkpoint of 2026-03-01 09:00:12.023 UTC (height 7, 4 validators), cosigned by auditor.example, meter.example/7
}
