package consensus

import (
	"context"
	stded25519 "crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"
)

// Signing is the signer's side: a process that holds a validator's key and what it has signed, and dials its node.
type Signing struct {
	// Dir has the signing state, made by NewSigningState. Only one process may use it at a time.
	Dir string
	// NetworkID is the one network that is signed for.
	NetworkID    string
	ValidatorKey ValidatorKey
	// Key proves to the node that this is its signer.
	Key stded25519.PrivateKey
	// Node is id@host:port or unix://path.
	Node string
	Log  *slog.Logger
}

// How long the signer waits: for a connection, for the node's next question (it asks every second at least), and before
// it dials again.
const (
	signingDial  = 3 * time.Second
	signingIdle  = 10 * time.Second
	signingPause = 200 * time.Millisecond
)

func signingState(dir string) string { return filepath.Join(dir, "priv_validator_state.json") }

// NewSigningState makes the record of what a new validator key has signed: nothing. It never replaces one.
func NewSigningState(dir string) error {
	if _, err := os.Stat(signingState(dir)); err == nil {
		return fmt.Errorf("%s has a signing state already", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("signing state: %w", err)
	}
	return newSigning(signingState(dir))
}

// Run signs what the node asks for until ctx ends, and dials again whenever the connection is lost.
func (s *Signing) Run(ctx context.Context) error {
	pv, err := s.validator()
	if err != nil {
		return err
	}
	said := "" // the last trouble, which is not told five times a second
	for ctx.Err() == nil {
		trouble := s.session(ctx, pv, &said)
		if text := trouble.Error(); text != said && ctx.Err() == nil {
			said = text
			s.Log.Warn("no connection to the node; dialling again until it answers", "node", s.Node, "error", trouble)
		}
		select {
		case <-ctx.Done():
		case <-time.After(signingPause):
		}
	}
	return nil
}

// session signs over one connection and says why it ended.
func (s *Signing) session(ctx context.Context, pv *privval.FilePV, said *string) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	s.Log.Info("connected to the node", "node", s.Node)
	*said = ""
	return s.serve(ctx, conn, pv)
}

// validator is the key with what it has signed before. Without that record it could sign twice, so there is no default.
func (s *Signing) validator() (*privval.FilePV, error) {
	pv, known, err := openSigning(signingState(s.Dir), s.ValidatorKey)
	if err == nil && !known {
		err = fmt.Errorf("the record of what this validator has signed is missing, and without it the key could sign twice: "+
			"bring back %s as it was last", signingState(s.Dir))
	}
	return pv, err
}

func (s *Signing) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: signingDial}
	if network, path := signerNetwork(s.Node); network == "unix" {
		return d.DialContext(ctx, network, path)
	}
	id, hostport, ok := strings.Cut(s.Node, "@")
	if !ok {
		return nil, errors.New("want id@host:port")
	}
	raw, err := d.DialContext(ctx, "tcp", hostport)
	if err != nil {
		return nil, err
	}
	if err := raw.SetDeadline(time.Now().Add(signingDial)); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	secret, err := secretConnection(raw, ed25519.PrivKey(s.Key))
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	if got := string(p2p.PubKeyToID(secret.RemotePubKey())); got != id {
		return nil, errors.Join(fmt.Errorf("the node's key is %s, not %s", got, id), secret.Close())
	}
	return secret, nil
}

// serve answers questions until the connection or ctx ends.
func (s *Signing) serve(ctx context.Context, conn net.Conn, pv *privval.FilePV) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	for {
		if err := conn.SetDeadline(time.Now().Add(signingIdle)); err != nil {
			return err
		}
		question, err := readMessage(conn)
		if errors.Is(err, io.EOF) {
			return errors.New("the node closed the connection; its log says why if it refused this signer")
		}
		if err != nil {
			return err
		}
		answer, err := privval.DefaultValidationRequestHandler(pv, question, s.NetworkID)
		if err != nil {
			s.Log.Error("not signed", "error", err)
		}
		if answer.Sum == nil {
			return errors.New("the node asked something that a signer does not know")
		}
		if err := writeMessage(conn, answer); err != nil {
			return err
		}
	}
}
