package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/light"
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

func newReceipt(a *app) *cobra.Command {
	return parent("receipt", "Proofs of what happened, which stand alone", `A receipt is one file that proves that a transaction had an outcome at a time, signed by more than two thirds of the
validators. It can be verified offline by anyone who knows the network's genesis file or one checkpoint.`,
		receiptGet(a), receiptVerify(a), receiptRefresh(a))
}

func receiptGet(a *app) *cobra.Command {
	var out string
	var from anchorFlags
	var witnessed bool
	cmd := &cobra.Command{
		Use: "get ID", Short: "Fetch the receipt of a transaction", Args: cobra.ExactArgs(1), ValidArgsFunction: cobra.NoFileCompletions,
		Long: `Fetches the receipt of a committed transaction and writes it to a file. It is verified first if there is something to verify
it from (--genesis, --checkpoint, or HOME/genesis.json).

With --witnessed the receipt carries the cosignatures of outside witnesses on the newest checkpoint that has enough: --least of anybody's,
or as many as the network asks for. With --witness it is checked that these are among them.`,
		Example: "  dure receipt get 5f1c… -o r.dure\n  dure receipt get 5f1c… -o r.dure --checkpoint c.txt\n  dure receipt get 5f1c… -o r.dure --witnessed --least 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := parseDigest(args[0], "transaction id"); err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			trusted, get := int64(0), func(trusted int64) ([]byte, error) { return c.Receipt(cmd.Context(), args[0], trusted) }
			if witnessed {
				get = func(trusted int64) ([]byte, error) {
					return c.WitnessedReceipt(cmd.Context(), args[0], trusted, max(0, from.least))
				}
			}
			var anchor *light.Anchor
			if from.genesis != "" || from.checkpoint != "" || exists(filepath.Join(a.home, "genesis.json")) {
				if anchor, err = a.anchor(from); err != nil {
					return err
				}
				trusted = anchor.Height()
			}
			file, err := get(trusted)
			if err != nil {
				return err
			}
			grounds, witnesses := "not verified: give --genesis or --checkpoint", ""
			if anchor != nil {
				verified, err := checkGot(file, args[0], anchor, from, witnessed)
				if err != nil {
					return err
				}
				grounds, witnesses = flat(verified.Grounds.String()), verified.Witnesses()
			}
			if err := writeNew(out, file, 0o644); err != nil {
				return err
			}
			return a.print(map[string]any{"file": out, "bytes": len(file), "id": args[0], "grounds": grounds, "witnesses": witnesses}, func(w io.Writer) {
				fmt.Fprintf(w, "Wrote %s, %d bytes.\n", out, len(file))
				printFacts(w, []fact{{"transaction", args[0]}, {"rests on", grounds}, {"witnesses", witnesses}})
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; it must not exist (required)")
	must(cmd.MarkFlagRequired("out"))
	cmd.Flags().BoolVar(&witnessed, "witnessed", false, "a receipt that carries cosignatures of outside witnesses")
	from.register(cmd)
	from.registerLeast(cmd)
	return cmd
}

// checkGot verifies a receipt that a node gave. Cosignatures are asked for only when they were asked for there.
func checkGot(file []byte, id string, anchor *light.Anchor, from anchorFlags, witnessed bool) (*light.Verified, error) {
	policy, err := from.receiptPolicy()
	if err != nil {
		return nil, err
	}
	if !witnessed {
		policy.Threshold = 0
	}
	policy.Threshold = min(policy.Threshold, len(policy.Witnesses)) // the node counts those of witnesses that were not named
	verified, err := anchor.VerifyWitnessed(file, policy)
	if err != nil {
		return nil, notVerified(err, "The node gave a receipt that does not hold. Ask another with --node.")
	}
	if hex.EncodeToString(verified.ID[:]) != id {
		return nil, notVerified(errors.New("the node gave the receipt of another transaction"), "Ask another with --node.")
	}
	return verified, nil
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
	policy, err := from.receiptPolicy()
	if err != nil {
		return nil, err
	}
	if policy.Threshold > len(policy.Witnesses) {
		return nil, usagef("--least %d: you name %d witnesses; name those you know with --witness", policy.Threshold, len(policy.Witnesses))
	}
	verified, err := anchor.VerifyWitnessed(file, policy)
	if err != nil {
		return nil, notVerified(err, "Nothing in "+path+" can be relied on.")
	}
	return verified, nil
}

func receiptVerify(a *app) *cobra.Command {
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify a receipt, offline", Args: cobra.ExactArgs(1),
		Long: `Verifies a receipt without asking anybody, and says what happened, when, what that rests on, and which of the witnesses you
know (--witness) have cosigned it. It does not hold if fewer than --least of them have: whose word counts is your choice, not the network's.
Exit code 0 when the receipt holds (also of a transaction that was refused), 3 when it does not.`,
		Example: `  dure receipt verify r.dure --genesis genesis.json
  dure receipt verify r.dure --checkpoint c.txt
  dure receipt verify r.dure --genesis genesis.json --witness auditor.example+5f3a… --witness archive.example+77c0… --least 1`,
		RunE: func(_ *cobra.Command, args []string) error {
			v, err := a.verifyReceiptFile(args[0], from)
			if err != nil {
				return err
			}
			return a.print(viewVerified(v), func(w io.Writer) { fmt.Fprintln(w, strings.TrimSpace(v.String())) })
		},
	}
	from.register(cmd)
	from.registerLeast(cmd)
	return cmd
}

// verifiedView is a verified receipt as JSON.
type verifiedView struct {
	Verified   bool     `json:"verified"`
	ID         string   `json:"id"`
	OK         bool     `json:"ok"`
	Code       string   `json:"code,omitempty"`
	Message    string   `json:"message,omitempty"`
	Time       string   `json:"time"`
	Height     int64    `json:"height"`
	Network    string   `json:"network"`
	SignedAt   string   `json:"signedAt"`
	SignedIn   int64    `json:"signedInHeight"`
	Signatures int      `json:"signatures"`
	Validators int      `json:"validators"`
	Changes    int      `json:"validatorChanges"`
	Basis      string   `json:"basis"`
	RestsOn    string   `json:"restsOn"`
	Cosigned   []string `json:"cosigned"`
	// Others is how many have cosigned it whom the verifier did not name.
	Others      int    `json:"cosignedByOthers"`
	Transaction []byte `json:"transaction,omitempty"`
}

func viewVerified(v *light.Verified) verifiedView {
	return verifiedView{
		Verified: true, ID: hex.EncodeToString(v.ID[:]), OK: v.OK(), Code: v.Outcome.GetRefusal().GetCode(), Message: v.Outcome.GetRefusal().GetMessage(),
		Time: clockTime(v.Executed), Height: v.Outcome.GetHeight(), Network: v.Network, SignedAt: clockTime(v.Grounds.Time), SignedIn: v.Grounds.Height,
		Signatures: v.Signatures, Validators: v.Validators, Changes: v.Changes, Basis: v.Basis.String(), RestsOn: flat(v.Grounds.String()), Transaction: v.Transaction,
		Cosigned: cosigners(v.Cosignatures), Others: v.Others,
	}
}

// cosigners says who has cosigned and when.
func cosigners(list []proof.Cosignature) []string {
	out := []string{}
	for _, c := range list {
		out = append(out, c.Witness.Name+" at "+clockTime(time.Unix(c.Time, 0)))
	}
	return out
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
