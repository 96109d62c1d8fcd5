package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/dureledger/dure/bench"
)

// mixedKinds are all kinds of keys an account may have, in the order of the table.
var mixedKinds = []string{"ed25519", "p256", "webauthn", "secp256k1", "mldsa65"}

// keys adds a row for each kind of keys, and one for all of them mixed, which says what to expect of it by the others: with even shares, payments a second
// whose time is the mean of theirs. ed25519 is the row of Ed25519 keys alone, nil if it failed.
func (t *benchTable) keys(ctx context.Context, ed25519 *bench.Report, seconds string) {
	reports := []*bench.Report{ed25519}
	for _, kind := range mixedKinds[1:] {
		reports = append(reports, t.payments(ctx, "4 members, saturated, "+kind+" keys", t.throughputOf, "--seconds", seconds, "--keys", kind))
	}
	t.payments(ctx, "4 members, saturated, all five kinds mixed", func(r *bench.Report) string {
		text := t.throughput(r)
		if r.Mix != nil {
			text += fmt.Sprintf("; checking signatures mixed, %.2f of what each kind's own rate makes one expect", r.Mix.OfExpected)
		}
		if expected := expectedOf(reports); expected > 0 {
			text += fmt.Sprintf("; %.2f of the %.0f tx/s to be expected from the rows of each kind", r.CommittedPerS/expected, expected)
		}
		return text
	}, "--seconds", seconds, "--keys", strings.Join(mixedKinds, ","))
}

// throughputOf is throughput, and the size of a payment by keys of one kind.
func (t *benchTable) throughputOf(r *bench.Report) string {
	text := t.throughput(r)
	for _, k := range r.Keys {
		text += fmt.Sprintf("; %d bytes a payment", k.TransactionBytes)
	}
	return text
}

// expectedOf is how many payments a second to expect of even shares of all; 0 if one of them is missing.
func expectedOf(reports []*bench.Report) float64 {
	seconds := 0.0
	for _, r := range reports {
		if r == nil || r.CommittedPerS == 0 {
			return 0
		}
		seconds += 1 / r.CommittedPerS
	}
	return float64(len(reports)) / seconds
}
