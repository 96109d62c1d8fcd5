package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// askedNonce is the challenge that a device has to answer.
func (a *app) askedNonce(ctx context.Context, device party) (nonce [32]byte, err error) {
	c, err := a.ledger()
	if err != nil {
		return nonce, err
	}
	d, err := c.Device(ctx, device.address)
	if err != nil {
		return nonce, err
	}
	if d.GetNonce() == "" {
		return nonce, failed("Nobody has asked "+device.String()+" for evidence.", "Ask first: dure device challenge.")
	}
	return parseDigest(d.GetNonce(), "nonce")
}

// writeToken signs evidence with a key of the keystore and writes it to a file.
func (a *app) writeToken(ctx context.Context, device party, key, out string, t *evidence.Token) error {
	if key == "" {
		key = device.name
	}
	signer, err := unlockWith(a, key, a.openDeviceKey)
	if err != nil {
		return err
	}
	c, err := a.ledger()
	if err != nil {
		return err
	}
	network, err := c.Network(ctx)
	if err != nil {
		return err
	}
	raw, err := evidence.Sign(network, t, signer)
	if err != nil {
		return err
	}
	if err := writeNew(out, raw, 0o644); err != nil {
		return err
	}
	return a.print(map[string]string{"file": out}, func(w io.Writer) {
		fmt.Fprintln(w, "Wrote "+out+".")
		printFacts(w, []fact{{"next", "dure device present " + device.address.String() + " " + out + " --by GATEWAY"}})
	})
}

func devicePresent(a *app) *cobra.Command {
	var by, quote, signature string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "present DEVICE [EVIDENCE]", Short: "Pass on a device's evidence", Args: cobra.RangeArgs(1, 2), ValidArgsFunction: a.completeKeys,
		Long: `Puts evidence on the ledger that a device made and does not send itself: a token that it signed (docs/evidence.md), or the quote of its TPM
as tpm2_quote writes it. Whoever passes it on vouches for nothing. Evidence that does not fit what is registered suspends the device.`,
		Example: "  dure device present car-81 evidence.cose --by gateway\n" +
			"  tpm2_quote -c ak.ctx -l sha256:0,7 -g sha256 -q $NONCE -m quote.msg -s quote.sig\n" +
			"  dure device present car-81 --quote quote.msg --signature quote.sig --by gateway",
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 2) == (quote != "") {
				return usage("want either EVIDENCE or --quote and --signature")
			}
			device, err := a.party(args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			if quote != "" {
				err = draftQuote(w, device, quote, signature)
			} else {
				err = draftToken(w, device, args[1])
			}
			if err != nil {
				return err
			}
			w.done, w.after = "Passed on the evidence of "+device.String(), printEvidence
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who passes it on")
	cmd.Flags().StringVar(&quote, "quote", "", "file with the quote of the device's TPM (tpm2_quote -m)")
	cmd.Flags().StringVar(&signature, "signature", "", "file with its signature (tpm2_quote -s)")
	cmd.MarkFlagsRequiredTogether("quote", "signature")
	f.register(a, cmd)
	return cmd
}

func draftToken(w *writing, device party, file string) error {
	raw, err := readSmall(file, evidence.MaxToken)
	if err != nil {
		return err
	}
	t, err := evidence.ParseToken(raw)
	if err != nil {
		return usagef("%s: %s", file, fault.As(err).Message)
	}
	if t.Device != device.address {
		return usagef("%s is evidence of %s, not of %s", file, t.Device, device)
	}
	w.draft.PresentEvidence(w.actor.address, raw)
	return nil
}

func draftQuote(w *writing, device party, quoteFile, signatureFile string) error {
	quote, err := readSmall(quoteFile, evidence.MaxQuote)
	if err != nil {
		return err
	}
	if _, err := evidence.ParseQuote(quote); err != nil {
		return usagef("%s: %s", quoteFile, fault.As(err).Message)
	}
	signature, err := readSmall(signatureFile, evidence.MaxQuoteSignature)
	if err != nil {
		return err
	}
	w.draft.PresentQuote(w.actor.address, device.address, quote, signature)
	return nil
}

// hardwareNames are what a maker may say holds a key; none takes it back.
var hardwareNames = map[string]devicev1.Hardware{
	"secure-element": devicev1.Hardware_HARDWARE_SECURE_ELEMENT, "tpm": devicev1.Hardware_HARDWARE_TPM,
	"processor": devicev1.Hardware_HARDWARE_PROCESSOR, "none": devicev1.Hardware_HARDWARE_UNSPECIFIED,
}

func deviceVouch(a *app) *cobra.Command {
	var by, in, of string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "vouch DEVICE", Short: "Say that a device's key is in hardware", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Long: `Says, as its maker, what holds the key of a device so that it cannot be copied. What this key signs is evidence of the level
key_in_hardware from then on. Others have to take the maker's word for it; --in none takes it back.`,
		Example: "  dure device vouch car-81 --in secure-element --by maker",
		RunE: func(cmd *cobra.Command, args []string) error {
			hardware, ok := hardwareNames[in]
			if !ok {
				return usagef("--in %q: want secure-element, tpm, processor or none", in)
			}
			device, err := a.party(args[0])
			if err != nil {
				return err
			}
			key := device
			if of != "" {
				if key, err = a.party(of); err != nil {
					return err
				}
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.VouchForKey(w.actor.address, device.address, hardware, key.address)
			w.done = "Said what holds the key of " + device.String() + ": " + in
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the maker")
	cmd.Flags().StringVar(&in, "in", "", "secure-element, tpm, processor or none (required)")
	must(cmd.MarkFlagRequired("in"))
	must(cmd.RegisterFlagCompletionFunc("in", cobra.FixedCompletions([]string{"secure-element", "tpm", "processor", "none"}, cobra.ShellCompDirectiveNoFileComp)))
	cmd.Flags().StringVar(&of, "of", "", "address of the key, if its account has got another key since it was opened")
	f.register(a, cmd)
	return cmd
}

func deviceAttester(a *app) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "attester DEVICE KEY", Short: "Register the key that a device's TPM quotes with", Args: cobra.ExactArgs(2), ValidArgsFunction: a.completeKeys,
		Long: `Registers, as its maker, the attestation key of a device's TPM: a restricted ECDSA P-256 key of the endorsement hierarchy. KEY is a public key
file in PEM, or p256:HEX. From then on the device's only evidence are quotes by this key, whose level is measured_boot.
That goes for the key that acts for the device now; when that is changed, say it again.`,
		Example: "  tpm2_createek -c ek.ctx -G ecc\n" +
			"  tpm2_createak -C ek.ctx -c ak.ctx -G ecc -g sha256 -s ecdsa -u ak.pem -f pem\n" +
			"  dure device attester car-81 ak.pem --by maker",
		RunE: func(cmd *cobra.Command, args []string) error {
			device, err := a.party(args[0])
			if err != nil {
				return err
			}
			key, err := attestationKey(args[1])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.SetAttester(w.actor.address, device.address, key)
			w.done = "Registered the attestation key of " + device.String()
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the maker")
	f.register(a, cmd)
	return cmd
}

// attestationKey reads a P-256 public key: p256:HEX, or a file in PEM.
func attestationKey(text string) ([]byte, error) {
	if strings.HasPrefix(text, "p256:") {
		key, err := parsePublic(text)
		return key.Public, err
	}
	content, err := readSmall(text, 4<<10)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, usagef("%s is no PEM file. Write it with tpm2_createak -f pem or tpm2_readpublic -f pem", text)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, usagef("%s: %v", text, err)
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, usagef("%s is no P-256 key. Make it with tpm2_createak -G ecc -g sha256 -s ecdsa", text)
	}
	short, err := tx.KeyOf(key)
	return short.Public, err
}

// pcrFlags are the flags by which a firmware is known to a TPM.
type pcrFlags struct{ registers, digest string }

func (p *pcrFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.registers, "pcr", "", "registers of a TPM that stand for it, such as sha256:0,7")
	cmd.Flags().StringVar(&p.digest, "pcr-digest", "", "digest of a quote over them, 64 hex digits")
	cmd.MarkFlagsRequiredTogether("pcr", "pcr-digest")
}

func (p *pcrFlags) read(firmware *client.Firmware) error {
	if p.registers == "" {
		return nil
	}
	var err error
	if firmware.PCRs, err = evidence.ParsePCRs(p.registers); err != nil {
		return usage("--pcr: " + fault.As(err).Message)
	}
	firmware.PCRDigest, err = parseDigest(p.digest, "pcr-digest")
	return err
}
