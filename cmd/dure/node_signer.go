package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/node"
)

const signerLong = `Holds a validator's key in a process of its own, on this machine or another, and signs what its node asks for. It keeps
the record of what it has signed and never signs twice. It dials the node, again and again, so the machine with the key
needs no open port.

Over host:port the connection is encrypted and both sides prove who they are: the signer lets itself be asked only by the
node whose id is in --node, the node only by the signer in its setting validator.signer. The network's id is that in
genesis.json in the signer's folder, or --network. docs/signer.md has the whole way.`

// newSigner runs the signing side of a node whose validator key lives elsewhere.
func newSigner(a *app) *cobra.Command {
	var home, target string
	cmd := &cobra.Command{
		Use:   "signer",
		Short: "Hold a validator's key apart from its node and sign for it",
		Long:  signerLong,
		Example: "  dure signer init --home /var/lib/dure-signer\n" +
			"  dure signer --home /var/lib/dure-signer --node 5f3a…@10.0.0.5:26659\n" +
			"  dure signer --home /var/lib/dure-signer --node unix:///run/dure/signer.sock",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sign(cmd, node.SignerHome(home), target) },
	}
	cmd.Flags().StringVar(&home, "home", "dure-signer", "the signer's folder")
	cmd.Flags().StringVar(&target, "node", "", "the node to sign for: id@host:port or unix://path, as its setting validator.listen says")
	cmd.AddCommand(newSignerInit())
	return cmd
}

func (a *app) sign(cmd *cobra.Command, home node.SignerHome, target string) error {
	if _, hostport, ok := strings.Cut(target, "@"); !strings.HasPrefix(target, "unix://") && (!ok || !strings.Contains(hostport, ":")) {
		return usage(fmt.Sprintf("--node %q: want id@host:port (\"dure init\" showed the node's id) or unix://path", target))
	}
	network, err := a.signedNetwork(home)
	if err != nil {
		return err
	}
	unlock, err := lockFolder(string(home))
	if err != nil {
		return fmt.Errorf("another signer must never use the same key: %w", err)
	}
	defer unlock()
	log, err := newLogger(&node.Config{LogLevel: "info", LogFormat: "text"})
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	log.Info("signing", "network", network, "node", target)
	return home.Run(ctx, network, target, log)
}

// signedNetwork is the one network that the signer signs for.
func (a *app) signedNetwork(home node.SignerHome) (string, error) {
	if a.network != "" {
		return a.network, nil
	}
	file := filepath.Join(string(home), "genesis.json")
	raw, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%s is missing: copy the network's genesis file there, or give --network", file)
	}
	if err != nil {
		return "", fmt.Errorf("genesis: %w", err)
	}
	g, err := genesis.Parse(raw)
	if err != nil {
		return "", err
	}
	return g.NetworkID, nil
}

// newSignerInit makes a signer's folder.
func newSignerInit() *cobra.Command {
	var home, keyType string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the folder of a new signer: a validator key, and a key for the connection to the node",
		Long: `Makes a signer's folder with a fresh validator key, a key that proves to the node who is dialling, and the record of
what was signed, which is empty. Keep the folder on one machine only, and never start from an old copy of the record.
validator.pub in it is the validator's public key, for "dure init" on the node's machine.`,
		Example: "  dure signer init --home /var/lib/dure-signer\n  dure signer init --home /var/lib/dure-signer --key-type mldsa65",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kind, err := validatorKind(keyType)
			if err != nil {
				return err
			}
			card, err := node.SignerHome(home).Create(kind)
			if err != nil {
				return err
			}
			public, given := fmt.Sprintf("%x", card.ValidatorKey), "validator.pub"
			if len(public) == 64 {
				given = public
			} else {
				public = public[:64] + "… (whole in " + card.File + ")"
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Made %s.\nValidator key (public): %s\nSigner id: %s\n"+
				"On the node's machine: dure init … --validator-key %s --validator-listen HOST:PORT --validator-signer %s\n"+
				"Then, with the network's genesis.json in %s: dure signer --home %s --node NODE-ID@HOST:PORT\n",
				home, public, card.ID, given, card.ID, home, home)
			return nil
		},
	}
	cmd.Flags().StringVar(&home, "home", "dure-signer", "the signer's folder; must not have a signer yet")
	keyTypeFlag(cmd, &keyType)
	return cmd
}
