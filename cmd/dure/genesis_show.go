package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/node"
)

// genesisView is a genesis file as printed.
type genesisView struct {
	Network string       `json:"network"`
	SHA256  string       `json:"sha256"`
	Time    string       `json:"time"`
	Members []memberView `json:"members"`
}

// memberView is a founding member. Node is the id of its node, the part before @ in p2p.peers.
type memberView struct {
	Name         string `json:"name"`
	Power        int64  `json:"power"`
	Node         string `json:"node"`
	Address      string `json:"address"`
	NodeKey      string `json:"nodeKey"`
	ValidatorKey string `json:"validatorKey"`
}

// newGenesisShow lets every member look at the genesis file before it starts.
func newGenesisShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Show what a genesis file says, and its digest",
		Long: `Shows the network's id, the file's SHA-256 and the members with their nodes' ids and accounts, and asks no node. Members compare
the digest by another way than the file came, and each looks for its own card in it, before they start.`,
		Example: "  dure genesis show genesis.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := readSmall(args[0], genesis.MaxFile)
			if err != nil {
				return err
			}
			g, err := genesis.Parse(file)
			if err != nil {
				return failed(args[0]+" is not a network's genesis file: "+err.Error(), "Ask for it again.")
			}
			view, err := viewGenesis(file, g)
			if err != nil {
				return err
			}
			return a.print(view, view.print)
		},
	}
}

func viewGenesis(file []byte, g *genesis.Genesis) (genesisView, error) {
	digest := sha256.Sum256(file)
	view := genesisView{Network: g.NetworkID, SHA256: hex.EncodeToString(digest[:]), Time: time.UnixMilli(g.GetTime()).UTC().Format(time.RFC3339)}
	for _, m := range g.GetNetwork().GetMembers() {
		address, err := tx.ToAddress(m.GetAddress())
		if err != nil {
			return genesisView{}, err
		}
		view.Members = append(view.Members, memberView{
			Name: m.GetName(), Power: m.GetPower(), Node: node.ID(m), Address: address.String(),
			NodeKey: hex.EncodeToString(m.GetNodeKey()), ValidatorKey: hex.EncodeToString(m.GetValidatorKey()),
		})
	}
	return view, nil
}

func (v genesisView) print(w io.Writer) {
	printFacts(w, []fact{{"network", v.Network}, {"sha256", v.SHA256}, {"time", v.Time}, {"members", strconv.Itoa(len(v.Members))}})
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NODE\tPOWER\tACCOUNT\tMEMBER") // the name is last: it may have spaces
	for _, m := range v.Members {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", m.Node, m.Power, m.Address, clean(m.Name))
	}
	_ = table.Flush() // as printFacts: a pipe that is closed is no failure of ours
}
