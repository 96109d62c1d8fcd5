package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/client/witness"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
)

func newCheckpoint(a *app) *cobra.Command {
	return parent("checkpoint", "Signed states of the ledger to verify from", `A checkpoint states the ledger's history, state and validators at a height, signed by more than two thirds of them. Whoever
trusts one can verify receipts from it. Outside witnesses (auditors, devices) can cosign it, so that validators who leak their
old keys years later can forge nothing.`,
		checkpointGet(a), checkpointCosign(a), checkpointVerify(a))
}

// checkpointView is a verified checkpoint as JSON.
type checkpointView struct {
	Verified   bool     `json:"verified"`
	Network    string   `json:"network"`
	Height     int64    `json:"height"`
	Time       string   `json:"time"`
	Size       uint64   `json:"size"`
	Root       string   `json:"root"`
	StateRoot  string   `json:"stateRoot"`
	Header     string   `json:"header"`
	Validators int      `json:"validators"`
	Signatures int      `json:"signatures"`
	Cosigned   []string `json:"cosigned"`
	RestsOn    string   `json:"restsOn"`
	File       string   `json:"file,omitempty"`
}

func viewCheckpoint(v *light.VerifiedCheckpoint, file string) checkpointView {
	out := checkpointView{
		Verified: true, Network: v.Network, Height: v.Grounds.Height, Time: clockTime(v.Grounds.Time), Size: v.Checkpoint.Size,
		Root: hex.EncodeToString(v.Checkpoint.Root[:]), StateRoot: hex.EncodeToString(v.Checkpoint.StateRoot[:]), Header: hex.EncodeToString(v.Grounds.Header[:]),
		Validators: v.Validators, Signatures: v.Signatures, Cosigned: cosigners(v.Cosignatures), RestsOn: flat(v.Grounds.String()), File: file,
	}
	return out
}

func checkpointGet(a *app) *cobra.Command {
	var out string
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "get", Short: "Fetch a checkpoint of the newest provable header, and verify it", Args: cobra.NoArgs,
		Example: "  dure checkpoint get --genesis genesis.json -o c.txt\n  dure checkpoint get --checkpoint old.txt -o new.txt",
		RunE: func(cmd *cobra.Command, _ []string) error {
			anchor, err := a.anchor(anchorFlags{genesis: from.genesis, checkpoint: from.checkpoint})
			if err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			file, err := c.Checkpoint(cmd.Context(), anchor.Height())
			if err != nil {
				return err
			}
			v, err := anchor.VerifyCheckpoint(file, proof.Policy{})
			if err != nil {
				return notVerified(err, "The node gave a checkpoint that does not hold. Ask another with --node.")
			}
			if err := writeNew(out, file, 0o644); err != nil {
				return err
			}
			return a.print(viewCheckpoint(v, out), func(w io.Writer) {
				fmt.Fprintf(w, "Wrote %s, %d bytes.\n%s\n", out, len(file), strings.TrimSpace(v.String()))
			})
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; it must not exist (required)")
	must(cmd.MarkFlagRequired("out"))
	from.register(cmd)
	return cmd
}

// verifyCheckpointFile verifies a checkpoint from an older anchor. It opens files only.
func (a *app) verifyCheckpointFile(path string, from anchorFlags) (*light.VerifiedCheckpoint, error) {
	policy, err := from.policy()
	if err != nil {
		return nil, err
	}
	anchor, err := a.anchor(anchorFlags{genesis: from.genesis, checkpoint: from.checkpoint})
	if err != nil {
		return nil, err
	}
	file, err := readSmall(path, proof.MaxCheckpoint)
	if err != nil {
		return nil, err
	}
	v, err := anchor.VerifyCheckpoint(file, policy)
	if err != nil {
		return nil, notVerified(err, "Nothing in "+path+" can be relied on.")
	}
	return v, nil
}

func checkpointVerify(a *app) *cobra.Command {
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify a checkpoint from genesis or an older checkpoint, offline", Args: cobra.ExactArgs(1),
		Long:    "Verifies a checkpoint without asking anybody, and says what it rests on. With --witness it must be cosigned. Exit code 3 when it does not hold.",
		Example: "  dure checkpoint verify c.txt --genesis genesis.json\n  dure checkpoint verify new.txt --checkpoint old.txt --witness auditor.example+5f3a…",
		RunE: func(_ *cobra.Command, args []string) error {
			v, err := a.verifyCheckpointFile(args[0], from)
			if err != nil {
				return err
			}
			return a.print(viewCheckpoint(v, args[0]), func(w io.Writer) { fmt.Fprintln(w, strings.TrimSpace(v.String())) })
		},
	}
	from.register(cmd)
	return cmd
}

func checkpointCosign(a *app) *cobra.Command {
	var from anchorFlags
	var key, name string
	cmd := &cobra.Command{
		Use: "cosign FILE", Short: "Verify a checkpoint and add your signature as an outside witness", Args: cobra.ExactArgs(1),
		Long: `Verifies a checkpoint and signs it as a witness (C2SP cosignature/v1) with an Ed25519 key of the keystore. A cosignature says
that you saw one history and no second: so the checkpoint is verified from the last one you cosigned, which is kept in the home
folder; the first time, from --genesis or --checkpoint. Others ask for your signature with --witness and the key that is printed.
dure witness run does it all the time, and also has it proven that history only grows.`,
		Example: "  dure checkpoint get --genesis genesis.json -o c.txt\n  dure checkpoint cosign c.txt --key auditor --name auditor.example --genesis genesis.json",
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := readSmall(args[0], proof.MaxCheckpoint)
			if err != nil {
				return err
			}
			c, err := proof.DecodeCheckpoint(file)
			if err != nil {
				return notVerified(err, "")
			}
			last := a.cosignedFile(key, c.Network)
			if err := os.MkdirAll(a.home, 0o700); err != nil {
				return err
			}
			unlock, err := witness.Lock(last)
			if err != nil {
				return err
			}
			defer unlock()
			v, err := a.verifyToCosign(args[0], file, last, from)
			if err != nil {
				return err
			}
			signer, err := a.witnessKey(key)
			if err != nil {
				return err
			}
			if err := c.AddCosignature(name, signer, a.now().Unix()); err != nil {
				return err
			}
			signed, err := c.Encode()
			if err != nil {
				return err
			}
			// The record of what was signed comes first: a signature that is forgotten could be given twice.
			if err := replaceFile(last, signed); err != nil {
				return err
			}
			if err := replaceFile(args[0], signed); err != nil {
				return err
			}
			verifier := proof.Witness{Name: name, Key: signer.Public().(ed25519.PublicKey)}.String()
			view := viewCheckpoint(v, args[0])
			view.Cosigned = append(view.Cosigned, verifier)
			return a.print(view, func(w io.Writer) {
				fmt.Fprintf(w, "Cosigned %s, height %d, history of %d.\n", args[0], v.Grounds.Height, v.Checkpoint.Size)
				printFacts(w, []fact{{"witness", verifier}, {"rests on", flat(v.Grounds.String())}})
			})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "name of the Ed25519 key in the keystore (required)")
	cmd.Flags().StringVar(&name, "name", "", "your name as a witness, such as auditor.example (required)")
	must(cmd.MarkFlagRequired("key"))
	must(cmd.MarkFlagRequired("name"))
	must(cmd.RegisterFlagCompletionFunc("key", a.completeKeys))
	from.register(cmd)
	return cmd
}

// verifyToCosign verifies a checkpoint from the last one cosigned, if there is one, and that history did not shrink.
func (a *app) verifyToCosign(path string, file []byte, last string, from anchorFlags) (*light.VerifiedCheckpoint, error) {
	before, err := os.ReadFile(last)
	if errors.Is(err, os.ErrNotExist) {
		v, err := a.verifyCheckpointFile(path, from)
		return v, err
	}
	if err != nil {
		return nil, err
	}
	old, err := proof.DecodeCheckpoint(before)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", last, err)
	}
	anchor, err := light.FromCheckpoint(before, proof.Policy{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", last, err)
	}
	v, err := anchor.VerifyCheckpoint(file, proof.Policy{})
	advice := "Fetch one that starts there: dure checkpoint get --checkpoint " + last + " -o FILE. If it still does not hold, tell the members."
	if err != nil {
		return nil, notVerified(fmt.Errorf("it does not follow from the last checkpoint you cosigned: %w", err), advice)
	}
	same := v.Grounds.Height == old.Height && !bytes.Equal(v.Checkpoint.Text(), old.Text())
	if v.Checkpoint.Size < old.Size || v.Grounds.Height < old.Height || same {
		return nil, notVerified(errors.New("it contradicts or is older than the last checkpoint you cosigned"), advice)
	}
	return v, nil
}

// cosignedFile is where a witness keeps the last checkpoint that it cosigned of a network.
func (a *app) cosignedFile(key, network string) string {
	return filepath.Join(a.home, "cosigned-"+key+"-"+network+".txt")
}

// witnessKey opens a key for cosignatures, which sign another text than transactions do.
func (a *app) witnessKey(name string) (crypto.Signer, error) {
	k, err := a.keyNamed(name)
	if err != nil {
		return nil, err
	}
	if k.Key.Kind != accountv1.KeyKind_KEY_KIND_ED25519 {
		return nil, usage("a witness signs with an Ed25519 key, and " + k.Name + " is " + tx.KindName(k.Key.Kind))
	}
	return unlockWith(a, k.Name, a.openDeviceKey)
}

// replaceFile replaces a file in one step: a crash leaves the old one or the new one.
func replaceFile(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone when renamed
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
