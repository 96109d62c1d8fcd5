package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func firmwareText(f *apiv1.Firmware) string {
	text := strconv.FormatUint(f.GetNumber(), 10) + ", version " + clean(f.GetVersion())
	if f.GetFollows() > 0 {
		text += fmt.Sprintf(", follows %d and later", f.GetFollows())
	}
	if f.GetWithdrawnAt() != "" {
		text += ", WITHDRAWN " + f.GetWithdrawnAt() + ": " + clean(f.GetWithdrawReason())
	}
	return text
}

func deviceFirmware(a *app) *cobra.Command {
	var by string
	var firmware client.Firmware
	var pcrs pcrFlags
	var f writeFlags
	cmd := &cobra.Command{
		Use: "firmware MODEL NUMBER [IMAGE]", Short: "Register a firmware by the digest of its image", Args: cobra.RangeArgs(2, 3),
		Long: `Registers a firmware of your model: the SHA-256 of IMAGE, a file or 64 hex digits. NUMBER orders the firmwares of the model, from 1 on;
devices go to higher numbers only. What is registered never changes. For devices with a TPM say too what a quote of it has when they run
this firmware; take the same registers for all firmwares of a model. If you learn that later leave out IMAGE: it is added to a firmware that
was registered without.`,
		Example: "  dure device firmware sedan-3 7 sedan-3-2.4.1.bin --version 2.4.1 --follows 5 --by maker\n" +
			"  dure device firmware sedan-3 8 sedan-3-2.5.0.bin --version 2.5.0 --pcr sha256:0,7 --pcr-digest 66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925 --by maker\n" +
			"  dure device firmware sedan-3 7 --pcr sha256:0,7 --pcr-digest 9f4ad1a2b7d0c0cf58e5ddf0c8e5a9e9c4b4a1bfa58a5c7dcb7f4bf6cf1e2a10 --by maker",
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			firmware.Model = args[0]
			if firmware.Number, err = strconv.ParseUint(args[1], 10, 64); err != nil {
				return usagef("number %q: want a whole number from 1 on", args[1])
			}
			if err := pcrs.read(&firmware); err != nil {
				return err
			}
			if len(args) < 3 {
				return a.measureFirmware(cmd, by, &f, firmware)
			}
			if firmware.Version == "" {
				return usage("which version is it? Say it with --version, for people")
			}
			if firmware.Digest, err = a.documentArg(cmd.Context(), args[2]); err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.RegisterFirmware(w.actor.address, firmware)
			w.done = fmt.Sprintf("Registered firmware %d of %s, SHA-256 %x", firmware.Number, firmware.Model, firmware.Digest)
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the maker")
	cmd.Flags().StringVar(&firmware.Version, "version", "", "version for people, such as 2.4.1 (required with IMAGE)")
	cmd.Flags().Uint64Var(&firmware.Follows, "follows", 0, "lowest number from which a device may go to this one; 0: any")
	cmd.Flags().StringVar(&firmware.Note, "note", "", "what people should know of it, public, at most 256 bytes")
	pcrs.register(cmd)
	f.register(a, cmd)
	return cmd
}

// measureFirmware adds what a TPM quotes of a firmware.
func (a *app) measureFirmware(cmd *cobra.Command, by string, f *writeFlags, firmware client.Firmware) error {
	if firmware.PCRs == 0 || firmware.Version != "" || firmware.Note != "" || firmware.Follows != 0 {
		return usage("without IMAGE only --pcr and --pcr-digest are added to a firmware; give IMAGE and --version to register one")
	}
	w, err := a.begin(cmd.Context(), by)
	if err != nil {
		return err
	}
	w.draft.MeasureFirmware(w.actor.address, firmware.Model, firmware.Number, firmware.PCRs, firmware.PCRDigest)
	w.done = fmt.Sprintf("Added what a TPM quotes of firmware %d of %s", firmware.Number, firmware.Model)
	return a.finish(cmd.Context(), f, w)
}

// faultFacts are what is known against a firmware.
func faultFacts(faults []*apiv1.KnownFault) (facts []fact) {
	for _, k := range faults {
		mended := "not mended yet"
		if k.GetFixedIn() > 0 {
			mended = fmt.Sprintf("mended in %d", k.GetFixedIn())
		}
		facts = append(facts, fact{"known fault", fmt.Sprintf("%s, %s, since %s: %s", clean(k.GetId()), mended, k.GetKnownAt(), clean(k.GetText()))})
	}
	return facts
}

func deviceFault(a *app) *cobra.Command {
	var by, text string
	var fixedIn uint64
	var f writeFlags
	cmd := &cobra.Command{
		Use: "fault MODEL NUMBER ID", Short: "Make a fault of a firmware known", Args: cobra.ExactArgs(3),
		Long: `Makes a fault of a firmware of your model known. Devices may go on running it; whoever asks about them is told (dure device show, rely). Said again
with the same ID it takes the place of what was said before, as when a firmware without the fault is there. What nobody should run any
more is withdrawn: dure device withdraw.`,
		Example: "  dure device fault sedan-3 6 CVE-2026-12345 --text 'the radio accepts unsigned stations' --by maker\n" +
			"  dure device fault sedan-3 6 CVE-2026-12345 --text 'the radio accepts unsigned stations' --fixed-in 8 --by maker",
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := firmwareNumber(args[1])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.ReportFault(w.actor.address, args[0], number, args[2], text, fixedIn)
			w.done = fmt.Sprintf("Made %s known, a fault of firmware %d of %s", args[2], number, args[0])
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the maker")
	cmd.Flags().StringVar(&text, "text", "", "what can happen, public, 1 to 256 bytes (required)")
	must(cmd.MarkFlagRequired("text"))
	cmd.Flags().Uint64Var(&fixedIn, "fixed-in", 0, "lowest number of a firmware without it; 0: there is none yet")
	f.register(a, cmd)
	return cmd
}

func firmwareNumber(text string) (uint64, error) {
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, usagef("number %q: want a firmware's number", text)
	}
	return number, nil
}

func deviceWithdraw(a *app) *cobra.Command {
	var by, reason string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "withdraw MODEL NUMBER", Short: "Withdraw a firmware", Args: cobra.ExactArgs(2),
		Long:    "Withdraws a firmware of your model. A device whose evidence shows it from then on is suspended.",
		Example: "  dure device withdraw sedan-3 6 --reason 'brake controller may hang' --by maker",
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := firmwareNumber(args[1])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.WithdrawFirmware(w.actor.address, args[0], number, reason)
			w.done = fmt.Sprintf("Withdrew firmware %d of %s", number, args[0])
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the maker")
	reasonFlag(cmd, &reason)
	f.register(a, cmd)
	return cmd
}
