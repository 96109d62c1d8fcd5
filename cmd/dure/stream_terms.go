package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/reading"
)

// termFlags are the terms of a feed as flags.
type termFlags struct {
	title, unit                         string
	decimals, minSources                uint32
	least, most, maxRate, maxDeviation  string
	late, ahead, stale, appeal, dispute time.Duration
	every                               time.Duration
	minLevel, premium                   string
	confirmed                           bool
}

// levels of evidence by the names that the API gives them.
var levels = map[string]devicev1.Level{
	"":                devicev1.Level_LEVEL_UNSPECIFIED,
	"self_reported":   devicev1.Level_LEVEL_SELF_REPORTED,
	"key_in_hardware": devicev1.Level_LEVEL_KEY_IN_HARDWARE,
	"measured_boot":   devicev1.Level_LEVEL_MEASURED_BOOT,
}

func (t *termFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&t.title, "title", "", "name of the feed for people, 1 to 200 bytes (required)")
	f.StringVar(&t.unit, "unit", "", "unit that readings carry, as SenML writes it, such as km/h (required)")
	f.StringVar(&t.least, "least", "", "the least that a reading may say; less is quarantined (required)")
	f.StringVar(&t.most, "most", "", "the most that a reading may say; more is quarantined (required)")
	f.Uint32Var(&t.decimals, "decimals", 0, "digits after the point, 0 to 9; readings with more are refused")
	f.StringVar(&t.maxRate, "max-rate", "0", "how much a source may change in a second; more is quarantined; 0: any")
	f.DurationVar(&t.late, "late", 10*time.Minute, "how old a reading may be when it is anchored to be on time, up to 720h")
	f.DurationVar(&t.ahead, "ahead", 30*time.Second, "how far a reading may be ahead of block time, up to 10m; more is quarantined")
	f.DurationVar(&t.stale, "stale", time.Minute, "how old a source's last reading may be to count for the value")
	f.Uint32Var(&t.minSources, "min-sources", 1, "how many sources a value needs")
	f.StringVar(&t.maxDeviation, "max-deviation", "0", "how far a source may be from the median before there is no value; 0: any")
	f.StringVar(&t.minLevel, "min-level", "", "the least level of evidence that counts: self_reported, key_in_hardware or measured_boot (default any)")
	f.DurationVar(&t.appeal, "appeal", 24*time.Hour, "how long a quarantined reading may be appealed, and then decided")
	f.StringVar(&t.premium, "premium", "", `what each accepted reading earns its device, such as "10 krw" (default nothing)`)
	f.DurationVar(&t.dispute, "dispute", time.Hour, "how long readings wait before they are paid")
	f.DurationVar(&t.every, "every", 0, "pay a device for one reading in this time, however many it makes (default for each)")
	f.BoolVar(&t.confirmed, "confirmed", false, "pay only for what good evidence, given later, has confirmed")
	for _, name := range []string{"title", "unit", "least", "most"} {
		must(cmd.MarkFlagRequired(name))
	}
	must(cmd.RegisterFlagCompletionFunc("min-level", cobra.FixedCompletions([]string{"self_reported", "key_in_hardware", "measured_boot"}, cobra.ShellCompDirectiveNoFileComp)))
}

// terms reads the flags; amounts are looked up on the ledger.
func (t *termFlags) terms(ctx context.Context, a *app) (*streamv1.Terms, error) {
	level, ok := levels[t.minLevel]
	if !ok {
		return nil, usagef("--min-level %q: want self_reported, key_in_hardware or measured_boot", t.minLevel)
	}
	terms := &streamv1.Terms{
		Title: t.title, Unit: t.unit, Decimals: t.decimals, LateMs: t.late.Milliseconds(), AheadMs: t.ahead.Milliseconds(), StaleMs: t.stale.Milliseconds(),
		MinSources: t.minSources, MinLevel: level, AppealMs: t.appeal.Milliseconds(),
	}
	var rate, deviation int64
	for _, n := range []struct {
		flag, text string
		to         *int64
		positive   bool
	}{{"least", t.least, &terms.Least, false}, {"most", t.most, &terms.Most, false}, {"max-rate", t.maxRate, &rate, true}, {"max-deviation", t.maxDeviation, &deviation, true}} {
		d, err := reading.ParseDecimal(strings.ReplaceAll(n.text, ",", ""))
		if err == nil {
			*n.to, err = d.Units(int(min(t.decimals, reading.MaxDecimals)))
		}
		if err != nil {
			return nil, usagef("--%s: %v", n.flag, err)
		}
		if n.positive && *n.to < 0 {
			return nil, usagef("--%s %s: want 0 or more", n.flag, n.text)
		}
	}
	terms.MaxRate, terms.MaxDeviation = uint64(rate), uint64(deviation)
	if t.premium == "" {
		return terms, nil
	}
	amount, asset, ok := strings.Cut(strings.TrimSpace(t.premium), " ")
	if !ok {
		return nil, usagef(`--premium %q: want an amount and an asset, such as "10 krw"`, t.premium)
	}
	asset = strings.TrimSpace(asset)
	units, err := a.amount(ctx, asset, amount)
	if err != nil {
		return nil, err
	}
	terms.Premium = &streamv1.Premium{Asset: asset, Amount: units, DisputeMs: t.dispute.Milliseconds(), EveryMs: t.every.Milliseconds(), Confirmed: t.confirmed}
	return terms, nil
}
