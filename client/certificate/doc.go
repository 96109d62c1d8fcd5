// Package certificate makes and reads the certificates that devices show to gateways and to one another. A device signs its own: no authority
// is needed, as whose key it is the ledger says, or the address itself, which is made from the account's first key.
package certificate
