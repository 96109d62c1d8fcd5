package node

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/network"
)

// Seat is one member of a network that is made in one place.
type Seat struct {
	Home    Home
	Name    string
	Address tx.Address
	API     string // host:port
	P2P     string // host:port
	// Validator says how the validator signs, nil: with a fresh Ed25519 key. ValidatorListen and ValidatorSigner are the settings for a signer
	// that has its private key.
	Validator       *Validator
	ValidatorListen string
	ValidatorSigner string
}

// CreateNetwork makes the homes of all members of a new network, each knowing the others, and returns its genesis file,
// which is in every home. more, if not nil, adds accounts and assets.
func CreateNetwork(name string, seats []Seat, more func(*ledgerv1.Genesis)) ([]byte, error) {
	members, peers := make([]*networkv1.Member, len(seats)), make([]string, len(seats))
	configs := make([]*Config, len(seats))
	for i, s := range seats {
		var err error
		if configs[i], err = Load("", noEnv, map[string]string{
			"member": s.Address.String(), "api.listen": s.API, "p2p.listen": s.P2P,
			"validator.listen": s.ValidatorListen, "validator.signer": s.ValidatorSigner,
		}); err != nil {
			return nil, err
		}
		if members[i], err = s.Home.Create(s.Name, s.Address[:], 10, s.Validator, configs[i]); err != nil {
			return nil, err
		}
		peers[i] = ID(members[i]) + "@" + s.P2P
	}
	file, err := GenesisFile(name, members, more)
	if err != nil {
		return nil, err
	}
	for i, s := range seats {
		configs[i].P2PPeers = append(append([]string(nil), peers[:i]...), peers[i+1:]...)
		if err := configs[i].Write(s.Home.Config()); err != nil {
			return nil, err
		}
		if err := writeFile(s.Home.Genesis(), file, 0o644); err != nil { // public
			return nil, err
		}
	}
	return file, nil
}

// GenesisFile makes a genesis file. Every member's account is open, acts by the Ed25519 key it is named after, and
// sponsors itself; more, if not nil, adds accounts and assets.
func GenesisFile(name string, members []*networkv1.Member, more func(*ledgerv1.Genesis)) ([]byte, error) {
	g := &ledgerv1.Genesis{
		Name: name, Time: time.Now().UnixMilli(),
		Network: &networkv1.Genesis{Members: members, Parameters: network.DefaultParameters()},
		Account: &accountv1.Genesis{},
	}
	for _, m := range members {
		g.Account.Accounts = append(g.Account.Accounts, &accountv1.GenesisAccount{
			Address: m.GetAddress(), Sponsor: m.GetAddress(), Kind: accountv1.KeyKind_KEY_KIND_ED25519,
		})
	}
	if more != nil {
		more(g)
	}
	file, err := protojson.MarshalOptions{Multiline: true}.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return append(file, '\n'), nil
}

func noEnv(string) (string, bool) { return "", false }
