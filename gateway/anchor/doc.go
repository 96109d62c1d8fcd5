// Package anchor carries readings of devices to the ledger: it collects them from all connections, checks their signatures, packs
// them into stream.anchor transactions that the gateway signs, and tells whoever waits what the ledger found of each.
//
// A transaction is sealed when it is full, 256 readings or the network's limit of bytes, or 20 ms after its first. Several are in
// flight at a time, but readings of one device never in two: the ledger takes them in the order of their numbers, and two
// transactions may change places on the way. A reading with a wrong signature is refused here, because every member would
// refuse the whole transaction for it.
//
// A reading that comes again, because its sender did not hear the answer, gets the answer that the first had: while the first is
// under way both wait for the same outcome; afterwards from memory, of the latest readings; and when the ledger says that
// the number was used before, from the ledger itself, which has the bytes.
//
// Refusals have one of these codes:
//
//	gateway.queue_full      so many readings wait that no more are taken; send it again later
//	gateway.stopping        the gateway stops; send it again
//	gateway.not_known       the network did not answer in time; send it again, it is taken once at most
//	reading.bad_signature   the key that the device connected with did not sign it
//	reading.malformed       and others of package reading
package anchor
