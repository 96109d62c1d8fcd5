// Package genesis reads the file a network starts from and derives the network's id from its bytes.
//
// The file is the protobuf JSON of dure.ledger.v1.Genesis. The network id is the name in it, a dash, and the
// first 16 bytes of the file's SHA-256 in hex, so whoever knows the id can tell the true file from any other.
package genesis

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
)

// MaxFile is the largest genesis file accepted, in bytes.
const MaxFile = 16 << 20

var namePattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,14}[a-z0-9])?$`)

// Genesis is a parsed genesis file.
type Genesis struct {
	*ledgerv1.Genesis
	// NetworkID is name-hash, at most 49 bytes; it is also CometBFT's chain id.
	NetworkID string
	// File is the exact bytes the id was derived from.
	File []byte
}

// Parse reads a genesis file. It checks the form; the modules check what it says.
func Parse(file []byte) (*Genesis, error) {
	if len(file) > MaxFile {
		return nil, fmt.Errorf("genesis: %d bytes, at most %d", len(file), MaxFile)
	}
	g := &ledgerv1.Genesis{}
	if err := protojson.Unmarshal(file, g); err != nil {
		return nil, fmt.Errorf("genesis: not a genesis file: %w", err)
	}
	if !namePattern.MatchString(g.GetName()) {
		return nil, fmt.Errorf("genesis: name %q: want 1 to 16 of a-z, 0-9 and dashes inside", g.GetName())
	}
	if g.GetTime() <= 0 {
		return nil, fmt.Errorf("genesis: time %d: want unix milliseconds of when the network starts", g.GetTime())
	}
	if len(g.GetNetwork().GetMembers()) == 0 {
		return nil, fmt.Errorf("genesis: no members")
	}
	sum := sha256.Sum256(file)
	return &Genesis{Genesis: g, NetworkID: g.GetName() + "-" + hex.EncodeToString(sum[:16]), File: bytes.Clone(file)}, nil
}

// Short returns the 16 bytes of a network id that transactions carry.
func Short(networkID string) ([]byte, error) {
	i := strings.LastIndexByte(networkID, '-')
	if i < 1 {
		return nil, fmt.Errorf("network id %q: want name-hash", networkID)
	}
	b, err := hex.DecodeString(networkID[i+1:])
	if err != nil || len(b) != 16 {
		return nil, fmt.Errorf("network id %q: want 32 hex digits after the last dash", networkID)
	}
	return b, nil
}
