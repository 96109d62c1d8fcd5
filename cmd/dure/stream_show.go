package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
)

func streamList(a *app) *cobra.Command {
	var operator, device string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List feeds", Args: cobra.NoArgs, Example: "  dure stream list\n  dure stream list --device car-81",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := &apiv1.ListFeedsRequest{}
			var err error
			if query.Operator, err = a.addressOf(operator); err != nil {
				return err
			}
			if query.Device, err = a.addressOf(device); err != nil {
				return err
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			return list[*apiv1.Feed]{
				heading: []string{"FEED", "TITLE", "UNIT", "DEVICES", "OPERATOR", "STATE"}, none: "No feeds.", limit: limit,
				row: func(f *apiv1.Feed) []string {
					return []string{f.GetFeed(), clean(f.GetTitle()), clean(f.GetUnit()), strconv.Itoa(int(f.GetDevices())), a.short(f.GetOperator()), feedState(f)}
				},
			}.show(a, c.Feeds(cmd.Context(), query))
		},
	}
	cmd.Flags().StringVar(&operator, "operator", "", "only feeds of this account: address or name of a key")
	cmd.Flags().StringVar(&device, "device", "", "only feeds that this device reports to, or did")
	cmd.MarkFlagsMutuallyExclusive("operator", "device")
	must(cmd.RegisterFlagCompletionFunc("operator", a.completeKeys))
	must(cmd.RegisterFlagCompletionFunc("device", a.completeKeys))
	limitFlag(cmd, &limit)
	return cmd
}

func feedState(f *apiv1.Feed) string {
	if f.GetClosedAt() == "" {
		return "open"
	}
	return "closed " + f.GetClosedAt()
}

func streamShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show FEED", Short: "Show a feed: terms, funds, sources and quarantine", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFeedArg,
		Example: "  dure stream show fleet.speed",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.ledger()
			if err != nil {
				return err
			}
			res, err := c.Feed(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.print(res, func(w io.Writer) {
				printFacts(w, a.feedFacts(cmd, res.GetFeed()))
				a.printSources(w, res)
				a.printQuarantine(w, res)
			})
		},
	}
}

func (a *app) feedFacts(cmd *cobra.Command, f *apiv1.Feed) []fact {
	number := func(value, suffix string) string {
		if value == "" {
			return ""
		}
		return value + " " + clean(f.GetUnit()) + suffix
	}
	facts := []fact{
		{"feed", f.GetFeed()}, {"title", clean(f.GetTitle())}, {"operator", a.short(f.GetOperator())}, {"state", feedState(f)}, {"opened", f.GetOpenedAt()},
		{"readings", f.GetLeast() + " to " + number(f.GetMost(), ", "+plural(int(f.GetDecimals()), "digit")+" after the point")},
		{"changes by at most", number(f.GetMaxRate(), " a second")},
		{"on time within", span(f.GetLateMs())}, {"ahead by at most", span(f.GetAheadMs())},
		{"value needs", plural(int(f.GetMinSources()), "source") + " of the last " + span(f.GetStaleMs())},
		{"deviation at most", number(f.GetMaxDeviation(), "")}, {"level at least", f.GetMinLevel()}, {"appeals within", span(f.GetAppealMs())},
	}
	if p := f.GetPremium(); p != nil {
		ctx := cmd.Context()
		when := ", after " + span(p.GetDisputeMs())
		if p.GetConfirmed() {
			when += ", when confirmed by good evidence"
		}
		each := " a reading"
		if p.GetEveryMs() > 0 {
			each += " every " + span(p.GetEveryMs())
		}
		facts = append(facts, fact{"premium", a.money(ctx, p.GetAsset(), p.GetAmount()) + each + when}, fact{"funds", a.money(ctx, p.GetAsset(), f.GetFunds())})
	}
	return facts
}

// span is milliseconds for people, without zeros at the end: 10m, not 10m0s.
func span(ms int64) string {
	text := (time.Duration(ms) * time.Millisecond).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func (a *app) printSources(w io.Writer, res *apiv1.GetFeedResponse) {
	fmt.Fprintf(w, "\nSources: %d\n", len(res.GetSources()))
	if len(res.GetSources()) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "DEVICE\tLAST VALUE\tAGE\tFIRMWARE\tLEVEL\tACCEPTED\tLATE\tQUARANTINED\tREFUSED\tDUE\tPAID\tFORFEITED\tMISSING\tNOTE")
	for _, s := range res.GetSources() {
		value, age := "none yet", ""
		if s.GetTakenAt() != "" {
			value, age = s.GetValue(), seconds(s.GetAgeMs())
		}
		note := ""
		if s.GetDoubt() != "" {
			note = "IN DOUBT: " + clean(s.GetDoubt())
		}
		if s.GetDismissedAt() != "" {
			note = strings.TrimPrefix(note+"; dismissed "+s.GetDismissedAt(), "; ")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", a.short(s.GetDevice()), value, age, ranText(s.GetFirmware(), s.GetFirmwareVersion()), s.GetLevel(),
			s.GetAccepted(), s.GetLate(), s.GetQuarantined(), s.GetRefused(), s.GetDue(), s.GetPaid(), s.GetForfeited(), s.GetMissing(), note)
	}
	_ = t.Flush()
	for _, s := range res.GetSources() {
		for _, g := range s.GetGaps() {
			fmt.Fprintf(w, "missing of %s: %d to %d of start %d, seen %s\n", a.short(s.GetDevice()), g.GetFirst(), g.GetLast(), g.GetBoot(), g.GetSeenAt())
		}
	}
}

// seconds is milliseconds for people, to the second.
func seconds(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Round(time.Second).String()
}

// ranText is the firmware that a device ran by its evidence.
func ranText(number uint64, version string) string {
	if number == 0 {
		return ""
	}
	if version == "" {
		return strconv.FormatUint(number, 10)
	}
	return fmt.Sprintf("%d (%s)", number, clean(version))
}

func (a *app) printQuarantine(w io.Writer, res *apiv1.GetFeedResponse) {
	if len(res.GetQuarantine()) == 0 {
		return
	}
	fmt.Fprintf(w, "\nIn quarantine: %d\n", len(res.GetQuarantine()))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "DEVICE\tBOOT\tSEQUENCE\tVALUE\tTAKEN\tREASON\tDEADLINE\tAPPEAL")
	for _, q := range res.GetQuarantine() {
		appeal := ""
		if q.GetAppealedBy() != "" {
			appeal = a.short(q.GetAppealedBy()) + ": " + clean(q.GetAppeal())
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", a.short(q.GetDevice()), q.GetBoot(), q.GetSequence(), q.GetValue(), q.GetTakenAt(), q.GetReason(), q.GetDeadline(), appeal)
	}
	_ = t.Flush()
}

func streamValue(a *app) *cobra.Command {
	var at string
	var maxAge time.Duration
	cmd := &cobra.Command{
		Use: "value FEED", Short: "Ask for a feed's value, or why it has none", Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeFeedArg,
		Long: `Says the median of the sources' last accepted readings at a time, for an even number the lower of the two in the middle, by what is known
today of the devices: sources that are stale or in doubt for that time do not count. Fewer sources than the feed needs, or one too far from the
median, and there is no value. Exit code 3 if there is none.`,
		Example: "  dure stream value fleet.speed\n  dure stream value fleet.speed --at 2026-11-22T09:30:00Z --max-age 30s",
		RunE: func(cmd *cobra.Command, args []string) error {
			var when time.Time
			if at != "" {
				var err error
				if when, err = time.Parse(time.RFC3339, at); err != nil {
					return usagef("--at %q: want a time such as 2026-11-22T09:30:00Z", at)
				}
			}
			c, err := a.ledger()
			if err != nil {
				return err
			}
			v, err := c.FeedValue(cmd.Context(), args[0], when, maxAge)
			if err != nil {
				return err
			}
			if err := a.print(v, func(w io.Writer) { a.printValue(w, args[0], v) }); err != nil || v.GetOk() {
				return err
			}
			return quietExit(exitNotVerified)
		},
	}
	cmd.Flags().StringVar(&at, "at", "", "the time, RFC 3339 (default: now)")
	cmd.Flags().DurationVar(&maxAge, "max-age", 0, "count no source whose reading is older (default: as the feed has it)")
	return cmd
}

func (a *app) printValue(w io.Writer, feed string, v *apiv1.ValueResponse) {
	if v.GetOk() {
		fmt.Fprintf(w, "%s %s\n", v.GetValue(), clean(v.GetUnit()))
	} else {
		fmt.Fprintf(w, "NO ANSWER: %s\n", sentence(clean(v.GetReason())))
	}
	printFacts(w, []fact{{"feed", feed}, {"at", v.GetAt()}, {"sources that count", strconv.Itoa(int(v.GetCounted()))}, {"level", v.GetLevel()}})
	if len(v.GetSources()) == 0 {
		return
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "DEVICE\tVALUE\tAGE\tFIRMWARE\tLEVEL\tMISSING\tBOOT\tSEQUENCE\tCOUNTS")
	for _, s := range v.GetSources() {
		counts := "yes"
		if s.GetLeftOut() != "" {
			counts = "no: " + clean(s.GetLeftOut())
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", a.short(s.GetDevice()), s.GetValue(), seconds(s.GetAgeMs()), ranText(s.GetFirmware(), s.GetFirmwareVersion()),
			s.GetLevel(), s.GetMissing(), s.GetBoot(), s.GetSequence(), counts)
	}
	_ = t.Flush()
}
