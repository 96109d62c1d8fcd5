package stream

import (
	"github.com/holiman/uint256"

	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Get returns a feed, open or closed, and whether there is one.
func Get(g state.Getter, feed string) (*streamv1.Feed, bool) { return feeds.Get(g, feed) }

// Waiting is how many readings of a feed that pays wait: to be paid, or in quarantine.
func Waiting(g state.Getter, feed string) uint64 {
	n, _ := waiting.Get(g, feed)
	return n
}

// GetHead returns the last reading seen of a device, for all feeds together, and its gaps.
func GetHead(g state.Getter, device tx.Address) (*streamv1.Head, bool) { return heads.Get(g, device) }

// GetReport returns what is kept of a device that reports, or did, to a feed.
//
// Its dues are what may still be paid. What was paid is in the Settled events, with the times it was taken; whether a doubt that came later
// covers them is for device.Doubted to say.
func GetReport(g state.Getter, feed string, device tx.Address) (*streamv1.Report, bool) {
	return reports.Get(g, place{feed, device})
}

// GetQuarantined returns a reading in quarantine. One whose deadline has passed is dropped only when somebody next looks, so mind that.
func GetQuarantined(g state.Getter, feed string, device tx.Address, boot, sequence uint64) (*streamv1.Quarantined, bool) {
	return quarantines.Get(g, spot{place{feed, device}, boot, sequence})
}

// Ascend calls fn for each feed in order of id until fn returns false.
func Ascend(r state.Reader, fn func(feed string, f *streamv1.Feed) bool) { feeds.Ascend(r, nil, fn) }

// AscendReports calls fn for each device that reports, or did, to a feed, in order of address, until fn returns false.
func AscendReports(r state.Reader, feed string, fn func(device tx.Address, report *streamv1.Report) bool) {
	reports.Ascend(r, ids.Append(nil, feed), func(p place, report *streamv1.Report) bool { return fn(p.device, report) })
}

// AscendQuarantined calls fn for each reading in quarantine of a feed, in order of device, start and sequence number, until fn returns false.
func AscendQuarantined(r state.Reader, feed string, fn func(device tx.Address, boot, sequence uint64, q *streamv1.Quarantined) bool) {
	quarantines.Ascend(r, ids.Append(nil, feed), func(s spot, q *streamv1.Quarantined) bool { return fn(s.device, s.boot, s.sequence, q) })
}

// AscendQuarantinedOf is AscendQuarantined for one device.
func AscendQuarantinedOf(r state.Reader, feed string, device tx.Address, fn func(boot, sequence uint64, q *streamv1.Quarantined) bool) {
	quarantines.Ascend(r, places.Append(nil, place{feed, device}), func(s spot, q *streamv1.Quarantined) bool { return fn(s.boot, s.sequence, q) })
}

// AscendFunds calls fn for each feed that has funds, in order of id, until fn returns false. They are units of the asset that are in no balance
// and no hold.
func AscendFunds(r state.Reader, fn func(feed, asset string, funds uint256.Int) bool) {
	feeds.Ascend(r, nil, func(id string, f *streamv1.Feed) bool {
		funds := stored(f.GetFunds())
		return funds.IsZero() || fn(id, f.GetTerms().GetPremium().GetAsset(), funds)
	})
}

// FeedKey is the raw state key of a feed, for state proofs.
func FeedKey(feed string) []byte { return feeds.Key(feed) }

// HeadKey is the raw state key of a device's head, for state proofs.
func HeadKey(device tx.Address) []byte { return heads.Key(device) }

// ReportKey is the raw state key of a device in a feed, for state proofs.
func ReportKey(feed string, device tx.Address) []byte { return reports.Key(place{feed, device}) }
