package consensus

import (
	stded25519 "crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	cmtconsensus "github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/crypto"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cryptoenc "github.com/cometbft/cometbft/crypto/encoding"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
	privvalproto "github.com/cometbft/cometbft/proto/tendermint/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
)

// How long this node waits for its signer.
const (
	signerTimeout = 3 * time.Second // for one answer, and for the handshake of a connection
	signerPing    = time.Second     // between questions whether it is still there
	signerLook    = 50 * time.Millisecond
	signerStart   = 10 * time.Second // for the signer's first connection
)

// maxSignerMessage bounds one message of the signer, in bytes; votes and proposals are a few hundred, and a signature by ML-DSA-65 3,309.
const maxSignerMessage = 10 << 10

// maxHandshakes is how many connections may be shaking hands with the node's signer port; more are closed at once.
const maxHandshakes = 8

var errNoSigner = errors.New("the validator's signer is not connected")

// Signer says where this node waits for the process that holds the validator's key.
type Signer struct {
	// Listen is host:port or unix://path.
	Listen string
	// ID is the peer name of the signer's own key, 40 hex digits: over TCP no other is let in.
	ID string
	// PublicKey is the validator's: 32 bytes of Ed25519 or 1,952 of ML-DSA-65.
	PublicKey []byte
}

// remoteSigner asks the signer for votes and proposals, in CometBFT's socket protocol. While the signer is away a request
// waits, as a vote that was never cast could be the one that the network lacks; but only until the others have decided
// the block without it, so that this node still follows them.
type remoteSigner struct {
	config   Signer
	public   crypto.PubKey
	chain    string
	key      ed25519.PrivKey
	log      *slog.Logger
	listener net.Listener
	// passed says whether the others have decided the block at a height. Nil while the node starts, when nothing may wait.
	passed atomic.Pointer[func(height int64) bool]

	asking sync.Mutex // one question at a time
	mu     sync.Mutex
	conn   net.Conn
	here   chan struct{} // closed while the signer is connected
	away   bool          // said so in the log

	quit chan struct{}
	once sync.Once
	done sync.WaitGroup
}

func listenForSigner(c Signer, chain string, nodeKey stded25519.PrivateKey, log *slog.Logger) (*remoteSigner, error) {
	public, err := validatorPublic(c.PublicKey)
	if err != nil {
		return nil, err
	}
	l, err := signerListener(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("setting validator.listen: cannot wait for the signer on %s: %w", c.Listen, err)
	}
	s := &remoteSigner{
		config: c, public: public, chain: chain, key: ed25519.PrivKey(nodeKey), log: log, listener: l,
		here: make(chan struct{}), quit: make(chan struct{}),
	}
	s.done.Add(2)
	go func() { defer s.done.Done(); s.accept() }()
	go func() { defer s.done.Done(); s.ping() }()
	return s, nil
}

// wait returns when the signer has connected, or has not for so long that the node starts without.
func (s *remoteSigner) wait() {
	s.mu.Lock()
	here := s.here
	s.mu.Unlock()
	select {
	case <-here:
		return
	default:
		s.log.Info("waiting for the validator's signer; start it with `dure signer`", "listen", s.config.Listen)
	}
	select {
	case <-here:
	case <-s.quit:
	case <-time.After(signerStart):
		s.lost(errNoSigner)
	}
}

// accept lets in whoever proves to be the signer; the newest connection is the one that is used.
func (s *remoteSigner) accept() {
	shaking := make(chan struct{}, maxHandshakes)
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			select {
			case <-s.quit:
				return
			case <-time.After(signerLook): // out of file descriptors, say
				continue
			}
		}
		select {
		case shaking <- struct{}{}:
		default:
			_ = conn.Close()
			continue
		}
		s.done.Add(1)
		go func() {
			defer s.done.Done()
			defer func() { <-shaking }()
			if err := s.admit(conn); err != nil {
				_ = conn.Close()
				s.log.Warn("a connection to the signer's port was refused", "from", conn.RemoteAddr().String(), "error", err)
			}
		}()
	}
}

func (s *remoteSigner) admit(raw net.Conn) error {
	if err := raw.SetDeadline(time.Now().Add(signerTimeout)); err != nil {
		return err
	}
	conn := raw
	if raw.LocalAddr().Network() == "tcp" {
		secret, err := secretConnection(raw, s.key)
		if err != nil {
			return err
		}
		if id := string(p2p.PubKeyToID(secret.RemotePubKey())); id != s.config.ID {
			return fmt.Errorf("its key is %s, but setting validator.signer names %s", id, s.config.ID)
		}
		conn = secret
	}
	answer, err := exchange(conn, message(&privvalproto.PubKeyRequest{ChainId: s.chain}))
	if err != nil {
		return err
	}
	if key, err := cryptoenc.PubKeyFromProto(answer.GetPubKeyResponse().GetPubKey()); err != nil || !key.Equals(s.public) {
		return fmt.Errorf("the signer does not have the key of this node's validator, %x, or it is for another network than %s",
			s.config.PublicKey[:32], s.chain)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.quit:
		return errors.New("the node stops")
	default:
	}
	if s.conn != nil {
		_ = s.conn.Close()
	} else {
		close(s.here)
	}
	s.conn, s.away = conn, false
	s.log.Info("the validator's signer is connected", "from", raw.RemoteAddr().String())
	return nil
}

// ping finds out that the signer is gone also while there is nothing to sign, and keeps its connection from timing out.
func (s *remoteSigner) ping() {
	tick := time.NewTicker(signerPing)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-tick.C:
			_, _ = s.ask(message(&privvalproto.PingRequest{})) // said in the log
		}
	}
}

// ask sends one question. A signer that does not answer in time loses its connection.
func (s *remoteSigner) ask(m privvalproto.Message) (privvalproto.Message, error) {
	s.asking.Lock()
	defer s.asking.Unlock()
	s.mu.Lock()
	conn := s.conn
	s.mu.Unlock()
	if conn == nil {
		return m, errNoSigner
	}
	err := conn.SetDeadline(time.Now().Add(signerTimeout))
	if err == nil {
		m, err = exchange(conn, m)
	}
	if err == nil {
		return m, nil
	}
	_ = conn.Close()
	s.mu.Lock()
	if s.conn == conn {
		s.conn, s.here = nil, make(chan struct{})
	}
	s.mu.Unlock()
	s.lost(err)
	return m, fmt.Errorf("the validator's signer did not answer: %w", err)
}

// lost says once that this member does not vote.
func (s *remoteSigner) lost(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.quit:
		return
	default:
	}
	if s.away || s.conn != nil {
		return
	}
	s.away = true
	s.log.Error("the validator's signer is gone: this member does not vote until it is back; start it again with `dure signer`",
		"listen", s.config.Listen, "error", err)
}

// sign asks until there is an answer, or the others have decided the block at height.
func (s *remoteSigner) sign(height int64, m privvalproto.Message) (privvalproto.Message, error) {
	for {
		answer, err := s.ask(m)
		if err == nil {
			return answer, nil
		}
		passed := s.passed.Load()
		if passed == nil || (*passed)(height) {
			return answer, err
		}
		s.mu.Lock()
		here := s.here
		s.mu.Unlock()
		select {
		case <-here:
		case <-time.After(signerLook):
		case <-s.quit:
			return answer, err
		}
	}
}

// GetPubKey implements PrivValidator.
func (s *remoteSigner) GetPubKey() (crypto.PubKey, error) {
	return s.public, nil
}

// SignVote implements PrivValidator.
func (s *remoteSigner) SignVote(chain string, vote *cmtproto.Vote) error {
	answer, err := s.sign(vote.Height, message(&privvalproto.SignVoteRequest{Vote: vote, ChainId: chain}))
	if err != nil {
		return err
	}
	r := answer.GetSignedVoteResponse()
	if r == nil {
		return errors.New("the signer answered with something else than a vote")
	}
	if r.Error != nil {
		return refusedToSign(r.Error)
	}
	if r.Vote.Height != vote.Height || r.Vote.Round != vote.Round || r.Vote.Type != vote.Type ||
		!s.public.VerifySignature(cmttypes.VoteSignBytes(chain, &r.Vote), r.Vote.Signature) {
		return errors.New("the signer answered with another vote than it was asked for, or with a bad signature")
	}
	*vote = r.Vote
	return nil
}

// SignProposal implements PrivValidator.
func (s *remoteSigner) SignProposal(chain string, proposal *cmtproto.Proposal) error {
	answer, err := s.sign(proposal.Height, message(&privvalproto.SignProposalRequest{Proposal: proposal, ChainId: chain}))
	if err != nil {
		return err
	}
	r := answer.GetSignedProposalResponse()
	if r == nil {
		return errors.New("the signer answered with something else than a proposal")
	}
	if r.Error != nil {
		return refusedToSign(r.Error)
	}
	*proposal = r.Proposal
	return nil
}

func refusedToSign(e *privvalproto.RemoteSignerError) error {
	return &privval.RemoteSignerError{Code: int(e.Code), Description: e.Description}
}

// Close ends what waits. CometBFT calls it when it stops.
func (s *remoteSigner) Close() error {
	s.once.Do(func() {
		close(s.quit)
		_ = s.listener.Close()
		s.mu.Lock()
		if s.conn != nil {
			_ = s.conn.Close()
		}
		s.mu.Unlock()
	})
	return nil
}

// passedBy says whether at least half of the connected members have decided the block at height.
func passedBy(sw p2p.Switcher) func(height int64) bool {
	return func(height int64) bool {
		peers, past := sw.Peers().Copy(), 0
		for _, peer := range peers {
			if state, ok := peer.Get(cmttypes.PeerStateKey).(*cmtconsensus.PeerState); ok && state.GetHeight() > height {
				past++
			}
		}
		return past > 0 && 2*past >= len(peers)
	}
}
