// Package mqtt lets devices in over MQTT 5 and 3.1.1 with stock clients: mutual TLS, one topic to report on, and a PUBACK that means
// committed.
//
// A device connects with a certificate for the key of its account, signed by anybody, itself as well: what counts is that it holds the key
// and that the ledger says the key acts for the device. Its client id is its address. It publishes readings on dure/1/ADDRESS/reading and
// transactions on dure/1/ADDRESS/tx with QoS 1, and hears on dure/1/ADDRESS/outcome what became of them and on dure/1/ADDRESS/challenge
// that somebody asks it for evidence. On dure/1/ADDRESS/command it gets what its maker or owner tells it to do: each message is the receipt of
// a transaction (docs/receipt.md) with events device.commanded, which it checks by itself. Everything else is refused: other topics, QoS 2, retained messages, wills, sessions that outlive
// the connection.
//
// The broker is mochi-mqtt, of which nothing shows outside this package. Its hook for a message must say at once what becomes of it, and
// an error from it that is no reason code of MQTT is published and acknowledged all the same. So every message of a device is taken out of the
// broker's hands (ErrRejectPacket, which is silent) and given to a session, which acknowledges in the order of arrival when the ledger
// has answered. A device may have receiveMaximum messages on the way; with more it is read on when the oldest is answered, which for
// MQTT 3.1.1 is all there is to slow it down.
//
// MQTT 3.1.1 has no PUBACK that says no: a refused message ends the connection.
package mqtt
