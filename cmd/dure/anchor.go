package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
)

// anchorFlags say what a verification starts from.
type anchorFlags struct {
	genesis, checkpoint string
	witnesses           []string
	quorum              int
	// least is how many of the witnesses must have cosigned a receipt itself; below 0: all, or none when they vouch for a
	// checkpoint.
	least int
}

func (f *anchorFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.genesis, "genesis", "", "trust this genesis file (default HOME/genesis.json if it is there)")
	cmd.Flags().StringVar(&f.checkpoint, "checkpoint", "", "trust this checkpoint file; with --genesis too, verify it from there first")
	cmd.Flags().StringArrayVar(&f.witnesses, "witness", nil, "the key of a witness you know; it must have cosigned the checkpoint; may be repeated")
	cmd.Flags().IntVar(&f.quorum, "quorum", 0, "how many of the witnesses must have cosigned (default all)")
}

func (f *anchorFlags) policy() (p proof.Policy, err error) {
	for _, text := range f.witnesses {
		w, err := proof.ParseWitness(text)
		if err != nil {
			return p, usage(err.Error())
		}
		p.Witnesses = append(p.Witnesses, w)
	}
	if p.Threshold = f.quorum; f.quorum == 0 {
		p.Threshold = len(p.Witnesses)
	}
	return p, nil
}

// registerLeast is for commands that verify receipts: whose cosignatures count, and how many, is for the verifier to say.
func (f *anchorFlags) registerLeast(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.least, "least", -1, "how many of the witnesses must have cosigned the receipt itself (default all; with --checkpoint, none)")
}

// receiptPolicy is what is asked of the cosignatures of a receipt.
func (f *anchorFlags) receiptPolicy() (proof.Policy, error) {
	p, err := f.policy()
	switch p.Threshold = f.least; {
	case f.least < 0 && f.checkpoint == "":
		p.Threshold = len(p.Witnesses)
	case f.least < 0:
		p.Threshold = 0
	}
	return p, err
}

// anchor reads what is trusted. It opens files only.
func (a *app) anchor(f anchorFlags) (*light.Anchor, error) {
	policy, err := f.policy()
	if err != nil {
		return nil, err
	}
	if f.genesis == "" && f.checkpoint == "" {
		if f.genesis = filepath.Join(a.home, "genesis.json"); !exists(f.genesis) {
			return nil, usage("say what you trust: --genesis FILE, or --checkpoint FILE")
		}
	}
	var base *light.Anchor
	if f.genesis != "" {
		file, err := readSmall(f.genesis, genesis.MaxFile)
		if err != nil {
			return nil, err
		}
		if base, err = light.FromGenesis(file); err != nil {
			return nil, notVerified(fmt.Errorf("%s: %w", f.genesis, err), "")
		}
		if f.checkpoint == "" {
			return base, nil
		}
	}
	file, err := readSmall(f.checkpoint, proof.MaxCheckpoint)
	if err != nil {
		return nil, err
	}
	if base != nil {
		verified, err := base.VerifyCheckpoint(file, policy)
		if err != nil {
			return nil, notVerified(err, "Do not trust "+f.checkpoint+".")
		}
		return verified.Anchor(), nil
	}
	anchor, err := light.FromCheckpoint(file, policy)
	if err != nil {
		return nil, notVerified(err, "Do not trust "+f.checkpoint+".")
	}
	return anchor, nil
}
