// Package story plays, on a running network, what happens when the firmware of one car among three is forged: from the factory to the
// insurer's last question. Each car is a client/device of its own on an MQTT connection to a running gateway, and runs an image that is a
// real file. After each scene the package asks the ledger, and fails when something that the scene says is not so.
//
// Like package bench it starts no process: whoever calls it hands over where the members and the gateway answer, and whose keys to act with.
package story
