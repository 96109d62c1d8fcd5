// Package neighbour lets devices hand proofs to one another: the newest checkpoint, with the cosignatures of witnesses, and receipts. A device that
// reaches no gateway, or does not believe the one that it reaches, asks a neighbour, over CoAP with DTLS.
//
//	GET /checkpoint/HEIGHT/SIZE  the newest checkpoint, for who trusts the header of HEIGHT and knows a history of SIZE outcomes (0 0: nothing but genesis)
//	GET /witnessed/HEIGHT/SIZE   the same, the newest that witnesses have cosigned
//	GET /receipt/ID              the receipt of a transaction, for who trusts genesis
//	GET /receipt/ID/HEIGHT       the same, for who trusts the header of HEIGHT
//
// Gateways answer the same requests, so that a Source may be a gateway or a neighbour as well.
//
// A neighbour is not trusted. Whoever asks verifies all of it from the genesis file or checkpoint that he was made with, and from the last
// checkpoint that he took: one that goes back, or is not shown to go on from it, is not taken. What validators have signed beside it
// is a second history, and is kept and cried out. So the worst that a neighbour can do is to be silent or behind.
//
// A neighbour serves those devices that it is told to, each by the key that its address is made from, and nobody unless it is told to; it
// gives out no more than its own gateway would give them.
package neighbour
