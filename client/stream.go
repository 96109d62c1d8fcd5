package client

import (
	"context"
	"iter"
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// OpenFeed opens a feed with terms that never change. Values in the terms are whole numbers of 10^-decimals of the unit, times
// are milliseconds.
func (d *Draft) OpenFeed(operator tx.Address, feed string, terms *streamv1.Terms) *Draft {
	return d.Append(&txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamOpen{StreamOpen: &streamv1.Open{Feed: feed, Terms: terms}}})
}

// CloseFeed ends a feed: it takes no readings any more. What was earned is still paid.
func (d *Draft) CloseFeed(operator tx.Address, feed string) *Draft {
	return d.Append(&txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamClose{StreamClose: &streamv1.Close{Feed: feed}}})
}

// AdmitDevices lets devices report to the operator's feed, 1 to 100 at once.
func (d *Draft) AdmitDevices(operator tx.Address, feed string, devices ...tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamAdmit{
		StreamAdmit: &streamv1.Admit{Feed: feed, Devices: bytesOf(devices)}}})
}

// DismissDevices ends that.
func (d *Draft) DismissDevices(operator tx.Address, feed, reason string, devices ...tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamDismiss{
		StreamDismiss: &streamv1.Dismiss{Feed: feed, Devices: bytesOf(devices), Reason: reason}}})
}

// FundFeed adds to what a feed pays premiums from, in smallest units of the premium's asset.
func (d *Draft) FundFeed(payer tx.Address, feed, amount string) *Draft {
	return d.Append(&txv1.Action{Actor: payer[:], Call: &txv1.Action_StreamFund{StreamFund: &streamv1.Fund{Feed: feed, Amount: amount}}})
}

// ReadingID names a reading that waits in quarantine.
type ReadingID struct {
	Feed           string
	Device         tx.Address
	Boot, Sequence uint64
}

// AppealReading asks a feed's operator to look at a quarantined reading again. The actor is the device, its owner or its maker.
func (d *Draft) AppealReading(actor tx.Address, id ReadingID, reason string) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_StreamAppeal{StreamAppeal: &streamv1.Appeal{
		Feed: id.Feed, Device: id.Device[:], Boot: id.Boot, Sequence: id.Sequence, Reason: reason}}})
}

// DecideReading decides about a quarantined reading of the operator's feed.
func (d *Draft) DecideReading(operator tx.Address, id ReadingID, accept bool, reason string) *Draft {
	return d.Append(&txv1.Action{Actor: operator[:], Call: &txv1.Action_StreamDecide{StreamDecide: &streamv1.Decide{
		Feed: id.Feed, Device: id.Device[:], Boot: id.Boot, Sequence: id.Sequence, Accept: accept, Reason: reason}}})
}

// SettleFeed pays devices what their readings have earned and nothing speaks against any more, 1 to 100 at once.
func (d *Draft) SettleFeed(actor tx.Address, feed string, devices ...tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_StreamSettle{
		StreamSettle: &streamv1.Settle{Feed: feed, Devices: bytesOf(devices)}}})
}

func bytesOf(accounts []tx.Address) [][]byte {
	out := make([][]byte, len(accounts))
	for i := range accounts {
		out[i] = accounts[i][:]
	}
	return out
}

// Feed returns a feed with its sources and what waits in quarantine. Code stream.unknown.
func (c *Client) Feed(ctx context.Context, feed string) (*apiv1.GetFeedResponse, error) {
	return read(ctx, c, &apiv1.GetFeedRequest{Feed: feed},
		func(n *node) method[apiv1.GetFeedRequest, apiv1.GetFeedResponse] { return n.stream.GetFeed })
}

// Feeds lists feeds in alphabetical order. Page fields of the query are set here.
func (c *Client) Feeds(ctx context.Context, query *apiv1.ListFeedsRequest) iter.Seq2[*apiv1.Feed, error] {
	return pages(func(token string) ([]*apiv1.Feed, string, error) {
		query.PageSize, query.PageToken = pageSize, token
		res, err := read(ctx, c, query, func(n *node) method[apiv1.ListFeedsRequest, apiv1.ListFeedsResponse] { return n.stream.ListFeeds })
		return res.GetFeeds(), res.GetNextPageToken(), err
	})
}

// FeedValue returns a feed's value at a time, or why it has none; the zero time is now. A source whose reading is older than maxAge
// does not count; 0: as the feed has it. Code stream.unknown.
func (c *Client) FeedValue(ctx context.Context, feed string, at time.Time, maxAge time.Duration) (*apiv1.ValueResponse, error) {
	request := &apiv1.ValueRequest{Feed: feed, MaxAgeMs: maxAge.Milliseconds()}
	if !at.IsZero() {
		request.At = at.UTC().Format(time.RFC3339Nano)
	}
	return read(ctx, c, request, func(n *node) method[apiv1.ValueRequest, apiv1.ValueResponse] { return n.stream.Value })
}

// Readings lists readings of a feed, the last taken first. Page fields of the query are set here.
func (c *Client) Readings(ctx context.Context, query *apiv1.ListReadingsRequest) iter.Seq2[*apiv1.Reading, error] {
	return pages(func(token string) ([]*apiv1.Reading, string, error) {
		query.PageSize, query.PageToken = pageSize, token
		res, err := read(ctx, c, query, listReadings)
		return res.GetReadings(), res.GetNextPageToken(), err
	})
}

// ReadingsErased is until when readings were anchored that the node does not list because they had been erased before its index was made (RFC
// 3339), empty if there are none.
func (c *Client) ReadingsErased(ctx context.Context, feed string) (string, error) {
	res, err := read(ctx, c, &apiv1.ListReadingsRequest{Feed: feed, PageSize: 1}, listReadings)
	return res.GetErasedUntil(), err
}

func listReadings(n *node) method[apiv1.ListReadingsRequest, apiv1.ListReadingsResponse] {
	return n.stream.ListReadings
}

// Reading returns one reading of a device. Code reading.unknown.
func (c *Client) Reading(ctx context.Context, device tx.Address, boot, sequence uint64) (*apiv1.GetReadingResponse, error) {
	return read(ctx, c, &apiv1.GetReadingRequest{Device: device.String(), Boot: boot, Sequence: sequence}, getReading)
}

// ReadingProof also asks for the file that proves it, for a verifier who trusts the validators of a height already; 0 means genesis. It
// does not verify: see [light.Anchor.VerifyReading]. Codes reading.unknown, reading.erased, receipt.not_yet.
func (c *Client) ReadingProof(ctx context.Context, device tx.Address, boot, sequence uint64, trusted int64) (*apiv1.GetReadingResponse, error) {
	return read(ctx, c, &apiv1.GetReadingRequest{Device: device.String(), Boot: boot, Sequence: sequence, Proof: true, TrustedHeight: trusted}, getReading)
}

func getReading(n *node) method[apiv1.GetReadingRequest, apiv1.GetReadingResponse] {
	return n.stream.GetReading
}

// Settlements lists payments for readings by when the ledger made them, the last first: of a device, a feed, or both. Page fields of the query are set here.
func (c *Client) Settlements(ctx context.Context, query *apiv1.ListSettlementsRequest) iter.Seq2[*apiv1.Settlement, error] {
	return pages(func(token string) ([]*apiv1.Settlement, string, error) {
		query.PageSize, query.PageToken = pageSize, token
		res, err := read(ctx, c, query, func(n *node) method[apiv1.ListSettlementsRequest, apiv1.ListSettlementsResponse] {
			return n.stream.ListSettlements
		})
		return res.GetSettlements(), res.GetNextPageToken(), err
	})
}

// Taint returns what leaned on a device in the times in which it is in doubt. Code device.unknown.
func (c *Client) Taint(ctx context.Context, device tx.Address) (*apiv1.TaintResponse, error) {
	return read(ctx, c, &apiv1.TaintRequest{Device: device.String()},
		func(n *node) method[apiv1.TaintRequest, apiv1.TaintResponse] { return n.stream.Taint })
}
