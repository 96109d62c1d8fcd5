package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
)

// flat turns the columns in which light says what a verification rests on into one line.
func flat(columns string) string {
	var parts []string
	for line := range strings.Lines(columns) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			parts = append(parts, line)
		}
	}
	return strings.Join(parts, "; ")
}

// anchorFlags say what a verification starts from.
type anchorFlags struct {
	genesis, checkpoint string
	witnesses           []string
	quorum              int
}

func (f *anchorFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.genesis, "genesis", "", "trust this genesis file (default HOME/genesis.json if it is there)")
	cmd.Flags().StringVar(&f.checkpoint, "checkpoint", "", "trust this checkpoint file; with --genesis too, verify it from there first")
	cmd.Flags().StringArrayVar(&f.witnesses, "witness", nil, "a witness key that must have cosigned the checkpoint; may be repeated")
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

func newReceipt(a *app) *cobra.Command {
	return parent("receipt", "Proofs of what happened, which stand alone", `A receipt is one file that proves that a transaction had an outcome at a time, signed by more than two thirds of the
validators. It can be verified offline by anyone who knows the network's genesis file or one checkpoint.`,
		receiptGet(a), receiptVerify(a), receiptRefresh(a))
}

func receiptGet(a *app) *cobra.Command {
	var out string
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "get ID", Short: "Fetch the receipt of a transaction", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		Long: `Fetches the receipt of a committed transaction and writes it to a file. It is verified first if there is something to verify
it from (--genesis, --checkpoint, or HOME/genesis.json).`,
		Example: "  dure receipt get 5f1c… -o r.dure\n  dure receipt get 5f1c… -o r.dure --checkpoint c.txt",
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := parseDigest(args[0], "transaction id"); err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			var file []byte
			grounds := "not verified: give --genesis or --checkpoint"
			if from.genesis != "" || from.checkpoint != "" || exists(filepath.Join(a.home, "genesis.json")) {
				anchor, err := a.anchor(from)
				if err != nil {
					return err
				}
				if file, err = c.Receipt(cmd.Context(), args[0], anchor.Height()); err != nil {
					return err
				}
				verified, err := anchor.VerifyReceipt(file)
				if err != nil {
					return notVerified(err, "The node gave a receipt that does not hold. Ask another with --node.")
				}
				if hex.EncodeToString(verified.ID[:]) != args[0] {
					return notVerified(errors.New("the node gave the receipt of another transaction"), "Ask another with --node.")
				}
				grounds = flat(verified.Grounds.String())
			} else if file, err = c.Receipt(cmd.Context(), args[0], 0); err != nil {
				return err
			}
			if err := writeNew(out, file, 0o644); err != nil {
				return err
			}
			return a.print(map[string]any{"file": out, "bytes": len(file), "id": args[0], "grounds": grounds}, func(w io.Writer) {
				fmt.Fprintf(w, "Wrote %s, %d bytes.\n", out, len(file))
				printFacts(w, []fact{{"transaction", args[0]}, {"rests on", grounds}})
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; it must not exist (required)")
	must(cmd.MarkFlagRequired("out"))
	from.register(cmd)
	return cmd
}

// verifyReceiptFile verifies a receipt. It opens files only.
func (a *app) verifyReceiptFile(path string, from anchorFlags) (*light.Verified, error) {
	anchor, err := a.anchor(from)
	if err != nil {
		return nil, err
	}
	file, err := readSmall(path, proof.MaxReceipt)
	if err != nil {
		return nil, err
	}
	verified, err := anchor.VerifyReceipt(file)
	if err != nil {
		return nil, notVerified(err, "Nothing in "+path+" can be relied on.")
	}
	return verified, nil
}

func receiptVerify(a *app) *cobra.Command {
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify a receipt, offline", Args: cobra.ExactArgs(1),
		Long: `Verifies a receipt without asking anybody, and says what happened, when, and what that rests on. Exit code 0 when the receipt
holds (also of a transaction that was refused), 3 when it does not.`,
		Example: "  dure receipt verify r.dure --genesis genesis.json\n  dure receipt verify r.dure --checkpoint c.txt",
		RunE: func(_ *cobra.Command, args []string) error {
			v, err := a.verifyReceiptFile(args[0], from)
			if err != nil {
				return err
			}
			return a.print(viewVerified(v), func(w io.Writer) { fmt.Fprintln(w, strings.TrimSpace(v.String())) })
		},
	}
	from.register(cmd)
	return cmd
}

// verifiedView is a verified receipt as JSON.
type verifiedView struct {
	Verified    bool   `json:"verified"`
	ID          string `json:"id"`
	OK          bool   `json:"ok"`
	Code        string `json:"code,omitempty"`
	Message     string `json:"message,omitempty"`
	Time        string `json:"time"`
	Height      int64  `json:"height"`
	Network     string `json:"network"`
	SignedAt    string `json:"signedAt"`
	SignedIn    int64  `json:"signedInHeight"`
	Signatures  int    `json:"signatures"`
	Validators  int    `json:"validators"`
	Changes     int    `json:"validatorChanges"`
	Basis       string `json:"basis"`
	RestsOn     string `json:"restsOn"`
	Transaction []byte `json:"transaction,omitempty"`
}

func viewVerified(v *light.Verified) verifiedView {
	return verifiedView{
		Verified: true, ID: hex.EncodeToString(v.ID[:]), OK: v.OK(), Code: v.Outcome.GetRefusal().GetCode(), Message: v.Outcome.GetRefusal().GetMessage(),
		Time: clockTime(v.Executed), Height: v.Outcome.GetHeight(), Network: v.Network, SignedAt: clockTime(v.Grounds.Time), SignedIn: v.Grounds.Height,
		Signatures: v.Signatures, Validators: v.Validators, Changes: v.Changes, Basis: v.Basis.String(), RestsOn: flat(v.Grounds.String()), Transaction: v.Transaction,
	}
}

func receiptRefresh(a *app) *cobra.Command {
	var from anchorFlags
	var out string
	cmd := &cobra.Command{
		Use: "refresh FILE", Short: "Fetch a receipt anew, so that it rests on a newer header or checkpoint", Args: cobra.ExactArgs(1),
		Long: `Verifies the receipt, fetches it anew from a node, verifies that too, and makes sure that both say the same. Old validators' keys
may leak years later; a receipt refreshed against a newer checkpoint no longer rests on them. Give --genesis or what the old receipt was
verified from, and --checkpoint for the new one.`,
		Example: "  dure receipt refresh r.dure --genesis genesis.json -o r2.dure\n  dure receipt refresh r.dure --genesis genesis.json --checkpoint new.txt -o r2.dure",
		RunE: func(cmd *cobra.Command, args []string) error {
			old := from
			if from.genesis != "" {
				old.checkpoint = ""
			}
			before, err := a.verifyReceiptFile(args[0], old)
			if err != nil {
				return err
			}
			anchor, err := a.anchor(from)
			if err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			file, after, err := c.Prove(cmd.Context(), hex.EncodeToString(before.ID[:]), anchor)
			if file == nil && err != nil {
				return err
			}
			if err == nil {
				err = light.SameOutcome(before, after)
			}
			if err != nil {
				return notVerified(err, "Keep the old receipt. If both hold and contradict each other, they prove that validators signed two histories: show both to the members.")
			}
			if err := writeNew(out, file, 0o644); err != nil {
				return err
			}
			return a.print(viewVerified(after), func(w io.Writer) {
				fmt.Fprintf(w, "Wrote %s, %d bytes. It says the same, signed at height %d.\n", out, len(file), after.Grounds.Height)
				fmt.Fprintln(w, strings.TrimSpace(after.String()))
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; it must not exist (required)")
	must(cmd.MarkFlagRequired("out"))
	from.register(cmd)
	return cmd
}
