package api

import (
	"strconv"
	"strings"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// shown remembers what many rows of an answer say again: devices, and their makers' versions of firmware.
type shown struct {
	state.Reader
	devices map[tx.Address]*devicev1.Device
	ran     map[ran]string
}

type ran struct {
	device   tx.Address
	firmware uint64
}

func newShown(r state.Reader) *shown {
	return &shown{Reader: r, devices: map[tx.Address]*devicev1.Device{}, ran: map[ran]string{}}
}

// device is a device as the state has it, nil if there is none.
func (s *shown) device(a tx.Address) *devicev1.Device {
	d, ok := s.devices[a]
	if !ok {
		d, _ = index.ReadDevice(s, a)
		s.devices[a] = d
	}
	return d
}

// rely says whether a device's reading may be relied on.
func (s *shown) rely(device tx.Address, taken, anchored int64) (doubt string, confirmed bool) {
	r := index.RelyOn(s.device(device), taken, anchored)
	return r.Reason, r.Confirmed
}

// version is the maker's version of a firmware that a device ran.
func (s *shown) version(device tx.Address, firmware uint64) string {
	key := ran{device, firmware}
	version, ok := s.ran[key]
	if ok {
		return version
	}
	d := s.device(device)
	if maker, err := tx.ToAddress(d.GetMaker()); err == nil {
		f, _ := index.ReadFirmware(s, maker, d.GetModel(), firmware)
		version = f.GetVersion()
	}
	s.ran[key] = version
	return version
}

// units is a whole number of a feed's smallest units in its unit.
func units(f *streamv1.Feed, n int64) string {
	return reading.FormatUnits(n, int(f.GetTerms().GetDecimals()))
}

// some is units, or empty for 0, which stands for any.
func some(f *streamv1.Feed, n uint64) string {
	if n == 0 {
		return ""
	}
	d, err := reading.NewDecimal(int64(min(n, 1<<63-1)), 0)
	if err != nil || n > 1<<63-1 {
		return strconv.FormatUint(n, 10)
	}
	return units(f, d.Mantissa)
}

func feedOf(name string, f *streamv1.Feed) *apiv1.Feed {
	t := f.GetTerms()
	out := &apiv1.Feed{
		Feed: name, Operator: address(f.GetOperator()), Title: t.GetTitle(), Unit: t.GetUnit(), Decimals: t.GetDecimals(), Least: units(f, t.GetLeast()),
		Most: units(f, t.GetMost()), MaxRate: some(f, t.GetMaxRate()), LateMs: t.GetLateMs(), AheadMs: t.GetAheadMs(), StaleMs: t.GetStaleMs(),
		MinSources: t.GetMinSources(), MaxDeviation: some(f, t.GetMaxDeviation()), MinLevel: knownName(t.GetMinLevel()), AppealMs: t.GetAppealMs(),
		OpenedAt: timestamp(f.GetOpenedAt()), ClosedAt: timestamp(f.GetClosedAt()), Funds: f.GetFunds(), Devices: f.GetDevices(),
	}
	if p := t.GetPremium(); p != nil {
		out.Premium = &apiv1.FeedPremium{Asset: p.GetAsset(), Amount: p.GetAmount(), DisputeMs: p.GetDisputeMs(), Confirmed: p.GetConfirmed(), EveryMs: p.GetEveryMs()}
	}
	return out
}

// sourceOf is a device that reports to a feed, as of now.
func (s *Server) sourceOf(shown *shown, f *streamv1.Feed, device tx.Address, r *streamv1.Report) *apiv1.FeedSource {
	head, _ := index.ReadHead(shown, device)
	out := &apiv1.FeedSource{
		Device: device.String(), Accepted: r.GetAccepted(), Late: r.GetLate(), Quarantined: r.GetQuarantined(), Refused: r.GetRefused(), Paid: r.GetPaid(),
		Forfeited: r.GetForfeited(), DismissedAt: timestamp(r.GetDismissedAt()), Boot: head.GetBoot(), Sequence: head.GetSequence(),
		Gaps: gapsOf(head), Missing: head.GetMissing(),
	}
	for _, due := range r.GetDue() {
		out.Due += due.GetReadings()
	}
	if r.GetTakenAt() == 0 {
		return out
	}
	out.Value, out.TakenAt, out.AnchoredAt = units(f, r.GetValue()), timestamp(r.GetTakenAt()), timestamp(r.GetAnchoredAt())
	out.AgeMs = max(0, s.now()-min(r.GetTakenAt(), r.GetAnchoredAt()))
	out.Firmware, out.FirmwareVersion, out.Level = r.GetFirmware(), shown.version(device, r.GetFirmware()), knownName(r.GetLevel())
	out.Doubt, _ = shown.rely(device, r.GetTakenAt(), r.GetAnchoredAt())
	return out
}

func gapsOf(h *streamv1.Head) (out []*apiv1.ReadingGap) {
	for _, g := range h.GetGaps() {
		out = append(out, &apiv1.ReadingGap{Boot: g.GetBoot(), First: g.GetFirst(), Last: g.GetLast(), SeenAt: timestamp(g.GetSeenAt())})
	}
	return out
}

// readingOf is a reading as the API shows it. A refused one may name no feed that there is.
func readingOf(shown *shown, f *streamv1.Feed, r index.Reading) *apiv1.Reading {
	value := r.Value.String()
	if n, err := r.Value.Units(int(f.GetTerms().GetDecimals())); err == nil {
		value = units(f, n)
	}
	doubt, confirmed := shown.rely(r.Device, r.Taken, r.Anchored)
	return &apiv1.Reading{
		Feed: r.Feed, Device: r.Device.String(), Boot: r.Boot, Sequence: r.Sequence, TakenAt: timestamp(r.Taken), AnchoredAt: timestamp(r.Anchored), Value: value,
		Verdict: enumName(r.Verdict), Reason: knownName(r.Reason), Firmware: r.Firmware, FirmwareVersion: shown.version(r.Device, r.Firmware), Level: knownName(r.Level),
		Doubt: doubt, Confirmed: confirmed, Transaction: idText(r.Tx), Action: r.Action, Position: r.Position, Seq: r.Seq,
	}
}

// parseVerdict reads a verdict by its short name.
func parseVerdict(s string) (streamv1.Verdict, error) {
	if s == "" {
		return streamv1.Verdict_VERDICT_UNSPECIFIED, nil
	}
	for _, v := range []streamv1.Verdict{streamv1.Verdict_VERDICT_ACCEPTED, streamv1.Verdict_VERDICT_LATE, streamv1.Verdict_VERDICT_QUARANTINED, streamv1.Verdict_VERDICT_REFUSED} {
		if enumName(v) == s {
			return v, nil
		}
	}
	return 0, fault.New("request.malformed", `verdict: want "accepted", "late", "quarantined" or "refused"`, "field", "verdict")
}

// verdictsField has a byte for each reading, and is no address or digest however long it is.
const verdictsField = "verdicts"

// verdictsText names each verdict, with its reason if it has one: "accepted, quarantined range".
func verdictsText(b []byte) string {
	words := make([]string, len(b))
	for i, v := range b {
		words[i] = enumName(streamv1.Verdict(v >> 4))
		if reason := streamv1.Reason(v & 15); reason != streamv1.Reason_REASON_UNSPECIFIED {
			words[i] += " " + enumName(reason)
		}
	}
	return strings.Join(words, ", ")
}
