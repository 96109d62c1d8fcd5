package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// share is a part of a whole in hundredths of a percent.
type share int

const whole share = 10_000

// parseShare reads a percentage of at most two decimals, such as 2% or 0.25%.
func parseShare(text string) (share, error) {
	number, ok := strings.CutSuffix(strings.TrimSpace(text), "%")
	units, err := client.ParseUnits(number, 2)
	n, bad := strconv.Atoi(units)
	if !ok || err != nil || bad != nil || share(n) > whole {
		return 0, usagef("%q: want a percentage from 0%% to 100%%, such as 2.5%%", text)
	}
	return share(n), nil
}

// parseWaves reads percentages that go up, such as 5%,25%,100%.
func parseWaves(text string) ([]share, error) {
	var out []share
	for part := range strings.SplitSeq(text, ",") {
		s, err := parseShare(part)
		if err != nil {
			return nil, err
		}
		if s == 0 || len(out) > 0 && s <= out[len(out)-1] {
			return nil, usagef("--waves %q: want shares of all devices that go up, such as 5%%,25%%,100%%", text)
		}
		out = append(out, s)
	}
	return out, nil
}

// of is the share of a count, rounded up.
func (s share) of(n int) int { return (n*int(s) + int(whole) - 1) / int(whole) }

func (s share) String() string {
	return strings.TrimSuffix(strings.TrimRight(tx.FormatUnits(mustAmount(strconv.Itoa(int(s))), 2), "0"), ".") + "%"
}

// candidates are those to get a firmware, in the order in which they do, and those who are not.
type candidates struct {
	members []*apiv1.Device
	// Those that get none: they run a newer firmware, run one that it does not follow, or were suspended before they were told.
	newer, unreachable, suspended []*apiv1.Device
}

// planFleet puts devices in an order that depends on the firmware and them alone, so that it is the same in every run, and not the same
// devices go first in every update.
func planFleet(devices []*apiv1.Device, maker tx.Address, model string, to *apiv1.Firmware, payload []byte) candidates {
	var f candidates
	for _, d := range devices {
		switch runs := d.GetFirmware().GetNumber(); {
		case runs > to.GetNumber():
			f.newer = append(f.newer, d)
		case runs < to.GetNumber() && runs < to.GetFollows():
			f.unreachable = append(f.unreachable, d)
		case runs < to.GetNumber() && d.GetState() == "suspended" && toldTo(d, payload) == nil:
			f.suspended = append(f.suspended, d)
		default:
			f.members = append(f.members, d)
		}
	}
	rank := func(d *apiv1.Device) []byte {
		h := sha256.New()
		h.Write([]byte("dure/update/v1\n"))
		h.Write(maker[:])
		h.Write([]byte(model))
		h.Write(binary.BigEndian.AppendUint64([]byte{0}, to.GetNumber()))
		h.Write([]byte(d.GetDevice()))
		return h.Sum(nil)
	}
	slices.SortFunc(f.members, func(a, b *apiv1.Device) int { return bytes.Compare(rank(a), rank(b)) })
	return f
}

// toldTo is the newest command to a device with the payload of an update, nil if there is none.
func toldTo(d *apiv1.Device, payload []byte) *apiv1.DeviceCommand {
	for _, c := range slices.Backward(d.GetCommands()) {
		if c.GetKind() == client.KindUpdate && bytes.Equal(c.GetPayload(), payload) {
			return c
		}
	}
	return nil
}

// Fates of a device in a wave.
const (
	updated      = "ok"
	updateFailed = "failed"
	updateSilent = "silent"
	updateOpen   = ""
)

// challengeAgain is how long evidence that does not show the firmware yet stands before the device, which may be starting, is asked again;
// challengeLasts how long it may take to answer.
const (
	challengeAgain = 15 * time.Second
	challengeLasts = 5 * time.Minute
)

// fate says what is known of a device that was told to update, and whether to ask it for evidence now. wasSuspended: when it was told.
func fate(d *apiv1.Device, number uint64, payload []byte, wasSuspended bool, now time.Time) (what, why string, ask bool) {
	told := toldTo(d, payload)
	switch {
	case d.GetFirmware().GetNumber() >= number:
		return updated, "", false
	case told.GetState() == "failed":
		return updateFailed, "it says: " + clean(told.GetNote()), false
	case d.GetState() == "suspended" && !wasSuspended:
		return updateFailed, "it is suspended: " + clean(newestDoubt(d)), false
	case told.GetState() != "done":
		return updateOpen, "it does not answer", false
	}
	why = "it says that it is done, and shows no evidence"
	last := readTime(d.GetLastGoodAt())
	if last.After(readTime(told.GetAnsweredAt())) {
		why = "it says that it is done, and its evidence shows firmware " + strconv.FormatUint(d.GetFirmware().GetNumber(), 10)
	}
	if d.GetNonce() != "" {
		return updateOpen, why, now.Sub(readTime(d.GetAskedAt())) > challengeLasts
	}
	return updateOpen, why, now.Sub(last) > challengeAgain || !last.After(readTime(told.GetAnsweredAt()))
}

func newestDoubt(d *apiv1.Device) string {
	if n := len(d.GetDoubts()); n > 0 {
		return d.GetDoubts()[n-1].GetReason()
	}
	return ""
}

// readTime reads a time of the API, the zero time if there is none.
func readTime(text string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, text)
	return t
}

// ends says what becomes, when the time is over, of a device of which nothing was decided.
func ends(d *apiv1.Device, payload []byte) string {
	if toldTo(d, payload).GetState() == "done" || d.GetState() == "suspended" {
		return updateFailed
	}
	return updateSilent
}
