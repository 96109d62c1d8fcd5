package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/tx"
)

func newDevice(a *app) *cobra.Command {
	return parent("device", "Models, firmware, devices and their evidence", `A maker registers its models and the digests of the firmware that may run on them, and enrols devices, each an account with
a key of its own. Whoever may, asks a device for evidence; what the evidence shows decides whether others may rely on it.
A device that shows another firmware than is registered is suspended at once, and what it said since its last good
evidence is in doubt.`,
		deviceModel(a), deviceFirmware(a), deviceWithdraw(a), deviceEnrol(a), deviceVouch(a), deviceAttester(a), deviceChallenge(a), deviceAttest(a), devicePresent(a),
		deviceReason(a, "suspend", "Stop others from relying on a device", "Nothing that the device says may be relied on until you readmit it.", (*client.Draft).SuspendDevice),
		deviceReason(a, "readmit", "End a suspension of yours", "A device that was suspended by its evidence is readmitted by good evidence alone.", (*client.Draft).ReadmitDevice),
		deviceReason(a, "revoke", "End a device's life on the ledger", "There is no way back: a device that was revoked gets a new key and is enrolled anew.", (*client.Draft).RevokeDevice),
		deviceCommand(a), deviceCommands(a), deviceUpdate(a), deviceTransfer(a), deviceShow(a), deviceRely(a), deviceCert(a), deviceReading(a), deviceSend(a), deviceNeighbour(a))
}

func deviceModel(a *app) *cobra.Command {
	var by, title string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "model MODEL", Short: "Register a model, or show one with its firmware", Args: cobra.ExactArgs(1),
		Long:    "With --title registers a model of yours, 1 to 64 of a-z, 0-9, '-', '.' and '_'. Without it shows the model and its firmware.",
		Example: "  dure device model sedan-3 --by maker --title 'Sedan, third series'\n  dure device model sedan-3 --by maker",
		RunE: func(cmd *cobra.Command, args []string) error {
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			if title == "" {
				return a.showModel(cmd, w.actor, args[0])
			}
			w.draft.RegisterModel(w.actor.address, args[0], title)
			w.done = "Registered the model " + args[0] + " of " + w.actor.String()
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the maker")
	cmd.Flags().StringVar(&title, "title", "", "name of the model for people, 1 to 200 bytes; registers it")
	f.register(a, cmd)
	return cmd
}

func (a *app) showModel(cmd *cobra.Command, maker party, model string) error {
	c, err := a.ledger()
	if err != nil {
		return err
	}
	m, err := c.DeviceModel(cmd.Context(), maker.address, model)
	if err != nil {
		return err
	}
	return a.print(m, func(w io.Writer) {
		printFacts(w, []fact{{"model", model}, {"title", clean(m.GetTitle())}, {"maker", maker.String()}, {"registered", m.GetRegisteredAt()}})
		for _, f := range m.GetFirmware() {
			printFacts(w, []fact{{"firmware", firmwareText(f)}, {"digest", f.GetDigest()}, {"registers", f.GetPcrs()}, {"digest of a quote", f.GetPcrDigest()}, {"note", clean(f.GetNote())}})
		}
	})
}

func reasonFlag(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", "why, public, 1 to 256 bytes (required)")
	must(cmd.MarkFlagRequired("reason"))
}

func deviceEnrol(a *app) *cobra.Command {
	var by, model, serial, owner string
	var firmware uint64
	var f writeFlags
	list := &enrolment{app: a}
	cmd := &cobra.Command{
		Use: "enrol [DEVICE]", Short: "Enrol a device, or a list of them", Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeKeys,
		Long: `Makes an account a device of your model. Its account must be open (dure account open), and its key signs too that it is a device; or that of
the member that sponsors it: --sponsor. Whoever is its maker and its sponsor signs alone.

With --list it takes a file of devices instead, and opens their accounts too: CSV with a heading and the columns serial, owner, and csr (path of a
certificate request in PEM that the device has signed with its key, P-256 or Ed25519; from the folder of the list) or public_key
(KIND:HEX). The whole list is checked before anything is sent. Run it again after a break: no device is enrolled twice.`,
		Example: "  dure account open car-81 --sponsor bank\n  dure device enrol car-81 --model sedan-3 --serial KM8-0081 --firmware 7 --owner alice --by maker\n" +
			"  dure device enrol --list cars.csv --model sedan-3 --firmware 7 --sponsor bank --by maker --report enrolled.csv",
		RunE: func(cmd *cobra.Command, args []string) error {
			if list.list != "" {
				if len(args) > 0 || serial != "" || owner != "" || f.noWait {
					return usage("with --list, the list says which devices, serial numbers and owners, and what is sent is waited for")
				}
				list.by, list.model, list.firmware, list.key = by, model, firmware, f.key
				return list.run(cmd.Context())
			}
			if len(args) == 0 || serial == "" || owner == "" {
				return usage("want a DEVICE with --serial and --owner, or --list FILE")
			}
			device, err := a.party(args[0])
			if err != nil {
				return err
			}
			to, err := a.party(owner)
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			if w.signers, err = a.agreeing(cmd.Context(), w.actor, device, "a device", list.sponsor, list.sponsorKey); err != nil {
				return err
			}
			w.draft.EnrolDevice(w.actor.address, device.address, to.address, model, serial, firmware)
			w.done = "Enrolled " + device.String() + ", a " + model + " of " + to.String()
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the maker")
	cmd.Flags().StringVar(&owner, "owner", "", "who owns it: address or name of a key")
	must(cmd.RegisterFlagCompletionFunc("owner", a.completeKeys))
	cmd.Flags().StringVar(&model, "model", "", "your model (required)")
	cmd.Flags().StringVar(&serial, "serial", "", "serial number, public, 1 to 64 bytes")
	cmd.Flags().StringVar(&list.list, "list", "", "a file of devices: serial,owner,csr or serial,owner,public_key")
	must(cmd.MarkFlagFilename("list", "csv"))
	cmd.Flags().StringVar(&list.sponsor, "sponsor", "", "the member that signs for the device, with --list also opens the accounts (default: the device signs; with --list the maker opens)")
	cmd.Flags().StringVar(&list.sponsorKey, "sponsor-key", "", "name of the key to sign with for the sponsor, when it is not the account's own")
	cmd.Flags().StringVar(&list.report, "report", "", "with --list: write a CSV with the address and status of each device")
	cmd.Flags().BoolVar(&list.dryRun, "dry-run", false, "with --list: check the list and send nothing")
	cmd.Flags().BoolVarP(&list.quiet, "quiet", "q", false, "no progress")
	cmd.Flags().Uint64Var(&firmware, "firmware", 0, "number of the firmware it left the factory with (required)")
	for _, name := range []string{"model", "firmware"} {
		must(cmd.MarkFlagRequired(name))
	}
	f.register(a, cmd)
	return cmd
}

func deviceChallenge(a *app) *cobra.Command {
	var by string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "challenge DEVICE", Short: "Ask a device for evidence", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Long:    "Puts a fresh nonce on the ledger that the device has to sign within five minutes. Its maker, its owner and members may ask.",
		Example: "  dure device challenge car-81 --by insurer",
		RunE: func(cmd *cobra.Command, args []string) error {
			device, err := a.party(args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.ChallengeDevice(w.actor.address, device.address)
			w.done = "Asked " + device.String() + " for evidence"
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "who asks")
	f.register(a, cmd)
	return cmd
}

func deviceAttest(a *app) *cobra.Command {
	var by, out string
	var boot uint64
	var f writeFlags
	cmd := &cobra.Command{
		Use: "attest IMAGE", Short: "Give a device's evidence", Args: cobra.ExactArgs(1),
		Long: `Answers the challenge that the ledger has for a device, with the device's key: the SHA-256 of IMAGE, a file or 64 hex digits, is what
it runs. Evidence that does not fit what is registered is taken too: it suspends the device. With --out it is written to a file as a signed
token, which others pass on: dure device present.`,
		Example: "  dure device attest /boot/firmware.bin --boot 4 --by car-81\n  dure device attest /boot/firmware.bin --boot 4 --by car-81 --out evidence.cose",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			digest, err := a.documentArg(ctx, args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(ctx, by)
			if err != nil {
				return err
			}
			nonce, err := a.askedNonce(ctx, w.actor)
			if err != nil {
				return err
			}
			if out != "" {
				return a.writeToken(ctx, w.actor, f.key, out, &evidence.Token{Device: w.actor.address, Nonce: nonce, Boot: boot, Firmware: digest})
			}
			w.draft.AttestDevice(w.actor.address, nonce, boot, digest)
			w.done = w.actor.String() + " gave evidence"
			w.after = printEvidence
			return a.finish(ctx, &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the device")
	cmd.Flags().Uint64Var(&boot, "boot", 0, "how often the device has been started (required)")
	must(cmd.MarkFlagRequired("boot"))
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write the evidence to instead of sending it; it must not exist")
	f.register(a, cmd)
	return cmd
}

// printEvidence says what the ledger found.
func printEvidence(w io.Writer, o *apiv1.Outcome) {
	for _, e := range o.GetEvents() {
		fields := e.GetFields().AsMap()
		switch e.GetName() {
		case "device.attested":
			printFacts(w, []fact{{"found      ", "good: firmware " + fmt.Sprint(fields["firmware"])}, {"level      ", levelText(fmt.Sprint(fields["level"]))}})
		case "device.suspended":
			printFacts(w, []fact{{"SUSPENDED  ", clean(fmt.Sprint(fields["reason"]))}, {"in doubt   ", "what it said since " + fmt.Sprint(fields["since_at"])}})
		case "device.readmitted":
			printFacts(w, []fact{{"readmitted ", "others may rely on it again"}})
		}
	}
}

// deviceReason is a command that does something to a device and says why.
func deviceReason(a *app, use, short, long string, put func(d *client.Draft, actor, device tx.Address, reason string) *client.Draft) *cobra.Command {
	var by, reason string
	var f writeFlags
	cmd := &cobra.Command{
		Use: use + " DEVICE", Short: short, Long: long, Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Example: "  dure device " + use + " car-81 --reason 'in the workshop' --by maker",
		RunE: func(cmd *cobra.Command, args []string) error {
			device, err := a.party(args[0])
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			put(w.draft, w.actor.address, device.address, reason)
			w.done = w.actor.String() + ": " + use + " " + device.String()
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "its maker or owner")
	reasonFlag(cmd, &reason)
	f.register(a, cmd)
	return cmd
}

func deviceTransfer(a *app) *cobra.Command {
	var by, to string
	var f writeFlags
	cmd := &cobra.Command{
		Use: "transfer DEVICE", Short: "Give a device to another owner", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Long: "The device keeps its history, and the doubts about it.", Example: "  dure device transfer car-81 --to bob --by alice",
		RunE: func(cmd *cobra.Command, args []string) error {
			device, err := a.party(args[0])
			if err != nil {
				return err
			}
			owner, err := a.party(to)
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.TransferDevice(w.actor.address, device.address, owner.address)
			w.done = "Gave " + device.String() + " to " + owner.String()
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "its owner")
	a.accountFlag(cmd, &to, "to", "the new owner")
	f.register(a, cmd)
	return cmd
}

func deviceShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show DEVICE", Short: "Show a device, its firmware and the doubts about it", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Example: "  dure device show car-81",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, c, err := a.askAbout(args[0])
			if err != nil {
				return err
			}
			d, err := c.Device(cmd.Context(), p.address)
			if err != nil {
				return err
			}
			return a.print(d, func(w io.Writer) { a.printDevice(w, d) })
		},
	}
}

func (a *app) printDevice(w io.Writer, d *apiv1.Device) {
	evidence := "none yet"
	if d.GetLastGoodAt() != "" {
		evidence = d.GetLastGoodAt() + ", " + levelText(d.GetLevel())
	}
	printFacts(w, []fact{
		{"device", a.short(d.GetDevice())}, {"state", d.GetState()}, {"model", d.GetModel() + " of " + a.short(d.GetMaker())}, {"serial", clean(d.GetSerial())},
		{"owner", a.short(d.GetOwner())}, {"enrolled", d.GetEnrolledAt()}, {"firmware", firmwareText(d.GetFirmware())}, {"last good evidence", evidence}, {"start", strconv.FormatUint(d.GetBoot(), 10)},
		{"asked for evidence", d.GetAskedAt()}, {"nonce", d.GetNonce()}, {"its maker says", makerSays(d)},
	})
	for _, doubt := range d.GetDoubts() {
		printFacts(w, a.doubtFacts(doubt))
	}
}

// levelText is a level, and by whose word.
func levelText(level string) string {
	if level == "key_in_hardware" || level == "measured_boot" {
		return level + ", by the word of its maker"
	}
	return level
}

// makerSays is on what the higher levels of a device's evidence rest.
func makerSays(d *apiv1.Device) string {
	var says []string
	if d.GetHardware() != "" {
		says = append(says, "the key "+d.GetHardwareKey()+" is in hardware: "+d.GetHardware())
	}
	if d.GetAttester() != "" {
		says = append(says, "its TPM quotes with p256:"+d.GetAttester())
	}
	return strings.Join(says, "; ")
}

func (a *app) doubtFacts(d *apiv1.Doubt) []fact {
	until := d.GetUntil()
	if until == "" {
		until = "now"
	}
	by := "its evidence"
	if d.GetBy() != "" {
		by = a.short(d.GetBy())
	}
	return []fact{{"IN DOUBT", "from " + d.GetSince() + " until " + until}, {"because", clean(d.GetReason())}, {"by", by}, {"found", d.GetFound()}, {"transaction", d.GetTransaction()}}
}

func deviceRely(a *app) *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "rely DEVICE", Short: "Ask whether one may rely on what a device said", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeKeys,
		Long: `Says whether anything that the ledger knows speaks against what the device said at a time, how old its last good evidence was then, and
what such evidence is worth. Exit code 3 if something speaks against it.`,
		Example: "  dure device rely car-81\n  dure device rely car-81 --at 2026-11-22T09:30:00Z",
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.party(args[0])
			if err != nil {
				return err
			}
			var when time.Time
			if at != "" {
				if when, err = time.Parse(time.RFC3339, at); err != nil {
					return usagef("--at %q: want a time such as 2026-11-22T09:30:00Z", at)
				}
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			answer, err := c.Rely(cmd.Context(), p.address, when)
			if err != nil {
				return err
			}
			if err := a.print(answer, func(w io.Writer) { a.printReliance(w, p, answer) }); err != nil || answer.GetOk() {
				return err
			}
			return quietExit(exitNotVerified)
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "the time, RFC 3339 (default: now)")
	return cmd
}

func (a *app) printReliance(w io.Writer, device party, r *apiv1.RelyResponse) {
	verdict := "Nothing speaks against what " + device.String() + " said at " + r.GetAt() + "."
	if !r.GetOk() {
		verdict = "DO NOT RELY on what " + device.String() + " said at " + r.GetAt() + ": " + clean(r.GetReason()) + "."
	}
	fmt.Fprintln(w, verdict)
	evidence := "none had been given"
	switch {
	case r.GetConfirmed():
		evidence = "given since"
	case r.GetAgeMs() >= 0:
		evidence = (time.Duration(r.GetAgeMs()) * time.Millisecond).Round(time.Second).String() + " old at that time"
	}
	printFacts(w, []fact{{"good evidence", evidence}, {"level", levelText(r.GetLevel())}})
	if r.GetDoubt() != nil {
		printFacts(w, a.doubtFacts(r.GetDoubt()))
	}
}
