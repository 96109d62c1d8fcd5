package main

import (
	"crypto/ed25519"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/node"
)

// newInit makes a node's home folder.
func newInit(a *app) *cobra.Command {
	var home, name, member, validator, listen, signer string
	var power int64
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the folder of a new node: keys, configuration and the member's card",
		Long: `Makes a node's home folder with fresh node and validator keys, a configuration, and member.json: the card
with public keys that the members exchange before "dure genesis" makes the network's first file.

The account acts for the member: the address or the name of an Ed25519 key made with "dure key new".

With --validator-key the validator's private key is not made here: a signer has it ("dure signer init" shows the public
key and the id), and the node waits for the signer at --validator-listen.`,
		Example: "  dure key new bank\n  dure init --home /var/lib/dure --name \"Han Bank\" --member bank\n" +
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
			var public ed25519.PublicKey
			if validator != "" {
				if public, err = node.ParseValidatorKey(validator); err != nil {
					return usage(err.Error())
				}
			}
			config, err := node.Load("", noEnv, map[string]string{"member": acting.address.String(), "validator.listen": listen, "validator.signer": signer})
			if err != nil {
				return err
			}
			m, err := node.Home(home).Create(name, acting.address[:], power, public, config)
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
	cmd.Flags().StringVar(&validator, "validator-key", "", "the validator's public key, 64 hex digits, when a signer has the private one")
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

func noEnv(string) (string, bool) { return "", false }
