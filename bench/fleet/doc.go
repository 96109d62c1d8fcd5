// Package fleet drives a simulated fleet of cars through a day on a real network: each car is a client/device of its own on an MQTT connection to a
// running gateway. Some cars are tampered with and some have broken sensors, chosen by a seed; afterwards it checks that the
// ledger found who lied, counted what was answered, paid what was earned and kept all money.
//
// Like package bench it starts no process: whoever calls it hands over where the members and the gateway answer.
package fleet
