package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

const (
	// tellChunk is how many commands a transaction has: its receipt, which each of the devices gets, has all of them.
	tellChunk = 16
	// lookEvery is how often the ledger is asked what became of the devices.
	lookEvery = time.Second
)

// waveResult is what became of a wave and those before.
type waveResult struct {
	Wave    int        `json:"wave"`
	Share   string     `json:"share"`
	Devices int        `json:"devices"`
	OK      int        `json:"ok"`
	Failed  []lostUnit `json:"failed"`
	Silent  []lostUnit `json:"silent"`
}

// lostUnit is a device that does not run the firmware.
type lostUnit struct {
	Device string `json:"device"`
	Serial string `json:"serial"`
	Why    string `json:"why"`
}

// watched is a device of a wave that is waited for.
type watched struct {
	address      tx.Address
	wasSuspended bool
	until        time.Time
}

// wave tells the devices of a wave that were not told yet, waits, and says what became of it. The error is that no more may be told.
func (r *rollout) wave(ctx context.Context, i int) error {
	if err := r.check(ctx); err != nil {
		return err
	}
	f, err := r.fleet(ctx)
	if err != nil {
		return err
	}
	if i == 0 && !r.app.json {
		r.printLeftOut(r.app.out, f)
	}
	members := f.members[:r.waves[i].of(len(f.members))]
	open, err := r.tell(ctx, members)
	if err != nil {
		return r.broken(err)
	}
	if len(open) > 0 && !r.app.json {
		fmt.Fprintf(r.app.out, "wave %d, up to %s: %s told\n", i+1, r.waves[i], plural(len(open), "device"))
	}
	result := waveResult{Wave: i + 1, Share: r.waves[i].String(), Devices: len(members)}
	now, err := r.watch(ctx, open)
	if err != nil {
		return r.broken(err)
	}
	for _, m := range members {
		d := now[m.GetDevice()]
		if d == nil { // it was revoked meanwhile
			result.Devices--
			continue
		}
		if d.GetFirmware().GetNumber() >= r.number {
			result.OK++
			continue
		}
		what, why, _ := fate(d, r.number, r.payload, false, r.app.now())
		if said := r.lost[d.GetDevice()]; said != "" {
			why = said
		}
		unit := lostUnit{d.GetDevice(), d.GetSerial(), why}
		r.lost[d.GetDevice()] = why
		if what == updateFailed || ends(d, r.payload) == updateFailed || toldTo(d, r.payload) == nil {
			result.Failed = append(result.Failed, unit)
		} else {
			result.Silent = append(result.Silent, unit)
		}
	}
	r.said = append(r.said, result)
	return r.judge(result)
}

// judge says what became of a wave, and stops when too many do not run the firmware.
func (r *rollout) judge(w waveResult) error {
	if !r.app.json {
		w.print(r.app.out)
	}
	bad := len(w.Failed) + len(w.Silent)
	if bad*int(whole) <= int(r.stopAbove)*w.Devices {
		return nil
	}
	return &problem{exit: exitFailed, code: "update.stopped",
		what:   fmt.Sprintf("Stopped after wave %d: %d of %s do not run firmware %d, more than %s.", w.Wave, bad, plural(w.Devices, "device"), r.number, r.stopAbove),
		advice: "No more devices are told. When the reasons are gone, run the same command again: it goes on from here. If the firmware is at fault, withdraw it: dure device withdraw."}
}

func (w waveResult) print(out io.Writer) {
	fmt.Fprintf(out, "wave %d, up to %s: %s, ok %d, failed %d, silent %d\n", w.Wave, w.Share, plural(w.Devices, "device"), w.OK, len(w.Failed), len(w.Silent))
	shown := 0
	for _, list := range [][]lostUnit{w.Failed, w.Silent} {
		for _, u := range list {
			if shown++; shown <= maxShownFailures {
				fmt.Fprintf(out, "  %s (%s): %s\n", clean(u.Serial), u.Device, u.Why)
			}
		}
	}
	if shown > maxShownFailures {
		fmt.Fprintf(out, "  and %d more\n", shown-maxShownFailures)
	}
}

func (r *rollout) broken(err error) error {
	said := *r.app.explain(err)
	said.advice = joinLines("Run the same command again to go on: devices that were told are not told twice.", said.advice)
	return &said
}

// tell commands those of a wave that do not run the firmware and have no command open, and returns all that are to be waited for.
func (r *rollout) tell(ctx context.Context, members []*apiv1.Device) (map[string]watched, error) {
	open := map[string]watched{}
	var fresh []*apiv1.Device
	until := r.app.now().Add(r.wait)
	for _, d := range members {
		address, err := tx.ParseAddress(d.GetDevice())
		if err != nil {
			return nil, err
		}
		if d.GetFirmware().GetNumber() >= r.number || r.lost[d.GetDevice()] != "" {
			continue
		}
		w := watched{address, d.GetState() == "suspended", until}
		told := toldTo(d, r.payload)
		if ends := readTime(told.GetExpiresAt()); ends.After(r.app.now()) && (told.GetState() == "open" || told.GetState() == "done") {
			w.until = ends // a run before has told it, and its answer or its evidence is to come
		} else { // an idle network's time stands still, and a command of which the time is over is open by it
			fresh = append(fresh, d)
		}
		open[d.GetDevice()] = w
	}
	err := r.each(ctx, fresh, tellChunk, func(draft *client.Draft, d *apiv1.Device) {
		draft.CommandDevice(r.maker.address, open[d.GetDevice()].address, client.KindUpdate, r.payload, until)
	}, func(d *apiv1.Device, why string) {
		r.lost[d.GetDevice()] = "it could not be told: " + why
		delete(open, d.GetDevice())
	})
	return open, err
}

// each makes an action for each device, some in a transaction. When the ledger refuses one of those, the devices of it go one by one, to find
// whom it refuses.
func (r *rollout) each(ctx context.Context, devices []*apiv1.Device, chunk int, put func(*client.Draft, *apiv1.Device), refused func(*apiv1.Device, string)) error {
	for len(devices) > 0 {
		some := devices[:min(chunk, len(devices))]
		devices = devices[len(some):]
		draft := client.NewTransaction(r.network)
		for _, d := range some {
			put(draft, d)
		}
		outcome, err := r.client.Do(ctx, draft, r.signer)
		if err == nil {
			err = client.Check(outcome)
		}
		var refusal *client.Refusal
		switch {
		case err == nil:
		case !errors.As(err, &refusal) || refusal.Retryable:
			return err
		case len(some) == 1:
			refused(some[0], withCode(clean(refusal.Message), refusal.Code))
		default:
			if err := r.each(ctx, some, 1, put, refused); err != nil {
				return err
			}
		}
	}
	return nil
}

// watch waits until it is known what became of each device, or its time is over, and asks those that say they are done for evidence. It
// returns all devices of the model as they are then.
func (r *rollout) watch(ctx context.Context, open map[string]watched) (map[string]*apiv1.Device, error) {
	for {
		f, err := r.fleet(ctx)
		if err != nil {
			return nil, err
		}
		now, all := r.app.now(), map[string]*apiv1.Device{}
		for _, group := range [][]*apiv1.Device{f.members, f.newer, f.unreachable, f.suspended} {
			for _, d := range group {
				all[d.GetDevice()] = d
			}
		}
		var ask []*apiv1.Device
		for _, d := range all {
			w, ok := open[d.GetDevice()]
			if !ok {
				continue
			}
			what, why, asks := fate(d, r.number, r.payload, w.wasSuspended, now)
			if what == updateFailed {
				r.lost[d.GetDevice()] = why
			}
			if what != updateOpen || now.After(w.until) {
				delete(open, d.GetDevice())
			} else if asks {
				ask = append(ask, d)
			}
		}
		for device := range open {
			if all[device] == nil { // it was revoked
				delete(open, device)
			}
		}
		if len(open) == 0 {
			return all, nil
		}
		err = r.each(ctx, ask, enrolChunk, func(draft *client.Draft, d *apiv1.Device) {
			draft.ChallengeDevice(r.maker.address, open[d.GetDevice()].address)
		}, func(*apiv1.Device, string) {})
		if err != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(lookEvery):
		}
	}
}
