// Package coap lets devices in over CoAP (RFC 7252) with DTLS 1.2: client certificates, and an answer that means committed.
//
// A device shows a certificate for the key of its account, signed by anybody, itself as well, whose common name is its address. Who
// is no device, or whose key may not act for it, is refused within the handshake and gets an alert, nothing else.
//
//	POST /reading              one reading, content format 18
//	POST /tx                   a signed transaction, content format 42
//	GET  /challenge            the nonce that somebody asks the device to sign; can be observed (RFC 7641)
//	GET  /receipt/TRANSACTION  the receipt file of a transaction
//	GET  /.well-known/core     these (RFC 6690)
//
// A confirmable request is answered within its acknowledgement when that is known within patience; otherwise it is acknowledged without an answer, and
// the answer follows as a confirmable message of its own. A request that does not wait for the answers of those before it makes those wait no
// longer, so that a device may have maxOpen requests under way. To what is not confirmable nothing is promised; an answer is sent once.
//
// go-coap codes messages, tells repeated requests from new ones and answers them from memory. Three things are done here: what is sent confirmably is
// repeated here, as go-coap would read messages out of order meanwhile, doubles no waiting time and cannot tell an acknowledgement from a
// reset; bodies in blocks (RFC 7959) are put together here, since go-coap bounds neither their length nor their number; and its memory of answers, one for each
// request of the last four minutes, is replaced by one of fixed size.
package coap
