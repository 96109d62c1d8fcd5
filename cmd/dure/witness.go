package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/witness"
	"github.com/dureledger/dure/ledger/fault"
)

func newWitness(a *app) *cobra.Command {
	return parent("witness", "Cosign the network's checkpoints as an outside witness", `A witness is someone outside the network (an auditor, an archive, a device) who signs its checkpoints: I have seen one history and
no second. Whoever knows witnesses asks for their cosignatures when verifying receipts and checkpoints. The members may vote a witness
into the network's parameters; nodes take the cosignatures of a few others as well.`,
		witnessKeyShow(a), witnessOnce(a), witnessRun(a))
}

// witnessFlags say who the witness is and what it trusts in the beginning.
type witnessFlags struct {
	name, key           string
	genesis, checkpoint string
}

func (f *witnessFlags) register(a *app, cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "name", "", "your name as a witness, such as auditor.example (required)")
	cmd.Flags().StringVar(&f.key, "key", "", "name of the Ed25519 key in the keystore (required)")
	must(cmd.MarkFlagRequired("name"))
	must(cmd.MarkFlagRequired("key"))
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
}

func (f *witnessFlags) registerAnchor(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.genesis, "genesis", "", "trust this genesis file in the beginning (default HOME/genesis.json if it is there)")
	cmd.Flags().StringVar(&f.checkpoint, "checkpoint", "", "trust this checkpoint file in the beginning; with --genesis too, verify it from there first")
}

// witness makes the witness that the flags name. It asks all nodes, each by itself.
func (a *app) witness(ctx context.Context, f witnessFlags) (*witness.Witness, error) {
	key, err := a.witnessKey(f.key)
	if err != nil {
		return nil, err
	}
	w := &witness.Witness{Name: f.name, Key: key, Now: a.now}
	network := a.network
	if w.Anchor, err = a.anchor(anchorFlags{genesis: f.genesis, checkpoint: f.checkpoint}); err == nil {
		network = w.Anchor.Network()
	} else if f.genesis != "" || f.checkpoint != "" {
		return nil, err
	}
	if network == "" { // it goes on from its file, whose network has to be known
		c, err := a.ledger()
		if err != nil {
			return nil, err
		}
		if network, err = c.Network(ctx); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(a.home, 0o700); err != nil {
		return nil, err
	}
	w.File = a.cosignedFile(f.key, network)
	for _, address := range a.nodes {
		c, err := client.Dial(client.Config{
			Addresses: []string{address}, Network: network, CAFile: a.caFile, CertFile: a.certFile, KeyFile: a.certKeyFile, Patience: a.patience, Clock: a.clock,
		})
		if err != nil {
			return nil, usage(err.Error())
		}
		w.Nodes = append(w.Nodes, c)
	}
	return w, nil
}

// witnessView is a round as JSON.
type witnessView struct {
	Witness string   `json:"witness"`
	Height  int64    `json:"height,omitempty"`
	Time    string   `json:"time,omitempty"`
	Size    uint64   `json:"size,omitempty"`
	Signed  bool     `json:"signed"`
	Sent    int      `json:"sent"`
	Failed  []string `json:"failed"`
}

func (a *app) showRound(w *witness.Witness, r *witness.Round, err error) error {
	view := witnessView{Witness: w.Verifier().String(), Height: r.Height, Size: r.Size, Signed: r.Signed, Sent: r.Sent, Failed: []string{}}
	if r.Height > 0 {
		view.Time = clockTime(r.Time)
	}
	for _, one := range r.Failed {
		view.Failed = append(view.Failed, one.Error())
	}
	return a.print(view, func(out io.Writer) {
		switch {
		case err != nil:
			fmt.Fprintln(out, "No node showed a checkpoint that holds.")
		case r.Signed:
			fmt.Fprintf(out, "Cosigned height %d, history of %d; handed in to %d of %d nodes.\n", r.Height, r.Size, r.Sent, len(w.Nodes))
		case r.Sent > 0:
			fmt.Fprintf(out, "Handed in the cosignature of height %d to %d of %d nodes.\n", r.Height, r.Sent, len(w.Nodes))
		default:
			fmt.Fprintf(out, "Nothing new since height %d.\n", r.Height)
		}
		for _, one := range view.Failed {
			fmt.Fprintf(out, "  %s\n", clean(one))
		}
	})
}

// witnessError gives the error of a witness its exit code: what does not hold is not verified.
func witnessError(err error) error {
	switch fault.Code(err) {
	case "":
		return err
	case "witness.second_history":
		return notVerified(err, "Do not delete anything. Until it is cleared up this witness must not sign; it refuses to as long as the node shows that history.")
	case "witness.no_node":
		return failed(err.Error(), "see that the nodes named with --node run, and try again")
	case "witness.no_anchor":
		return usage("nothing is cosigned yet: say what you trust in the beginning, --genesis FILE or --checkpoint FILE")
	}
	return failed(err.Error(), "")
}

func witnessKeyShow(a *app) *cobra.Command {
	var f witnessFlags
	cmd := &cobra.Command{
		Use: "key", Short: "Show the key by which others know you as a witness", Args: cobra.NoArgs,
		Long:    "Shows the witness's verifier key, which is given to --witness and may be voted into the network's parameters with dure network propose --set witnesses=…",
		Example: "  dure key new auditor\n  dure witness key --name auditor.example --key auditor",
		RunE: func(*cobra.Command, []string) error {
			key, err := a.witnessKey(f.key)
			if err != nil {
				return err
			}
			w := witness.Witness{Name: f.name, Key: key}
			return a.print(map[string]string{"witness": w.Verifier().String()}, func(out io.Writer) { fmt.Fprintln(out, w.Verifier()) })
		},
	}
	f.register(a, cmd)
	return cmd
}

const witnessLong = `Fetches the checkpoint to cosign from every node named with --node, verifies it from the last one cosigned (kept in the home folder and on
disk before it is signed; the first time, from --genesis or --checkpoint), also that its history begins with that one's, signs it and
hands the signature back. If a node shows a second history, nothing is signed and the exit code is 3.`

func witnessOnce(a *app) *cobra.Command {
	var f witnessFlags
	cmd := &cobra.Command{
		Use: "once", Short: "Cosign the checkpoint of now, once", Args: cobra.NoArgs, Long: witnessLong,
		Example: "  dure witness once --name auditor.example --key auditor --genesis genesis.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := a.witness(cmd.Context(), f)
			if err != nil {
				return err
			}
			r, err := w.Once(cmd.Context())
			if err != nil {
				return witnessError(err)
			}
			return a.showRound(w, r, nil)
		},
	}
	f.register(a, cmd)
	f.registerAnchor(cmd)
	return cmd
}

func witnessRun(a *app) *cobra.Command {
	var f witnessFlags
	var every time.Duration
	cmd := &cobra.Command{
		Use: "run", Short: "Cosign checkpoints until stopped", Args: cobra.NoArgs, Long: witnessLong,
		Example: "  dure witness run --name auditor.example --key auditor --node https://a.example,https://b.example --genesis genesis.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if every < 100*time.Millisecond {
				return usage("--every: want 100ms or more")
			}
			w, err := a.witness(cmd.Context(), f)
			if err != nil {
				return err
			}
			var broken error
			err = w.Run(cmd.Context(), every, func(r *witness.Round, err error) {
				if err != nil || r.Signed || r.Sent > 0 || len(r.Failed) > 0 {
					broken = errors.Join(broken, a.showRound(w, r, err))
				}
			})
			return errors.Join(witnessError(err), broken)
		},
	}
	cmd.Flags().DurationVar(&every, "every", time.Minute, "how often the nodes are asked")
	f.register(a, cmd)
	f.registerAnchor(cmd)
	return cmd
}
