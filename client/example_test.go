package client_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/clienttest"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

// exampleLedger stands in for a network: two nodes, Alice with money, Bob without.
func exampleLedger() (addresses []string, stop func()) {
	l := clienttest.New("example", time.Now)
	alice, bob := signer(1), signer(2)
	l.Open(alice.Key(), bob.Key())
	l.Fund("krw", 0, address(alice), "1000000")
	a, b := l.Serve(), l.Serve()
	return []string{a.URL, b.URL}, func() { a.Server.Close(); b.Server.Close() }
}

// Build a payment, have it happen exactly once, and read the balance.
func Example() {
	addresses, stop := exampleLedger()
	defer stop()
	ctx := context.Background()
	alice, bob := signer(1), signer(2) // from client/keystore in a program

	c, err := client.Dial(client.Config{Addresses: addresses})
	if err != nil {
		log.Fatal(err)
	}
	network, err := c.Network(ctx)
	if err != nil {
		log.Fatal(err)
	}
	draft := client.NewTransaction(network).Transfer(address(alice), address(bob), "krw", "12500", client.Memo("rent"))
	outcome, err := c.Do(ctx, draft, alice)
	if err != nil {
		log.Fatal(err) // *client.Undecided: not known; ask for its ID later
	}
	if err := client.Check(outcome); err != nil {
		log.Fatal(err) // the ledger said no
	}
	balance, _, err := c.Balance(ctx, "krw", address(bob), 0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(outcome.GetStatus(), client.FormatUnits(balance.GetAmount(), balance.GetDecimals()))
	// Output: ok 12,500
}

// Delivery against payment: two actions of two accounts, signed by both; both happen or neither does.
func ExampleDraft() {
	addresses, stop := exampleLedger()
	defer stop()
	ctx := context.Background()
	alice, bob := signer(1), signer(2)
	c, err := client.Dial(client.Config{Addresses: addresses})
	if err != nil {
		log.Fatal(err)
	}
	network, err := c.Network(ctx)
	if err != nil {
		log.Fatal(err)
	}
	outcome, err := c.Do(ctx, client.NewTransaction(network).
		Transfer(address(alice), address(bob), "krw", "900").
		Transfer(address(bob), address(alice), "krw", "300"), alice, bob)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(outcome.GetStatus(), len(outcome.GetEvents()))
	fmt.Println(client.Check(must(c.Do(ctx, client.NewTransaction(network).
		Transfer(address(alice), address(bob), "krw", "900").
		Transfer(address(bob), address(alice), "krw", "5000"), alice, bob))))
	// Output:
	// ok 2
	// The account has 1500 krw. [asset.insufficient_balance]
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// Many transactions in one call, each with its outcome.
func ExampleClient_SubmitMany() {
	addresses, stop := exampleLedger()
	defer stop()
	ctx := context.Background()
	alice, bob := signer(1), signer(2)
	c := must(client.Dial(client.Config{Addresses: addresses}))
	network := must(c.Network(ctx))
	var batch []*client.Signed
	for range 1500 {
		batch = append(batch, must(c.Sign(client.NewTransaction(network).Transfer(address(alice), address(bob), "krw", "1"), alice)))
	}
	ok := 0
	for _, r := range c.SubmitMany(ctx, batch) {
		if r.Err == nil && client.Check(r.Outcome) == nil {
			ok++
		}
	}
	fmt.Println(ok, "paid")
	// Output: 1500 paid
}

// Follow an account from the beginning; the cursor says where to go on another day.
func ExampleClient_Watch() {
	addresses, stop := exampleLedger()
	defer stop()
	ctx := context.Background()
	alice, bob := signer(1), signer(2)
	c := must(client.Dial(client.Config{Addresses: addresses}))
	must(c.Do(ctx, client.NewTransaction(must(c.Network(ctx))).Transfer(address(alice), address(bob), "krw", "1"), alice))
	for event, err := range c.Watch(ctx, &apiv1.WatchTransactionsRequest{Cursor: "0", Account: address(bob).String()}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.GetTransaction().GetActions()[0].GetCall(), event.GetCursor())
		break
	}
	// Output: asset.transfer 1
}

// Ask a feed before acting on what it says. A source whose reading is older than half a minute does not count here.
func ExampleClient_FeedValue() {
	c := must(client.Dial(client.Config{Addresses: []string{"http://127.0.0.1:8080"}}))
	v := must(c.FeedValue(context.Background(), "fleet.speed", time.Time{}, 30*time.Second))
	if !v.GetOk() {
		log.Fatal("no answer: ", v.GetReason()) // and v.GetCode() for programs
	}
	fmt.Println(v.GetValue(), v.GetUnit(), "by", v.GetCounted(), "sources, at least", v.GetLevel())
}
