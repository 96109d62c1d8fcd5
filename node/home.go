package node

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/dureledger/dure/consensus"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
)

// Home is a node's folder.
type Home string

// Config is the configuration file.
func (h Home) Config() string { return filepath.Join(string(h), "config.yaml") }

// Genesis is the genesis file, the same at every member.
func (h Home) Genesis() string { return filepath.Join(string(h), "genesis.json") }

// Card is what the member tells the others: its public keys.
func (h Home) Card() string { return filepath.Join(string(h), "member.json") }

// Log is the node's log when it runs in the background.
func (h Home) Log() string { return filepath.Join(string(h), "node.log") }

func (h Home) data(part string) string { return filepath.Join(string(h), "data", part) }
func (h Home) key(name string) string  { return filepath.Join(string(h), "keys", name+".key") }

// publicKey has the validator's public key when a signer has the private one.
func (h Home) publicKey() string { return filepath.Join(string(h), "keys", "validator.pub") }

// Validator says how a new member's validator signs. Nil: with a fresh Ed25519 key of the node's own.
type Validator struct {
	// Kind of the key to make: Ed25519 or ML-DSA-65.
	Kind accountv1.KeyKind
	// Public, if not nil, is the public key; the private one a signer has, and none is made.
	Public []byte
}

// newValidator makes a validator key that has signed nothing.
func (h Home) newValidator(kind accountv1.KeyKind) ([]byte, error) {
	public, err := newKey(h.key("validator"), kind)
	if err != nil {
		return nil, err
	}
	return public, consensus.FreshSigning(h.data("consensus"))
}

// Create makes the folder with fresh node and validator keys, a configuration and the member's card. The card's
// address is the account that acts for the member. What exists is never overwritten.
func (h Home) Create(name string, address []byte, power int64, validator *Validator, c *Config) (_ *networkv1.Member, err error) {
	if _, err := os.Stat(h.Config()); err == nil {
		return nil, fmt.Errorf("%s has a node already; choose another folder", h)
	}
	if err := os.MkdirAll(filepath.Join(string(h), "keys"), 0o700); err != nil {
		return nil, fmt.Errorf("the node's folder cannot be made: %w", err)
	}
	member := &networkv1.Member{Name: name, Address: address, Power: power}
	if member.NodeKey, err = newKey(h.key("node"), accountv1.KeyKind_KEY_KIND_ED25519); err != nil {
		return nil, err
	}
	if validator == nil {
		validator = &Validator{Kind: accountv1.KeyKind_KEY_KIND_ED25519}
	}
	if member.ValidatorKey = validator.Public; validator.Public == nil {
		member.ValidatorKey, err = h.newValidator(validator.Kind)
	} else {
		err = writeFile(h.publicKey(), []byte(hex.EncodeToString(validator.Public)+"\n"), 0o644)
	}
	if err != nil {
		return nil, err
	}
	card, err := protojson.MarshalOptions{Multiline: true}.Marshal(member)
	if err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	if err := writeFile(h.Card(), append(card, '\n'), 0o644); err != nil {
		return nil, err
	}
	return member, c.Write(h.Config())
}

// ReadCard reads a member's card.
func ReadCard(file string) (*networkv1.Member, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	m := &networkv1.Member{}
	if err := protojson.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("%s is not a member's card: %w", file, err)
	}
	return m, nil
}

// Key reads the "node" or "validator" key.
func (h Home) Key(name string) (Secret, error) {
	key, err := readKey(h.key(name))
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	if _, err := os.Stat(h.Config()); err == nil {
		return Secret{}, fmt.Errorf("the key %s is missing: restore it from a backup; if there is none, the members have to vote for a new one", h.key(name))
	}
	return Secret{}, fmt.Errorf("%s has no node: run `dure init --home %s` first", h, h)
}

func readKey(file string) (Secret, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return Secret{}, fmt.Errorf("key: %w", err)
	}
	s, err := ParseSecret(string(raw))
	if err != nil {
		return s, fmt.Errorf("%s is %w; restore it from a backup", file, err)
	}
	return s, nil
}

// nodeKey reads the node's key.
func (h Home) nodeKey() (ed25519.PrivateKey, error) {
	s, err := h.Key("node")
	if err != nil {
		return nil, err
	}
	key, err := s.Ed25519()
	if err != nil {
		return nil, fmt.Errorf("%s: %w; restore it from a backup", h.key("node"), err)
	}
	return key, nil
}

// keys reads both keys. They must be those of the member's card, where there is one: a key that was changed by accident is
// a stranger's to the other members.
func (h Home) keys(log *slog.Logger) (node ed25519.PrivateKey, validator consensus.ValidatorKey, err error) {
	if node, err = h.nodeKey(); err != nil {
		return nil, validator, err
	}
	secret, err := h.Key("validator")
	if err != nil {
		return nil, validator, err
	}
	if validator, err = secret.Validator(); err != nil {
		return nil, validator, err
	}
	card, err := ReadCard(h.Card())
	if errors.Is(err, os.ErrNotExist) {
		return node, validator, nil
	}
	if err != nil {
		log.Warn("the member's card cannot be read; it says only what the others know already, so the node starts without it", "error", err)
		return node, validator, nil
	}
	for name, pair := range map[string][2][]byte{"node": {node.Public().(ed25519.PublicKey), card.GetNodeKey()},
		"validator": {validator.Public(), card.GetValidatorKey()}} {
		if !bytes.Equal(pair[0], pair[1]) {
			return nil, validator, fault.New("key.not_card", fmt.Sprintf("The key in %s is not the one on the member's card %s. Restore the file that is wrong from a backup; "+
				"if the key was changed on purpose, move the card away.", h.key(name), h.Card()), "file", h.key(name))
		}
	}
	return node, validator, nil
}

// SetKey writes the "node" or "validator" key of a home that does not have it. The same key again is no error.
func (h Home) SetKey(name string, key Secret) error {
	if old, err := h.Key(name); err == nil {
		if !old.Equal(key) {
			return fmt.Errorf("%s is there already and is another key; move it away first", h.key(name))
		}
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(h.key(name)), 0o700); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	return writeFile(h.key(name), []byte(key.Text()+"\n"), 0o600)
}

// ReadGenesis reads the genesis file.
func (h Home) ReadGenesis() (*genesis.Genesis, error) {
	raw, err := os.ReadFile(h.Genesis())
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: make it with `dure genesis` or copy it from another member", h.Genesis())
	}
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	g, err := genesis.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used: %w; copy it from another member", h.Genesis(), err)
	}
	return g, nil
}

// writeFile writes a new file in full or not at all.
func writeFile(name string, content []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	defer os.Remove(f.Name()) // gone when renamed
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err == nil {
		err = store.DiskFS{}.SyncDir(filepath.Dir(name)) // or a crash could take the name away
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	return nil
}

// ID is the peer name of a member's node, the part before @ in p2p.peers.
func ID(m *networkv1.Member) string { return consensus.NodeID(m.GetNodeKey()) }
