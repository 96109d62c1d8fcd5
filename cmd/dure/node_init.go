package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

// newInit makes a node's home folder.
func newInit(a *app) *cobra.Command {
	var home, name, member, validator, listen, signer, keyType string
	var power int64
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the folder of a new node: keys, configuration and the member's card",
		Long: `Makes a node's home folder with fresh node and validator keys, a configuration, and member.json: the card
with public keys that the members exchange before "dure genesis" makes the network's first file.

The account acts for the member: the address or the name of an Ed25519 key made with "dure key new".

With --key-type mldsa65 the validator signs with ML-DSA-65 (FIPS 204), which quantum computers are not known to break; each member of a
network may choose. Receipts then have some 9 KB more, and devices cannot check them: docs/post-quantum.md says what it costs and what it does not protect.

With --validator-key the validator's private key is not made here: a signer has it ("dure signer init" shows the public
key and the id), and the node waits for the signer at --validator-listen.`,
		Example: "  dure key new bank\n  dure init --home /var/lib/dure --name \"Han Bank\" --member bank\n" +
			"  dure init --home /var/lib/dure --name \"Han Bank\" --member bank --key-type mldsa65\n" +
			"  dure init --home /var/lib/dure --name \"Han Bank\" --member bank --validator-key HEX --validator-listen 10.0.0.5:26659 --validator-signer ID",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			acting, err := a.party(member)
			if err != nil {
				return err
			}
			if (validator == "") != (listen == "") {
				return usage("--validator-key and --validator-listen go together: the public key, and where the node waits for the signer that has the private one")
			}
			how, err := validatorOf(keyType, validator, cmd.Flags().Changed("key-type"))
			if err != nil {
				return err
			}
			config, err := node.Load("", noEnv, map[string]string{"member": acting.address.String(), "validator.listen": listen, "validator.signer": signer})
			if err != nil {
				return err
			}
			m, err := node.Home(home).Create(name, acting.address[:], power, how, config)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Made %s for %s.\nNode id: %s\nGive %s to the other members, put the network's genesis.json beside it, then: dure start --home %s\n",
				home, name, node.ID(m), node.Home(home).Card(), home)
			return nil
		},
	}
	cmd.Flags().StringVar(&home, "home", "dure-node", "the node's folder; must not have a node yet")
	cmd.Flags().StringVar(&name, "name", "", "the member's name, for people")
	cmd.Flags().StringVar(&member, "member", "", "account that acts for the member: address or name of a key")
	cmd.Flags().Int64Var(&power, "power", 10, "voting power in consensus; 0: does not validate")
	cmd.Flags().StringVar(&validator, "validator-key", "", "the validator's public key in hex, or a file with it, when a signer has the private one")
	keyTypeFlag(cmd, &keyType)
	cmd.Flags().StringVar(&listen, "validator-listen", "", "host:port or unix://path where the node waits for the signer")
	cmd.Flags().StringVar(&signer, "validator-signer", "", "id of the signer that is let in over host:port")
	must(cmd.MarkFlagRequired("name"))
	must(cmd.MarkFlagRequired("member"))
	return cmd
}

// newGenesis joins members' cards to a genesis file.
func newGenesis(a *app) *cobra.Command {
	var name, out string
	cmd := &cobra.Command{
		Use:   "genesis CARD...",
		Short: "Make a network's genesis file from its members' cards",
		Long: `Joins the cards that "dure init" made at each member to the file the network starts from. One member makes it and
gives it to the others: every member must have the same bytes, because the network's id is derived from them.`,
		Example: "  dure genesis --name krx bank/member.json broker/member.json insurer/member.json city/member.json -o genesis.json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, cards []string) error {
			var members []*networkv1.Member
			for _, card := range cards {
				m, err := node.ReadCard(card)
				if err != nil {
					return err
				}
				members = append(members, m)
			}
			file, err := node.GenesisFile(name, members, nil)
			if err != nil {
				return err
			}
			g, err := genesis.Parse(file)
			if err != nil {
				return err
			}
			if err := os.WriteFile(out, file, 0o644); err != nil { // public
				return fmt.Errorf("genesis: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Made %s for network %s with %d members.\n", out, g.NetworkID, len(members))
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the network's name: 1 to 16 of a-z, 0-9 and dashes")
	cmd.Flags().StringVarP(&out, "output", "o", "genesis.json", "file to write")
	must(cmd.MarkFlagRequired("name"))
	cmd.AddCommand(newGenesisShow(a))
	return cmd
}

// keyTypeFlag adds --key-type.
func keyTypeFlag(cmd *cobra.Command, keyType *string) {
	kinds := []string{"ed25519", "mldsa65"}
	cmd.Flags().StringVar(keyType, "key-type", kinds[0], "kind of the validator's key: ed25519, mldsa65")
	must(cmd.RegisterFlagCompletionFunc("key-type", cobra.FixedCompletions(kinds, cobra.ShellCompDirectiveNoFileComp)))
}

// validatorKind reads --key-type.
func validatorKind(keyType string) (accountv1.KeyKind, error) {
	kind, err := tx.ParseKind(keyType)
	if err != nil || kind != accountv1.KeyKind_KEY_KIND_ED25519 && kind != accountv1.KeyKind_KEY_KIND_ML_DSA_65 {
		return 0, usagef("--key-type %q: validators sign with ed25519 or mldsa65", keyType)
	}
	return kind, nil
}

// validatorOf reads how the validator signs: a kind of key to make, or a public key, in hex or in a file, whose private one a signer has.
func validatorOf(keyType, public string, chosen bool) (*node.Validator, error) {
	kind, err := validatorKind(keyType)
	if err != nil || public == "" {
		return &node.Validator{Kind: kind}, err
	}
	if chosen {
		return nil, usage("--key-type is for a key that is made here; with --validator-key the signer has made it")
	}
	if raw, err := os.ReadFile(public); err == nil {
		public = string(raw)
	}
	key, err := node.ParseValidatorKey(public)
	if err != nil {
		return nil, usage(err.Error())
	}
	return &node.Validator{Public: key}, nil
}

func noEnv(string) (string, bool) { return "", false }
