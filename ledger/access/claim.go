package access

import (
	"crypto/sha256"
	"strings"

	"github.com/dureledger/dure/ledger/tx"
)

// Claim is what an account says once to be given a token: that the key of a thumbprint may read for it, at one node.
type Claim struct {
	// Network is the network's id, name-32hex.
	Network string
	// Audience is the node's host as the reader reaches it: see Authority.
	Audience string
	Account  tx.Address
	// Nonce is what the node gave for this.
	Nonce string
	// Thumbprint is of the key that signs the proofs.
	Thumbprint string
}

// Digest is what a key that acts for the account signs: the SHA-256 of six lines, each ended by a line feed, the first of
// which no transaction begins with. No part may have a line feed; whoever checks a claim knows every part by itself.
func (c Claim) Digest() [32]byte {
	return sha256.Sum256([]byte(strings.Join([]string{
		"dure/access/v1", c.Network, c.Audience, c.Account.String(), c.Nonce, c.Thumbprint, "",
	}, "\n")))
}

// Origin is a scheme and an Authority, as in https://node.example.
func Origin(scheme, host string) string { return scheme + "://" + Authority(scheme, host) }

// Authority is a host as claims and proofs have it: lower case, without a final dot of the name, and without the port that
// the scheme (http or https) has by itself.
func Authority(scheme, host string) string {
	host = strings.ToLower(host)
	switch {
	case scheme == "http":
		host = strings.TrimSuffix(host, ":80")
	case scheme == "https":
		host = strings.TrimSuffix(host, ":443")
	}
	name, port, _ := strings.Cut(host, ":")
	if strings.HasPrefix(host, "[") { // an IPv6 address, which has colons of its own
		return host
	}
	if name = strings.TrimSuffix(name, "."); port != "" {
		return name + ":" + port
	}
	return name
}
