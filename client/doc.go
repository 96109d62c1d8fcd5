// Package client is the Go SDK of a Dure ledger: build a transaction, sign it, submit it to any of several nodes,
// and know what became of it.
//
//	c, err := client.Dial(client.Config{Addresses: []string{"http://127.0.0.1:8080", "http://127.0.0.1:8081"}})
//	network, err := c.Network(ctx)
//	draft := client.NewTransaction(network).Transfer(alice, bob, "krw", "12500", client.Memo("rent"))
//	outcome, err := c.Do(ctx, draft, aliceSigner)
//
// Three things are worth knowing.
//
// The same bytes have one outcome. Sending a signed transaction again, to the same node or another, is always safe
// and answers with the same outcome. So every call here goes on to the next node when one does not answer.
//
// Not knowing is not failing. When nodes vanish between sending and answering, Submit returns *Undecided: the
// transaction may have happened. Only a committed block later than its not_after shows that it did not. Do waits
// for that block before it signs anew; a program that signs a second time on its own may pay twice.
//
// An outcome that says no is not an error of the call. Submit returns the outcome whatever its status; Check turns
// a failed or void one into a *Refusal.
package client
