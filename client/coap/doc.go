// Package coap is CoAP (RFC 7252) over DTLS 1.2 between devices and gateways and between devices, within bounds. Both sides show certificates.
// A device's names its address and is for the key of its account, signed by anybody, itself as well; who may come in is decided
// within the handshake, so that others get an alert, nothing else.
//
// A Server's confirmable request is answered within its acknowledgement when that is known within patience; otherwise it is acknowledged without an
// answer, and the answer follows as a confirmable message of its own. A request that does not wait for the answers of those before it makes those
// wait no longer, so that a device may have maxOpen requests under way. To what is not confirmable nothing is promised; an answer is sent once.
//
// Go-coap codes messages, tells repeated requests from new ones and answers them from memory; pion/dtls makes handshakes. Four things are done here: what
// is sent confirmably is repeated here, as go-coap would read messages out of order meanwhile, doubles no waiting time and cannot tell an
// acknowledgement from a reset; bodies in blocks (RFC 7959) are put together here, since go-coap bounds neither their length nor their number; its memory of
// answers, one for each request of the last four minutes, is replaced by one of fixed size; and datagrams are given to connections here, so that
// a device that starts anew may speak from the port that it had before (RFC 6347, section 4.2.8).
package coap
