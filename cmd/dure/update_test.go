package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

func TestWavesAreRead(t *testing.T) {
	waves, err := parseWaves("5%, 25%,99.5%,100%")
	if err != nil || fmt.Sprint(waves) != "[5% 25% 99.5% 100%]" {
		t.Errorf("%v, %v", waves, err)
	}
	for i, want := range []int{1, 5, 20, 20} {
		if got := waves[i].of(20); got != want {
			t.Errorf("%s of 20 is %d", waves[i], got)
		}
	}
	for _, bad := range []string{"", "5", "5%,5%", "25%,5%", "0%", "101%", "-1%", "1.005%", "x%"} {
		if waves, err := parseWaves(bad); err == nil {
			t.Errorf("%q is %v", bad, waves)
		}
	}
}

var eight = client.Update{Number: 8, Digest: [32]byte{8}}.Payload()

// told is a device that runs a firmware and was told to run firmware 8.
func told(serial int, firmware uint64, state string) *apiv1.Device {
	d := &apiv1.Device{Device: fmt.Sprintf("0x%040d", serial), Serial: fmt.Sprint(serial), State: "active", Firmware: &apiv1.Firmware{Number: firmware}}
	if state != "" {
		d.Commands = []*apiv1.DeviceCommand{{Kind: client.KindUpdate, Payload: eight, State: state, Note: "n", AnsweredAt: "2026-11-22T09:00:00Z"}}
	}
	return d
}

func TestFleetIsPlanned(t *testing.T) {
	var devices []*apiv1.Device
	for i := range 40 {
		devices = append(devices, told(i, uint64(1+i%9), ""))
	}
	devices[10].State, devices[11].State = "suspended", "suspended" // of firmware 2 and 3
	devices[11].Commands = told(0, 1, "open").Commands
	to := &apiv1.Firmware{Number: 8, Follows: 2}
	f := planFleet(devices, tx.Address{1}, "m", to, eight)
	if len(f.newer) != 4 || len(f.unreachable) != 5 || len(f.suspended) != 1 || len(f.members) != 30 {
		t.Errorf("newer %d, unreachable %d, suspended %d, members %d", len(f.newer), len(f.unreachable), len(f.suspended), len(f.members))
	}
	for i := range devices {
		devices[i], devices[len(devices)-1-i/2] = devices[len(devices)-1-i/2], devices[i]
	}
	again, other := planFleet(devices, tx.Address{1}, "m", to, eight), planFleet(devices, tx.Address{1}, "m", &apiv1.Firmware{Number: 9, Follows: 2}, eight)
	for i, d := range f.members {
		if again.members[i] != d {
			t.Fatal("another order of the same devices")
		}
	}
	if other.members[0] == f.members[0] && other.members[1] == f.members[1] && other.members[2] == f.members[2] {
		t.Error("the same devices go first in every update")
	}
}

func TestFates(t *testing.T) {
	now := time.Date(2026, 11, 22, 9, 10, 0, 0, time.UTC)
	change := func(d *apiv1.Device, f func(*apiv1.Device)) *apiv1.Device { f(d); return d }
	for name, c := range map[string]struct {
		d    *apiv1.Device
		was  bool
		what string
		ask  bool
	}{
		"runs it":                  {told(1, 8, "open"), false, updated, false},
		"says nothing":             {told(1, 7, "open"), false, updateOpen, false},
		"failed":                   {told(1, 7, "failed"), false, updateFailed, false},
		"done, no evidence":        {told(1, 7, "done"), false, updateOpen, true},
		"done, asked":              {change(told(1, 7, "done"), func(d *apiv1.Device) { d.Nonce, d.AskedAt = "n", "2026-11-22T09:09:00Z" }), false, updateOpen, false},
		"done, asked long ago":     {change(told(1, 7, "done"), func(d *apiv1.Device) { d.Nonce, d.AskedAt = "n", "2026-11-22T09:04:00Z" }), false, updateOpen, true},
		"done, just shows the old": {change(told(1, 7, "done"), func(d *apiv1.Device) { d.LastGoodAt = "2026-11-22T09:09:55Z" }), false, updateOpen, false},
		"done, shows the old":      {change(told(1, 7, "done"), func(d *apiv1.Device) { d.LastGoodAt = "2026-11-22T09:09:00Z" }), false, updateOpen, true},
		"suspended meanwhile":      {change(told(1, 7, "done"), func(d *apiv1.Device) { d.State = "suspended" }), false, updateFailed, false},
		"suspended before":         {change(told(1, 7, "open"), func(d *apiv1.Device) { d.State = "suspended" }), true, updateOpen, false},
	} {
		if what, why, ask := fate(c.d, 8, eight, c.was, now); what != c.what || ask != c.ask {
			t.Errorf("%s: %q (%s), ask %t", name, what, why, ask)
		}
	}
}
