package index

import (
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/stream"
)

// ReadingID names a reading of a device.
type ReadingID struct {
	Device         tx.Address
	Boot, Sequence uint64
}

// ReadFeed is a feed as the state has it, and whether there is one.
func ReadFeed(r state.Reader, feed string) (*streamv1.Feed, bool) { return stream.Get(r, feed) }

// ReadHead is what the state has of all readings of a device, and whether there is any.
func ReadHead(r state.Reader, device tx.Address) (*streamv1.Head, bool) {
	return stream.GetHead(r, device)
}

// ReadReport is what the state has of a device in a feed, and whether it reports to it or did.
func ReadReport(r state.Reader, feed string, device tx.Address) (*streamv1.Report, bool) {
	return stream.GetReport(r, feed, device)
}

// ReadReports calls fn for each device that reports to a feed or did, in order of address, until it returns false.
func ReadReports(r state.Reader, feed string, fn func(device tx.Address, report *streamv1.Report) bool) {
	stream.AscendReports(r, feed, fn)
}

// ReadQuarantine calls fn for each reading of a feed that waits in quarantine, in order of device and number, until it returns false. Those whose
// deadline has passed stay until somebody next looks at the device.
func ReadQuarantine(r state.Reader, feed string, fn func(id ReadingID, q *streamv1.Quarantined) bool) {
	stream.AscendQuarantined(r, feed, func(device tx.Address, boot, sequence uint64, q *streamv1.Quarantined) bool {
		return fn(ReadingID{device, boot, sequence}, q)
	})
}

// ReadQuarantineOf is ReadQuarantine for one device.
func ReadQuarantineOf(r state.Reader, feed string, device tx.Address, fn func(id ReadingID, q *streamv1.Quarantined) bool) {
	stream.AscendQuarantinedOf(r, feed, device, func(boot, sequence uint64, q *streamv1.Quarantined) bool {
		return fn(ReadingID{device, boot, sequence}, q)
	})
}
