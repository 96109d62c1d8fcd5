package consensus

import (
	"bytes"
	"context"
	stded25519 "crypto/ed25519"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

const signedNetwork = "test-0123"

func seed(b byte) stded25519.PrivateKey {
	return stded25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, stded25519.SeedSize))
}

// pair is a node's side and a signer that dials it.
type pair struct {
	t      *testing.T
	node   *remoteSigner
	side   Signing
	cancel context.CancelFunc
	ended  chan error
}

func newPair(t *testing.T, listen string) *pair {
	t.Helper()
	return newPairOf(t, listen, accountv1.KeyKind_KEY_KIND_ED25519)
}

// validatorSeed is a validator's key made from a byte.
func validatorSeed(kind accountv1.KeyKind, b byte) ValidatorKey {
	key, err := NewValidatorKey(kind, bytes.Repeat([]byte{b}, 32))
	if err != nil {
		panic(err)
	}
	return key
}

// newPairOf is newPair with a validator's key of a kind.
func newPairOf(t *testing.T, listen string, kind accountv1.KeyKind) *pair {
	t.Helper()
	validator, own, nodeKey := validatorSeed(kind, 1), seed(2), seed(3)
	c := Signer{Listen: listen, ID: NodeID(own.Public().(stded25519.PublicKey)), PublicKey: validator.Public()}
	node, err := listenForSigner(c, signedNetwork, nodeKey, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close(); node.done.Wait() })
	target := listen
	if node.listener.Addr().Network() == "tcp" {
		target = NodeID(nodeKey.Public().(stded25519.PublicKey)) + "@" + node.listener.Addr().String()
	}
	p := &pair{t: t, node: node, side: Signing{
		Dir: filepath.Join(t.TempDir(), "signed"), NetworkID: signedNetwork, ValidatorKey: validator, Key: own, Node: target,
		Log: slog.New(slog.DiscardHandler),
	}}
	if err := NewSigningState(p.side.Dir); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pair) start() {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.ended = cancel, make(chan error, 1)
	go func() { p.ended <- p.side.Run(ctx) }()
	p.node.wait()
}

func (p *pair) stop() {
	p.t.Helper()
	p.cancel()
	if err := <-p.ended; err != nil {
		p.t.Error(err)
	}
}

func (p *pair) vote(height int64, block byte) error {
	hash := bytes.Repeat([]byte{block}, 32)
	return p.node.SignVote(signedNetwork, &cmtproto.Vote{
		Type: cmtproto.PrevoteType, Height: height, ValidatorAddress: validatorAddress(p.node.config.PublicKey), Timestamp: time.Unix(1, 0).UTC(),
		BlockID: cmtproto.BlockID{Hash: hash, PartSetHeader: cmtproto.PartSetHeader{Total: 1, Hash: hash}},
	})
}

// Over both kinds of socket and with both kinds of key: what was signed is kept by the signer, so that a second vote in the same place is refused,
// also after the signer was started again, and votes go on after that.
func TestSignerNeverSignsTwice(t *testing.T) {
	for name, c := range map[string]struct {
		listen string
		kind   accountv1.KeyKind
	}{
		"tcp":       {"127.0.0.1:0", accountv1.KeyKind_KEY_KIND_ED25519},
		"unix":      {"unix://" + filepath.Join(t.TempDir(), "s"), accountv1.KeyKind_KEY_KIND_ED25519},
		"ml-dsa-65": {"127.0.0.1:0", accountv1.KeyKind_KEY_KIND_ML_DSA_65},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPairOf(t, c.listen, c.kind)
			never := func(int64) bool { return false }
			p.node.passed.Store(&never)
			p.start()
			if err := p.vote(5, 1); err != nil {
				t.Fatal(err)
			}
			refused := func() {
				t.Helper()
				for _, err := range []error{p.vote(5, 2), p.vote(4, 1)} {
					if refused := (*privval.RemoteSignerError)(nil); !errors.As(err, &refused) {
						t.Errorf("a second vote: %v", err)
					}
				}
				if err := p.vote(5, 1); err != nil {
					t.Errorf("the same vote again: %v", err)
				}
			}
			refused()
			p.stop()
			p.start()
			refused()
			if err := p.vote(6, 1); err != nil {
				t.Error(err)
			}
			p.stop()
		})
	}
}

// A request without a signer waits until the signer is there, or the others have decided the block.
func TestSignerAway(t *testing.T) {
	p := newPair(t, "127.0.0.1:0")
	if err := p.vote(1, 1); err == nil {
		t.Error("a vote while the node starts, without a signer")
	}
	var past sync.Map
	passed := func(height int64) bool { _, ok := past.Load(height); return ok }
	p.node.passed.Store(&passed)
	voted := make(chan error)
	go func() { voted <- p.vote(1, 1) }()
	past.Store(int64(1), true)
	if err := <-voted; err == nil {
		t.Error("a vote without a signer")
	}
	go func() { voted <- p.vote(2, 1) }()
	p.start()
	if err := <-voted; err != nil {
		t.Error(err)
	}
	p.stop()
}

// A signer that has lost its record, or is for another network or another validator, does not sign.
func TestSignerThatMayNotSign(t *testing.T) {
	for name, spoil := range map[string]func(*Signing){
		"another network":   func(s *Signing) { s.NetworkID = "other-1" },
		"another validator": func(s *Signing) { s.ValidatorKey = validatorSeed(accountv1.KeyKind_KEY_KIND_ED25519, 9) },
		"another kind":      func(s *Signing) { s.ValidatorKey = validatorSeed(accountv1.KeyKind_KEY_KIND_ML_DSA_65, 1) },
		"another key":       func(s *Signing) { s.Key = seed(9) },
		"another node":      func(s *Signing) { s.Node = strings.Repeat("0", 40) + s.Node[40:] },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPair(t, "127.0.0.1:0")
			spoil(&p.side)
			conn, err := p.side.dial(t.Context())
			if err == nil {
				pv, err := p.side.validator()
				if err != nil {
					t.Fatal(err)
				}
				if err = p.side.serve(t.Context(), conn, pv); err == nil {
					t.Error("served")
				}
			}
			if err := p.vote(1, 1); err == nil {
				t.Error("a vote")
			}
		})
	}
	p := newPair(t, "127.0.0.1:0")
	if err := os.Remove(signingState(p.side.Dir)); err != nil {
		t.Fatal(err)
	}
	if err := p.side.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "could sign twice") {
		t.Errorf("without its record: %v", err)
	}
}

// Whatever comes in at the signer's port, before or instead of a handshake, is bounded and harms nothing.
func FuzzSignerMessage(f *testing.F) {
	f.Add([]byte{2, 0x3a, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 64))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, b := net.Pipe()
		go func() { _, _ = a.Write(raw); _ = a.Close() }()
		m, err := readMessage(b)
		_ = b.Close()
		if err == nil && m.Size() > maxSignerMessage {
			t.Errorf("a message of %d bytes", m.Size())
		}
		if v := m.GetSignedVoteResponse(); err == nil && v != nil {
			_ = cmttypes.VoteSignBytes(signedNetwork, &v.Vote)
		}
	})
}
