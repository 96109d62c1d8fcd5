package node

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/dureledger/dure/consensus"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

// SignerHome is the folder of a process that holds a validator's key for a node elsewhere: two keys, and the record of
// what was signed.
type SignerHome string

func (h SignerHome) key(name string) string { return filepath.Join(string(h), "keys", name+".key") }
func (h SignerHome) signed() string         { return filepath.Join(string(h), "signed") }

// SignerCard is what the node's side needs to know of a signer.
type SignerCard struct {
	// ValidatorKey is the validator's public key, which is also in File, in hex.
	ValidatorKey []byte
	File         string
	// ID goes into the node's setting validator.signer.
	ID string
}

// publicKey has the validator's public key, for the node's side.
func (h SignerHome) publicKey() string { return filepath.Join(string(h), "validator.pub") }

// Create makes the folder with a fresh validator key of a kind, Ed25519 or ML-DSA-65, and a fresh key for the connection. It overwrites nothing.
func (h SignerHome) Create(kind accountv1.KeyKind) (*SignerCard, error) {
	if err := os.MkdirAll(filepath.Join(string(h), "keys"), 0o700); err != nil {
		return nil, fmt.Errorf("the signer's folder cannot be made: %w", err)
	}
	if _, err := os.Stat(h.key("validator")); err == nil {
		return nil, fmt.Errorf("%s has a validator's key already; choose another folder", h)
	}
	if err := consensus.NewSigningState(h.signed()); err != nil {
		return nil, err
	}
	if _, err := newKey(h.key("signer"), accountv1.KeyKind_KEY_KIND_ED25519); err != nil {
		return nil, err
	}
	public, err := newKey(h.key("validator"), kind)
	if err != nil {
		return nil, err
	}
	if err := writeFile(h.publicKey(), []byte(hex.EncodeToString(public)+"\n"), 0o644); err != nil { // public
		return nil, err
	}
	return h.Card()
}

// Card reads what the node's side needs to know.
func (h SignerHome) Card() (*SignerCard, error) {
	validator, signer, err := h.keys()
	if err != nil {
		return nil, err
	}
	return &SignerCard{
		ValidatorKey: validator.Public(), File: h.publicKey(), ID: consensus.NodeID(signer.Public().(ed25519.PublicKey)),
	}, nil
}

func (h SignerHome) keys() (validator consensus.ValidatorKey, signer ed25519.PrivateKey, err error) {
	secret, err := readKey(h.key("validator"))
	if err == nil {
		validator, err = secret.Validator()
	}
	if err == nil {
		secret, err = readKey(h.key("signer"))
	}
	if errors.Is(err, os.ErrNotExist) {
		return validator, nil, fmt.Errorf("%s has no signer: run `dure signer init --home %s` first", h, h)
	}
	if err != nil {
		return validator, nil, err
	}
	if signer, err = secret.Ed25519(); err != nil {
		return validator, nil, fmt.Errorf("%s: %w", h.key("signer"), err)
	}
	return validator, signer, nil
}

// Run signs for a node, id@host:port or unix://path, until ctx ends. The caller sees to it that only one process uses
// the folder.
func (h SignerHome) Run(ctx context.Context, network, node string, log *slog.Logger) error {
	validator, signer, err := h.keys()
	if err != nil {
		return err
	}
	s := &consensus.Signing{Dir: h.signed(), NetworkID: network, ValidatorKey: validator, Key: signer, Node: node, Log: log}
	return s.Run(ctx)
}

// newKey writes a fresh key and returns its public one.
func newKey(file string, kind accountv1.KeyKind) ([]byte, error) {
	secret, err := NewSecret(kind)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	public, err := secret.Public()
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	return public, writeFile(file, []byte(secret.Text()+"\n"), 0o600)
}

// ParseValidatorKey reads a validator's public key in hex: 64 digits of Ed25519, 3,904 of ML-DSA-65.
func ParseValidatorKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	raw, err := hex.DecodeString(text)
	if err == nil {
		err = consensus.CheckValidatorKey(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not a validator's public key: want the hex digits in validator.pub, which `dure signer init` makes", text[:min(len(text), 64)])
	}
	return raw, nil
}

// keys are the node's key, and the voting key or, if setting validator.listen says so, the signer that has it.
func (n *Node) keys() (node ed25519.PrivateKey, validator consensus.ValidatorKey, signer *consensus.Signer, err error) {
	if n.config.ValidatorListen == "" {
		if exists(n.home.publicKey()) && !exists(n.home.key("validator")) {
			return nil, validator, nil, errors.New("this node's validator key is with a signer: give setting validator.listen, where the node waits for it")
		}
		node, validator, err = n.home.keys(n.log)
		return node, validator, nil, err
	}
	if exists(n.home.key("validator")) {
		return nil, validator, nil, fmt.Errorf("setting validator.listen says that a signer has the validator's key, but %s is here too: with both the "+
			"validator could sign twice; take the file away, or the setting", n.home.key("validator"))
	}
	raw, err := os.ReadFile(n.home.publicKey())
	if err != nil {
		return nil, validator, nil, fmt.Errorf("the validator's public key is missing: %w; copy validator.pub of the signer's folder to this file", err)
	}
	public, err := ParseValidatorKey(string(raw))
	if err != nil {
		return nil, validator, nil, fmt.Errorf("%s: %w", n.home.publicKey(), err)
	}
	node, err = n.home.nodeKey()
	return node, validator, &consensus.Signer{Listen: n.config.ValidatorListen, ID: n.config.ValidatorSigner, PublicKey: public}, err
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

var peerID = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (c *Config) checkSigner() error {
	if c.ValidatorListen == "" {
		if c.ValidatorSigner != "" {
			return errors.New("setting validator.signer: give validator.listen too, where this node waits for the signer")
		}
		return nil
	}
	if strings.HasPrefix(c.ValidatorListen, "unix://") {
		return nil // the socket file's owner decides
	}
	if err := checkHostPort("validator.listen", c.ValidatorListen); err != nil {
		return fmt.Errorf("%w, or unix://path", err)
	}
	if !peerID.MatchString(c.ValidatorSigner) {
		return fmt.Errorf("setting validator.signer: %q: want the id that `dure signer init` shows, 40 hex digits: no other signer is let in", c.ValidatorSigner)
	}
	return nil
}
