package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/dureledger/dure/api/web"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	// shownDevices is how many devices a page has, maxCounted how many of a model are counted for its figures.
	shownDevices = 50
	maxCounted   = 5000
	// shownCommands is how many answered commands of a device are shown besides the open ones.
	shownCommands = 1
	// shownFirmware is how many firmwares of a model are shown, the newest ones.
	shownFirmware = 10
)

func (s *Server) modelPage(r *http.Request) (string, any, error) {
	maker, err := parseAddress("maker", r.PathValue("maker"))
	if err != nil {
		return "", nil, err
	}
	model := r.PathValue("model")
	if err := bounded("model", model); err != nil {
		return "", nil, err
	}
	st, _ := s.ledger.State()
	m, ok := index.ReadModel(st, maker, model)
	if !ok {
		return "", nil, unknownModel(maker, model)
	}
	v := web.Model{Maker: maker.String(), Model: model, Title: m.GetTitle()}
	if err := s.countDevices(st, maker, model, &v); err != nil {
		return "", nil, err
	}
	devices, next, err := index.ReadDevices(st, maker, model, index.Page{Size: shownDevices, Token: r.URL.Query().Get("page")})
	if err != nil {
		return "", nil, err
	}
	for _, a := range devices {
		v.List = append(v.List, s.modelDevice(r.Context(), st, a))
	}
	v.Next = next
	return m.GetTitle(), v, nil
}

// countDevices fills in a model's figures and its firmware.
func (s *Server) countDevices(st state.Reader, maker tx.Address, model string, v *web.Model) error {
	runs := map[uint64]int{}
	now := s.ledger.Status().Time.UnixMilli()
	for p := (index.Page{Size: index.MaxPage}); ; {
		devices, next, err := index.ReadDevices(st, maker, model, p)
		if err != nil {
			return err
		}
		for _, a := range devices {
			d, _ := index.ReadDevice(st, a)
			v.Devices++
			if d.GetState() == devicev1.State_STATE_SUSPENDED {
				v.Suspended++ // what it runs now is not known
			} else {
				runs[d.GetFirmware()]++
			}
			if slices.ContainsFunc(index.ReadCommands(st, a), func(c *devicev1.Command) bool { return commandState(c, now) == commandOpen }) {
				v.Commanded++
			}
		}
		if p.Token, v.More = next, next != ""; next == "" || v.Devices >= maxCounted {
			break
		}
	}
	index.ReadFirmwares(st, maker, model, func(number uint64, f *devicev1.Firmware) bool {
		shown := firmwareOf(number, f)
		if v.Firmware = append(v.Firmware, web.ModelFirmware{
			Number: number, Version: f.GetVersion(), Digest: shown.GetDigest(), Follows: f.GetFollows(), Devices: runs[number],
			RegisteredAt: f.GetRegisteredAt(), Withdrawn: f.GetWithdrawReason(), Faults: shownFaults(f.GetFaults()),
		}); f.GetWithdrawnAt() == 0 {
			v.Newest = runs[number]
		}
		return true
	})
	slices.Reverse(v.Firmware)
	v.Firmware = v.Firmware[:min(len(v.Firmware), shownFirmware)]
	return nil
}

func shownFaults(known []*devicev1.KnownFault) []web.KnownFault {
	out := make([]web.KnownFault, len(known))
	for i, k := range known {
		out[i] = web.KnownFault{ID: k.GetId(), Text: k.GetText(), FixedIn: k.GetFixedIn(), KnownAt: k.GetKnownAt()}
	}
	return out
}

func (s *Server) modelDevice(ctx context.Context, st state.Reader, a tx.Address) web.ModelDevice {
	known, _ := index.ReadDevice(st, a)
	d := s.deviceOf(st, a, known)
	v := web.ModelDevice{
		Device: d.GetDevice(), Serial: d.GetSerial(), Owner: d.GetOwner(), State: d.GetState(), Firmware: known.GetFirmware(), Version: d.GetFirmware().GetVersion(),
		Level: d.GetLevel(), LastGoodAt: known.GetLastGoodAt(), LastGood: d.GetLastGoodTransaction(),
		Commands: shownOf(d.GetCommands(), index.ReadCommands(st, a)),
	}
	if n := len(d.GetDoubts()); n > 0 && v.State == "suspended" {
		v.Why, v.Finding = d.GetDoubts()[n-1].GetReason(), d.GetDoubts()[n-1].GetFinding()
	}
	v.Feeds = s.feedLinks(ctx, index.FeedFilter{Device: &a})
	for _, f := range v.Feeds {
		if r, ok := index.ReadReport(st, f.Feed, a); ok {
			v.Quarantined += r.GetQuarantined()
		}
	}
	return v
}

// shownOf is the open commands of a device, and the newest others, the newest first.
func shownOf(shown []*apiv1.DeviceCommand, kept []*devicev1.Command) (out []web.ModelCommand) {
	others := 0
	for i := len(shown) - 1; i >= 0; i-- {
		c := shown[i]
		if c.GetState() != commandOpen {
			if others++; others > shownCommands {
				continue
			}
		}
		out = append(out, web.ModelCommand{Kind: c.GetKind(), State: c.GetState(), Note: c.GetNote(), ExpiresAt: kept[i].GetExpiresAt(), Transaction: c.GetTransaction()})
	}
	return out
}
