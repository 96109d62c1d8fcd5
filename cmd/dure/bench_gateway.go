package main

import (
	"context"
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"

	"github.com/dureledger/dure/bench"
	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/keystore"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

// gateway opens an account for a gateway to the network and starts it. stop ends it.
func (n *benchRunning) gateway(ctx context.Context) (door *bench.Door, stop func(), err error) {
	home := filepath.Join(n.dir, "client")
	const passphrase = "demonstration" // of a key that lies beside it, of a network that is thrown away
	if err := errors.Join(os.MkdirAll(home, 0o700), os.WriteFile(filepath.Join(home, "passphrase"), []byte(passphrase+"\n"), 0o600)); err != nil {
		return nil, nil, err
	}
	store, err := keystore.Open(filepath.Join(home, "keys"), keystore.WorkFactor(demoWorkFactor))
	if err != nil {
		return nil, nil, err
	}
	key, err := store.New(gatewayKey, accountv1.KeyKind_KEY_KIND_ED25519, passphrase)
	if err != nil {
		return nil, nil, err
	}
	c, err := client.Dial(client.Config{Addresses: n.network.APIs})
	if err != nil {
		return nil, nil, err
	}
	id, err := c.Network(ctx)
	if err != nil {
		return nil, nil, err
	}
	bank := n.network.Issuer
	if _, err := act(ctx, c, client.NewTransaction(id).OpenAccount(bank.Key().Address(), key.Key), bank); err != nil {
		return nil, nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, nil, err
	}
	g := &gatewayProcess{home: home, dir: n.dir, node: n.network.APIs[0], listen: ports[0]}
	roots, err := g.startTrusted(ctx)
	if err != nil {
		g.stop()
		return nil, nil, err
	}
	return &bench.Door{Address: g.listen, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, PID: g.cmd.Process.Pid}, g.stop, nil
}
