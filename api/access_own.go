package api

import (
	"context"
	"slices"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/tx"
)

// What concerns an account that is no member's, by procedure. Each looks at the request before anything is read for it, and
// refuses what is somebody else's in the words in which it refuses what is not there.

// self lets pass the account itself.
func (a *asker) self(field, text string) error {
	asked, err := parseAddress(field, text)
	if err != nil {
		return err
	}
	if asked != a.account {
		return notYours(a, field+" "+asked.String())
	}
	return nil
}

// narrow makes a condition that was left out mean the account itself, and lets pass no other.
func (a *asker) narrow(field string, text *string) error {
	if *text == "" {
		*text = a.account.String()
		return nil
	}
	return a.self(field, *text)
}

// ownAccount lets pass the account itself and those whom it has chosen to recover it: they see what they agree to.
func ownAccount(_ context.Context, a *asker, m *apiv1.GetAccountRequest) error {
	refused := a.self("address", m.GetAddress())
	if asked, err := parseAddress("address", m.GetAddress()); err == nil && refused != nil &&
		a.among(index.ReadRecovery(a.st, asked, a.s.ledger.Status().Time.UnixMilli()).GetRules().GetGuardians()...) {
		return nil
	}
	return refused
}

func ownBalance(_ context.Context, a *asker, m *apiv1.GetBalanceRequest) error {
	return a.self("account", m.GetAccount())
}

func ownBalances(_ context.Context, a *asker, m *apiv1.ListBalancesRequest) error {
	if m.GetAccount() == "" {
		return notYours(a, "who holds an asset")
	}
	return a.self("account", m.GetAccount())
}

func ownHold(_ context.Context, a *asker, m *apiv1.GetHoldRequest) error {
	id, err := parseHex("hold", m.GetHold(), 16)
	if err != nil {
		return err
	}
	h, ok := index.ReadHold(a.st, [16]byte(id))
	if !ok || !a.among(h.GetPayer(), h.GetPayee(), h.GetArbiter()) {
		return notYours(a, "the hold "+bytesText(id))
	}
	return nil
}

// among says whether the account is one of these.
func (a *asker) among(accounts ...[]byte) bool {
	return slices.ContainsFunc(accounts, func(b []byte) bool { return string(b) == string(a.account[:]) })
}

func ownHolds(_ context.Context, a *asker, m *apiv1.ListHoldsRequest) error {
	return a.narrow("account", &m.Account)
}

func ownRecords(_ context.Context, a *asker, m *apiv1.ListRecordsRequest) error {
	return a.narrow("recorder", &m.Recorder)
}

// showRecords leaves the records that the account made or cosigned. That there are only others' is refused rather than shown as
// none: nobody is to conclude that a document is not recorded.
func showRecords(a *asker, m *apiv1.GetRecordsResponse) error {
	me, all := a.account.String(), len(m.GetRecords())
	m.Records = slices.DeleteFunc(m.GetRecords(), func(r *apiv1.Record) bool {
		return r.GetRecorder() != me && !slices.ContainsFunc(r.GetCosignatures(), func(c *apiv1.Cosignature) bool { return c.GetAccount() == me })
	})
	if all > 0 && len(m.GetRecords()) == 0 {
		return notYours(a, "any record of this document")
	}
	return nil
}

// device lets pass the devices that the account makes, owns or is.
func (a *asker) device(text string) error {
	device, err := parseAddress("device", text)
	if err != nil {
		return err
	}
	d, ok := index.ReadDevice(a.st, device)
	if device != a.account && (!ok || !a.among(d.GetMaker(), d.GetOwner())) {
		return notYours(a, "the device "+device.String())
	}
	return nil
}

func ownDevice(_ context.Context, a *asker, m *apiv1.GetDeviceRequest) error {
	return a.device(m.GetDevice())
}

func ownDevices(_ context.Context, a *asker, m *apiv1.ListDevicesRequest) error {
	return a.self("maker", m.GetMaker())
}

func ownRely(_ context.Context, a *asker, m *apiv1.RelyRequest) error {
	return a.device(m.GetDevice())
}

func ownTaint(_ context.Context, a *asker, m *apiv1.TaintRequest) error {
	return a.device(m.GetDevice())
}

// operates says whether the account operates a feed.
func (a *asker) operates(feed string) bool {
	f, ok := index.ReadFeed(a.st, feed)
	return ok && a.among(f.GetOperator())
}

// feed lets pass the feeds that the account operates or reports to.
func (a *asker) feed(name string) error {
	if err := bounded("feed", name); err != nil {
		return err
	}
	if _, reports := index.ReadReport(a.st, name, a.account); !reports && !a.operates(name) {
		return notYours(a, "the feed "+printable(name))
	}
	return nil
}

func ownFeed(_ context.Context, a *asker, m *apiv1.GetFeedRequest) error { return a.feed(m.GetFeed()) }

func ownValue(_ context.Context, a *asker, m *apiv1.ValueRequest) error { return a.feed(m.GetFeed()) }

func ownFeeds(_ context.Context, a *asker, m *apiv1.ListFeedsRequest) error {
	if m.GetDevice() != "" {
		return a.device(m.GetDevice())
	}
	return a.narrow("operator", &m.Operator)
}

func ownReadings(_ context.Context, a *asker, m *apiv1.ListReadingsRequest) error {
	return a.deviceOrFeed(m.GetDevice(), m.GetFeed())
}

func ownSettlements(_ context.Context, a *asker, m *apiv1.ListSettlementsRequest) error {
	return a.deviceOrFeed(m.GetDevice(), m.GetFeed())
}

// deviceOrFeed lets pass what is asked of a device of the account, or of a feed that it operates.
func (a *asker) deviceOrFeed(device, feed string) error {
	if err := bounded("feed", feed); err != nil {
		return err
	}
	switch {
	case feed != "" && a.operates(feed):
		return nil
	case device != "":
		return a.device(device)
	}
	return notYours(a, "the feed "+printable(feed))
}

func ownReading(ctx context.Context, a *asker, m *apiv1.GetReadingRequest) error {
	no := a.device(m.GetDevice())
	if no == nil || a.s.index == nil {
		return no
	}
	device, err := parseAddress("device", m.GetDevice())
	if err != nil {
		return err
	}
	row, ok, err := a.s.index.FindReading(ctx, device, m.GetBoot(), m.GetSequence())
	if err != nil {
		return err
	}
	if ok && a.operates(row.Feed) {
		return nil
	}
	return no
}

// concerns says whether a transaction names the account, in its actions or in what they left behind; whole, whether all that it
// says may be shown: what a gateway anchors has the readings of many devices, which are not each other's business.
func (a *asker) concerns(e Entry) (named, whole bool) {
	if !slices.Contains(index.FactsOf(e).Accounts, a.account) {
		return false, false
	}
	body, _ := e.Body()
	for _, action := range body.GetActions() {
		if action.GetStreamAnchor() != nil && tx.Address(action.GetActor()) != a.account {
			return true, false
		}
	}
	return true, true
}
