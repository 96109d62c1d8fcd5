package credential

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

const method = "did:dure:"

var (
	networkPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,99}$`)
	schemaPattern  = regexp.MustCompile(`^[a-z][a-z0-9._-]{0,63}$`)
)

// ID names an account of a network.
type ID struct {
	Network string
	Account tx.Address
}

// String is did:dure:NETWORK:0xACCOUNT.
func (id ID) String() string { return method + id.Network + ":" + id.Account.String() }

// ParseID reads what ID.String writes, and nothing else. Code credential.bad_name.
func ParseID(text string) (ID, error) {
	network, account, ok := strings.Cut(strings.TrimPrefix(text, method), ":")
	address, err := tx.ParseAddress(account)
	id := ID{network, address}
	if !ok || err != nil || !networkPattern.MatchString(network) || id.String() != text {
		return ID{}, fault.New("credential.bad_name", fmt.Sprintf("%.100q names no account of a ledger: did:dure:NETWORK:0xACCOUNT does, with the capitals that the account is shown with.", text))
	}
	return id, nil
}

// SchemaName is the vct of a schema: did:dure:NETWORK/schema/NAME.
func SchemaName(network, schema string) string { return method + network + "/schema/" + schema }

// ParseSchema reads what SchemaName writes. Code credential.bad_name.
func ParseSchema(text string) (network, schema string, err error) {
	network, schema, ok := strings.Cut(strings.TrimPrefix(text, method), "/schema/")
	if !ok || !networkPattern.MatchString(network) || !schemaPattern.MatchString(schema) || SchemaName(network, schema) != text {
		return "", "", fault.New("credential.bad_name", fmt.Sprintf("%.100q names no schema of a ledger: did:dure:NETWORK/schema/NAME does.", text))
	}
	return network, schema, nil
}

// ListName is the uri of an issuer's status list: did:dure:NETWORK:0xACCOUNT/status/N.
func ListName(issuer ID, list uint32) string {
	return issuer.String() + "/status/" + strconv.FormatUint(uint64(list), 10)
}

// ParseList reads what ListName writes. Code credential.bad_name.
func ParseList(text string) (issuer ID, list uint32, err error) {
	account, number, ok := strings.Cut(text, "/status/")
	n, err := strconv.ParseUint(number, 10, 32)
	if err == nil {
		issuer, err = ParseID(account)
	}
	if !ok || err != nil || n == 0 || ListName(issuer, uint32(n)) != text {
		return ID{}, 0, fault.New("credential.bad_name", fmt.Sprintf("%.100q names no status list of a ledger: did:dure:NETWORK:0xACCOUNT/status/N does.", text))
	}
	return issuer, uint32(n), nil
}
