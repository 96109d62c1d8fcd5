package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client/light"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/proof"
)

// verdicts that a reading can have, as the API names them.
var verdicts = []string{"accepted", "late", "quarantined", "refused"}

func streamReadings(a *app) *cobra.Command {
	query := &apiv1.ListReadingsRequest{}
	var device, since, until string
	var limit int
	cmd := &cobra.Command{
		Use: "readings FEED", Short: "List readings, the last taken first", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFeedArg,
		Long:    "Shows when each was taken and anchored, what it says, what the ledger found of it, and whether its device is in doubt for that time, as of now. Refused ones are shown with --verdict refused only.",
		Example: "  dure stream readings fleet.speed --device car-81 --since 2026-11-22\n  dure stream readings fleet.speed --verdict quarantined\n  dure stream readings fleet.speed --tainted --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			query.Feed = args[0]
			var err error
			if query.Device, err = a.addressOf(device); err != nil {
				return err
			}
			if query.Since, err = dayOrTime(since); err != nil {
				return err
			}
			if query.Until, err = dayOrTime(until); err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			if until, err := c.ReadingsErased(cmd.Context(), args[0]); err != nil {
				return err
			} else if until != "" {
				fmt.Fprintf(a.err, "Readings anchored up to %s were erased on this node (readings.keep) before its index was made, and are not listed.\n", until)
			}
			return list[*apiv1.Reading]{
				heading: []string{"TAKEN", "ANCHORED", "DEVICE", "BOOT", "SEQUENCE", "VALUE", "VERDICT", "FIRMWARE", "LEVEL", "DOUBT"}, none: "No readings.", limit: limit,
				row: func(r *apiv1.Reading) []string {
					doubt := clean(r.GetDoubt())
					if doubt == "" && r.GetConfirmed() {
						doubt = "none, confirmed"
					}
					return []string{r.GetTakenAt(), r.GetAnchoredAt(), a.short(r.GetDevice()), strconv.FormatUint(r.GetBoot(), 10), strconv.FormatUint(r.GetSequence(), 10),
						r.GetValue(), verdictText(r), ranText(r.GetFirmware(), r.GetFirmwareVersion()), r.GetLevel(), doubt}
				},
			}.show(a, c.Readings(cmd.Context(), query))
		},
	}
	cmd.Flags().StringVar(&device, "device", "", "only of this device: address or name of a key")
	must(cmd.RegisterFlagCompletionFunc("device", a.completeKeys))
	cmd.Flags().StringVar(&since, "since", "", "taken from this day or RFC 3339 time on")
	cmd.Flags().StringVar(&until, "until", "", "taken before this day or RFC 3339 time")
	cmd.Flags().StringVar(&query.Verdict, "verdict", "", strings.Join(verdicts, ", ")+" (default all but refused)")
	must(cmd.RegisterFlagCompletionFunc("verdict", cobra.FixedCompletions(verdicts, cobra.ShellCompDirectiveNoFileComp)))
	cmd.Flags().BoolVar(&query.Tainted, "tainted", false, "only those of times in which their device is in doubt")
	limitFlag(cmd, &limit)
	return cmd
}

func verdictText(r *apiv1.Reading) string {
	if r.GetReason() == "" {
		return r.GetVerdict()
	}
	return r.GetVerdict() + ": " + r.GetReason()
}

func streamReading(a *app) *cobra.Command {
	var out string
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "reading DEVICE BOOT SEQUENCE", Short: "Show one reading, or fetch the file that proves it", Args: cobra.ExactArgs(3), ValidArgsFunction: a.completeKeyArg,
		Long: `Shows the reading of a device with this number of this start. With -o writes a file with what the device signed, the path to the root of its
anchor and the anchor's receipt, which dure stream verify checks offline. It is verified first if there is something to verify it from
(--genesis, --checkpoint, or HOME/genesis.json).`,
		Example: "  dure stream reading car-81 4 1207\n  dure stream reading car-81 4 1207 -o reading.durr",
		RunE: func(cmd *cobra.Command, args []string) error {
			device, err := a.party(args[0])
			if err != nil {
				return err
			}
			boot, err := count("BOOT", args[1])
			if err != nil {
				return err
			}
			sequence, err := count("SEQUENCE", args[2])
			if err != nil {
				return err
			}
			if out != "" {
				return a.fetchReading(cmd.Context(), device, boot, sequence, out, from)
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			res, err := c.Reading(cmd.Context(), device.address, boot, sequence)
			if err != nil {
				return err
			}
			return a.print(res, func(w io.Writer) { printFacts(w, a.readingFacts(res)) })
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write; it must not exist")
	from.register(cmd)
	return cmd
}

func (a *app) readingFacts(res *apiv1.GetReadingResponse) []fact {
	r := res.GetReading()
	evidence := "none given yet"
	if r.GetLevel() != "" {
		evidence = r.GetLevel()
	}
	facts := []fact{
		{"device", a.short(r.GetDevice())}, {"feed", r.GetFeed()}, {"value", r.GetValue()}, {"taken", r.GetTakenAt()}, {"anchored", r.GetAnchoredAt()},
		{"number", fmt.Sprintf("%d of start %d", r.GetSequence(), r.GetBoot())}, {"verdict", verdictText(r)},
		{"firmware then", ranText(r.GetFirmware(), r.GetFirmwareVersion())}, {"evidence", evidence},
	}
	if r.GetDoubt() != "" {
		facts = append(facts, fact{"IN DOUBT", clean(r.GetDoubt())})
	}
	if r.GetConfirmed() {
		facts = append(facts, fact{"confirmed", "by good evidence given since"})
	}
	return append(facts, fact{"transaction", r.GetTransaction()}, fact{"signed message", hex.EncodeToString(res.GetRaw())})
}

// fetchReading writes the file that proves a reading.
func (a *app) fetchReading(ctx context.Context, device party, boot, sequence uint64, out string, from anchorFlags) error {
	c, err := a.ledger()
	if err != nil {
		return err
	}
	var anchor *light.Anchor
	trusted := int64(0)
	if from.genesis != "" || from.checkpoint != "" || exists(filepath.Join(a.home, "genesis.json")) {
		if anchor, err = a.anchor(from); err != nil {
			return err
		}
		trusted = anchor.Height()
	}
	res, err := c.ReadingProof(ctx, device.address, boot, sequence, trusted)
	if err != nil {
		return err
	}
	grounds := "not verified: give --genesis or --checkpoint"
	if anchor != nil {
		v, err := anchor.VerifyReading(res.GetProof())
		if err == nil && (v.Device != device.address || v.Reading.Boot != boot || v.Reading.Sequence != sequence) {
			err = errors.New("the node gave the proof of another reading")
		}
		if err != nil {
			return notVerified(err, "The node gave a proof that does not hold. Ask another with --node.")
		}
		grounds = flat(v.Grounds.String())
	}
	if err := writeNew(out, res.GetProof(), 0o644); err != nil {
		return err
	}
	return a.print(map[string]any{"file": out, "bytes": len(res.GetProof()), "transaction": res.GetReading().GetTransaction(), "grounds": grounds}, func(w io.Writer) {
		fmt.Fprintf(w, "Wrote %s, %d bytes.\n", out, len(res.GetProof()))
		printFacts(w, append(a.readingFacts(&apiv1.GetReadingResponse{Reading: res.GetReading()}), fact{"rests on", grounds}))
	})
}

func streamVerify(a *app) *cobra.Command {
	var from anchorFlags
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Verify a file that proves a reading, offline", Args: cobra.ExactArgs(1),
		Long: `Verifies, without asking anybody, that the device signed the reading, that the ledger anchored it with this verdict, and when. What was found
of the device later, such as that it is in doubt for that time, the file cannot know: ask dure stream reading or dure device rely. Exit code 3 when
the file does not hold.`,
		Example: "  dure stream verify reading.durr --genesis genesis.json",
		RunE: func(_ *cobra.Command, args []string) error {
			anchor, err := a.anchor(from)
			if err != nil {
				return err
			}
			file, err := readSmall(args[0], proof.MaxReadingProof)
			if err != nil {
				return err
			}
			v, err := anchor.VerifyReading(file)
			if err != nil {
				return notVerified(err, "Nothing in "+args[0]+" can be relied on.")
			}
			return a.print(viewReading(v), func(w io.Writer) { fmt.Fprintln(w, strings.TrimSpace(v.String())) })
		},
	}
	from.register(cmd)
	return cmd
}

// readingView is a verified reading as JSON.
type readingView struct {
	verifiedView
	Device   string `json:"device"`
	Feed     string `json:"feed"`
	Value    string `json:"value"`
	Unit     string `json:"unit"`
	Taken    string `json:"taken"`
	Boot     uint64 `json:"boot"`
	Sequence uint64 `json:"sequence"`
	Verdict  string `json:"verdict"`
	Firmware uint64 `json:"firmware"`
	OwnKey   bool   `json:"ownKey"`
	Signed   string `json:"signed"`
}

func viewReading(v *light.VerifiedReading) readingView {
	return readingView{
		verifiedView: viewVerified(v.Verified), Device: v.Device.String(), Feed: v.Reading.Feed, Value: v.Reading.Value.String(), Unit: v.Reading.Unit,
		Taken: clockTime(v.Taken()), Boot: v.Reading.Boot, Sequence: v.Reading.Sequence, Verdict: v.Found(), Firmware: v.Firmware, OwnKey: v.OwnKey,
		Signed: hex.EncodeToString(v.Message),
	}
}
