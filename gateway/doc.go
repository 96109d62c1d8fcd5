// Package gateway is what stands between devices and the ledger, whatever they speak: it knows which key may act for which device, takes
// their readings and transactions, and says what became of them.
//
// A gateway vouches for nothing. Each reading and transaction is signed by its device, and the members check that; a gateway that lies is
// found out, one that is lost is replaced by another, and a device may use several. What a gateway promises is that Taken means
// committed: the message is on the ledger, in a block that more than two thirds of the members have signed.
//
// gateway/anchor packs readings into transactions; gateway/mqtt and gateway/coap are the doors for MQTT and CoAP.
package gateway
