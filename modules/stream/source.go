package stream

import (
	"fmt"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// admit lets devices report to a feed of the actor's. One that was dismissed comes back with its past.
func (m *Module) admit(c *exec.Context, call *streamv1.Admit) error {
	f, err := operated(c, call.GetFeed())
	if err != nil {
		return err
	}
	if f.GetClosedAt() != 0 {
		return closed(call.GetFeed(), f)
	}
	devices, err := named(call.GetDevices())
	if err != nil {
		return err
	}
	if n := uint64(f.GetDevices()) + uint64(len(devices)); n > MaxDevices {
		return fault.New("stream.full", fmt.Sprintf("The feed %s would have %d devices; at most %d may report to one. Open another feed.", call.GetFeed(), n, MaxDevices),
			"feed", call.GetFeed(), "most", MaxDevices)
	}
	for _, a := range devices {
		if err := m.admitOne(c, place{call.GetFeed(), a}); err != nil {
			return err
		}
	}
	f.Devices += uint32(len(devices))
	feeds.Set(c.View, call.GetFeed(), f)
	return nil
}

func (m *Module) admitOne(c *exec.Context, p place) error {
	d, ok := m.devices.Get(c.View, p.device)
	if !ok || d.GetState() == devicev1.State_STATE_REVOKED {
		return fault.New("stream.not_device", p.device.String()+" is no device, or is revoked. Its maker must enrol it first.", "device", p.device)
	}
	r, ok := reports.Get(c.View, p)
	switch {
	case !ok:
		r = &streamv1.Report{}
	case r.GetDismissedAt() == 0:
		return fault.New("stream.admitted", "The device "+p.device.String()+" reports to "+p.feed+" already.", "feed", p.feed, "device", p.device)
	}
	r.DismissedAt = 0
	reports.Set(c.View, p, r)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamAdmitted{StreamAdmitted: &streamv1.Admitted{Feed: p.feed, Device: p.device[:]}}})
	return nil
}

// dismiss ends that devices report to a feed of the actor's. What they have earned waits as before.
func (m *Module) dismiss(c *exec.Context, call *streamv1.Dismiss) error {
	f, err := operated(c, call.GetFeed())
	if err != nil {
		return err
	}
	if err := text.Check("stream.bad_text", "reason", call.GetReason(), 1, MaxReason); err != nil {
		return err
	}
	devices, err := named(call.GetDevices())
	if err != nil {
		return err
	}
	for _, a := range devices {
		p := place{call.GetFeed(), a}
		r, err := admitted(c.View, p)
		if err != nil {
			return err
		}
		if r.GetDismissedAt() != 0 {
			return fault.New("stream.not_admitted", "The device "+a.String()+" is dismissed from "+p.feed+" already.", "feed", p.feed, "device", a)
		}
		r.DismissedAt = c.Time
		reports.Set(c.View, p, r)
		c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_StreamDismissed{StreamDismissed: &streamv1.Dismissed{
			Feed: p.feed, Device: p.device[:], Reason: call.GetReason(),
		}}})
	}
	f.Devices -= uint32(len(devices))
	feeds.Set(c.View, call.GetFeed(), f)
	return nil
}

// admitted returns what is kept of a device that reports, or did, to a feed.
func admitted(g state.Getter, p place) (*streamv1.Report, error) {
	r, ok := reports.Get(g, p)
	if !ok {
		return nil, fault.New("stream.not_admitted", fmt.Sprintf("The device %s does not report to the feed %.40q.", p.device, p.feed),
			"feed", p.feed, "device", p.device)
	}
	return r, nil
}

// named reads the devices that an action names: 1 to 100, each once.
func named(list [][]byte) ([]tx.Address, error) {
	if len(list) == 0 || len(list) > MaxNamed {
		return nil, fault.New("stream.bad_count", fmt.Sprintf("An action names 1 to %d devices, not %d.", MaxNamed, len(list)), "devices", len(list), "most", MaxNamed)
	}
	out, seen := make([]tx.Address, 0, len(list)), make(map[tx.Address]bool, len(list))
	for _, b := range list {
		a, err := toAddress("device", b)
		if err != nil {
			return nil, err
		}
		if seen[a] {
			return nil, fault.New("stream.bad_count", "The device "+a.String()+" is named twice.", "device", a)
		}
		seen[a], out = true, append(out, a)
	}
	return out, nil
}
