package consensus

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/libs/protoio"
	p2pconn "github.com/cometbft/cometbft/p2p/conn"
	privvalproto "github.com/cometbft/cometbft/proto/tendermint/privval"
)

// signerNetwork splits host:port or unix://path for package net.
func signerNetwork(address string) (network, rest string) {
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		return "unix", path
	}
	return "tcp", address
}

// signerListener listens on host:port, or on a socket file that only this user can open. A socket file left by a
// process that is gone is replaced.
func signerListener(address string) (net.Listener, error) {
	network, rest := signerNetwork(address)
	if network == "tcp" {
		return net.Listen(network, rest)
	}
	if info, err := os.Lstat(rest); err == nil && info.Mode().Type() == os.ModeSocket {
		if conn, err := net.Dial(network, rest); err == nil {
			return nil, errors.Join(errors.New("another process listens there"), conn.Close())
		}
		if err := os.Remove(rest); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen(network, rest)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(rest, 0o600); err != nil { // for the node's user alone
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// secretConnection encrypts a connection and has both sides prove their keys.
func secretConnection(conn net.Conn, key ed25519.PrivKey) (*p2pconn.SecretConnection, error) {
	secret, err := p2pconn.MakeSecretConnection(conn, key)
	if err != nil {
		return nil, fmt.Errorf("the encrypted connection could not be made: %w", err)
	}
	return secret, nil
}

// exchange sends a question and reads the answer.
func exchange(conn net.Conn, question privvalproto.Message) (answer privvalproto.Message, err error) {
	if err := writeMessage(conn, question); err != nil {
		return answer, err
	}
	return readMessage(conn)
}

func writeMessage(conn net.Conn, m privvalproto.Message) error {
	_, err := protoio.NewDelimitedWriter(conn).WriteMsg(&m)
	return err
}

func readMessage(conn net.Conn) (m privvalproto.Message, err error) {
	_, err = protoio.NewDelimitedReader(conn, maxSignerMessage).ReadMsg(&m)
	return m, err
}

// message wraps a question of the node.
func message(question any) privvalproto.Message {
	switch q := question.(type) {
	case *privvalproto.PubKeyRequest:
		return privvalproto.Message{Sum: &privvalproto.Message_PubKeyRequest{PubKeyRequest: q}}
	case *privvalproto.SignVoteRequest:
		return privvalproto.Message{Sum: &privvalproto.Message_SignVoteRequest{SignVoteRequest: q}}
	case *privvalproto.SignProposalRequest:
		return privvalproto.Message{Sum: &privvalproto.Message_SignProposalRequest{SignProposalRequest: q}}
	case *privvalproto.PingRequest:
		return privvalproto.Message{Sum: &privvalproto.Message_PingRequest{PingRequest: q}}
	}
	panic(fmt.Sprintf("consensus: the signer is never asked %T", question))
}
