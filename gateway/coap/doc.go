// Package coap lets devices in over CoAP (RFC 7252) with DTLS 1.2: client certificates, and an answer that means committed.
//
// A device shows a certificate for the key of its account, signed by anybody, itself as well, whose common name is its address. Who
// is no device, or whose key may not act for it, is refused within the handshake and gets an alert, nothing else.
//
//	POST /reading                one reading, content format 18
//	POST /tx                     a signed transaction, content format 42
//	GET  /challenge              the nonce that somebody asks the device to sign; can be observed (RFC 7641)
//	GET  /command                the transactions that tell the device what to do, whose receipts it believes; can be observed
//	GET  /receipt/TRANSACTION, /checkpoint/HEIGHT/SIZE, /witnessed/HEIGHT/SIZE    proofs, see client/neighbour
//	GET  /.well-known/core       these (RFC 6690)
//
// client/coap has the connections, and what is bounded in them.
package coap
