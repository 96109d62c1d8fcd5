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
	// transaction  RUN
}

// A device that keeps a checkpoint, cosigned by two witnesses it knows, verifies a receipt from there.
func ExampleFromCheckpoint() {
	checkpoint, err := os.ReadFile("testdata/checkpoint-cosigned.txt")
	if err != nil {
		log.Fatal(err)
	}
	var policy proof.Policy
	for _, key := range []string{
		"W1",
		"W2",
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
	// RUN
}
