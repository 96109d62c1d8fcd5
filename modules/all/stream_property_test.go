package all_test

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"

	"pgregory.net/rapid"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/device"
	"github.com/dureledger/dure/modules/stream"
)

// feed is what operator and devices do in the property tests: a feed of krw that pays 3 for a reading after a minute.
type feed struct {
	t        *rapid.T
	state    state.Reader
	now      int64
	operator string
	devices  []string // some of them perhaps
	person   func() string
}

var feedNames = []string{"speed", "heat"}

func openFeed(name string, confirmed bool) *txv1.Action_StreamOpen {
	return &txv1.Action_StreamOpen{StreamOpen: &streamv1.Open{Feed: name, Terms: &streamv1.Terms{
		Title: "A feed", Unit: "km/h", Decimals: 1, Most: 1000, MaxRate: 500, LateMs: 20 * 60 * 1000, AheadMs: 1000, StaleMs: 3600_000, MinSources: 1,
		AppealMs: 20 * 60 * 1000, Premium: &streamv1.Premium{Asset: "krw", Amount: "3", DisputeMs: 60 * 1000, Confirmed: confirmed},
	}}}
}

func admitTo(name string, devices ...string) *txv1.Action_StreamAdmit {
	a := &streamv1.Admit{Feed: name}
	for _, d := range devices {
		a.Devices = append(a.Devices, address(d))
	}
	return &txv1.Action_StreamAdmit{StreamAdmit: a}
}

func fundFeed(name, amount string) *txv1.Action_StreamFund {
	return &txv1.Action_StreamFund{StreamFund: &streamv1.Fund{Feed: name, Amount: amount}}
}

func (f *feed) name() string {
	if rapid.Uint32().Draw(f.t, "other feed")%8 == 7 {
		return feedNames[1]
	}
	return feedNames[0]
}

// device is mostly the first.
func (f *feed) device() string {
	if rapid.Uint32().Draw(f.t, "other device")%8 > 0 {
		return f.devices[0]
	}
	return rapid.SampledFrom(f.devices).Draw(f.t, "device")
}

// call draws an action and who has the best chance to succeed with it.
func (f *feed) call() (string, any) {
	switch rapid.Uint32().Draw(f.t, "stream action") % 17 { // low numbers come more often
	case 8:
		return f.operator, openFeed(f.name(), rapid.Bool().Draw(f.t, "confirmed"))
	case 9:
		return f.operator, admitTo(f.name(), f.device())
	case 10:
		if rapid.IntRange(0, 3).Draw(f.t, "close") == 3 {
			return f.operator, &txv1.Action_StreamClose{StreamClose: &streamv1.Close{Feed: f.name()}}
		}
		return f.operator, &txv1.Action_StreamDismiss{StreamDismiss: &streamv1.Dismiss{Feed: f.name(), Devices: [][]byte{address(f.device())}, Reason: "r"}}
	case 11, 12:
		return f.person(), fundFeed(f.name(), rapid.SampledFrom([]string{"1", "10", "100", "0"}).Draw(f.t, "funds"))
	case 1, 3, 13, 14:
		return f.person(), &txv1.Action_StreamSettle{StreamSettle: &streamv1.Settle{Feed: f.name(), Devices: [][]byte{address(f.device())}}}
	case 2, 15:
		return f.decide()
	}
	return f.person(), f.anchor()
}

// anchor is some readings of some devices, mostly the next ones, of values mostly in range.
func (f *feed) anchor() *txv1.Action_StreamAnchor {
	a := &streamv1.Anchor{}
	sources := []string{f.device(), f.device()}
	for _, device := range slices.Compact(sources) {
		head, _ := stream.GetHead(f.state, moduletest.Address(device))
		boot, sequence := max(1, head.GetBoot()), head.GetSequence()
		if rapid.IntRange(0, 9).Draw(f.t, "restart") == 9 {
			boot, sequence = boot+1, 0
		}
		for range rapid.IntRange(1, 4).Draw(f.t, "readings") {
			sequence += rapid.SampledFrom([]uint64{1, 1, 1, 1, 3, 0}).Draw(f.t, "step")
			by := device
			if rapid.IntRange(0, 19).Draw(f.t, "forged") == 19 {
				by = "somebody else"
			}
			moduletest.AddReading(a, device, by, reading.Reading{
				Boot: boot, Sequence: max(1, sequence), Feed: f.name(), Unit: rapid.SampledFrom([]string{"km/h", "km/h", "km/h", "km/h", "m"}).Draw(f.t, "unit"),
				Value: reading.Decimal{Mantissa: rapid.Int64Range(0, 110).Draw(f.t, "value")},
				Time:  f.now - rapid.SampledFrom([]int64{0, 0, 0, 500, 30_000, 3600_000, -5000}).Draw(f.t, "ago"),
			})
		}
	}
	// A decoded transaction has each device once.
	for i := len(a.Sources) - 1; i > 0; i-- {
		for _, before := range a.Sources[:i] {
			if bytes.Equal(before.GetDevice(), a.Sources[i].GetDevice()) {
				a.Sources = append(a.Sources[:i], a.Sources[i+1:]...)
				break
			}
		}
	}
	return &txv1.Action_StreamAnchor{StreamAnchor: a}
}

// decide appeals for or decides about one of the readings in quarantine.
func (f *feed) decide() (string, any) {
	name := f.name()
	type spot struct {
		device         tx.Address
		boot, sequence uint64
	}
	var all []spot
	stream.AscendQuarantined(f.state, name, func(device tx.Address, boot, sequence uint64, _ *streamv1.Quarantined) bool {
		all = append(all, spot{device, boot, sequence})
		return true
	})
	s := spot{boot: 1, sequence: 1}
	if len(all) > 0 {
		s = rapid.SampledFrom(all).Draw(f.t, "quarantined")
	}
	if rapid.IntRange(0, 2).Draw(f.t, "appeal") == 0 {
		return f.device(), &txv1.Action_StreamAppeal{StreamAppeal: &streamv1.Appeal{Feed: name, Device: s.device[:], Boot: s.boot, Sequence: s.sequence, Reason: "r"}}
	}
	return f.operator, &txv1.Action_StreamDecide{StreamDecide: &streamv1.Decide{
		Feed: name, Device: s.device[:], Boot: s.boot, Sequence: s.sequence, Accept: rapid.Bool().Draw(f.t, "accept"), Reason: "r",
	}}
}

// streamCall draws on a feed of seoul's to which anybody who is a device may report.
func (w *world) streamCall() (string, any) {
	f := &feed{t: w.t, state: w.View, now: w.Now, operator: "seoul", devices: []string{"carol", "alice", "bob"}, person: func() string {
		return rapid.SampledFrom([]string{"bob", "alice", "dan", "seoul"}).Draw(w.t, "anybody")
	}}
	return f.call()
}

// bookStream writes what a stream event says of money.
func (w *world) bookStream(e *ledgerv1.Event) {
	switch {
	case e.GetStreamFunded() != nil:
		m := e.GetStreamFunded()
		w.add(m.Asset, "", m.By, m.Amount, -1)
		w.addFunds(m.Feed, m.Amount, 1)
	case e.GetStreamSettled() != nil:
		m := e.GetStreamSettled()
		w.add(m.Asset, "", m.Device, m.Amount, 1)
		w.addFunds(m.Feed, m.Amount, -1)
	case e.GetStreamReturned() != nil:
		m := e.GetStreamReturned()
		w.add(m.Asset, "", m.Operator, m.Amount, 1)
		w.addFunds(m.Feed, m.Amount, -1)
	}
}

func (w *world) addFunds(name, amount string, sign int64) {
	n, ok := new(big.Int).SetString(amount, 10)
	if !ok {
		w.t.Fatalf("event with amount %q", amount)
	}
	key := "funds of " + name
	if w.books[key] == nil {
		w.books[key] = new(big.Int)
	}
	w.books[key].Add(w.books[key], n.Mul(n, big.NewInt(sign)))
}

// fundsOf is what a feed has to pay from.
func fundsOf(g state.Getter, name string) *big.Int {
	f, ok := stream.Get(g, name)
	if !ok {
		return new(big.Int)
	}
	n, ok := new(big.Int).SetString(f.GetFunds(), 10)
	if !ok {
		panic(fmt.Sprintf("funds %q", f.GetFunds()))
	}
	return n
}

// streams lets cho, a device of ben's, report to a feed of seoul's, on both chains.
func (x *chaos) streams() {
	image := bytes.Repeat([]byte{1}, 32)
	body := x.steady.body(
		moduletest.Action("seoul", &txv1.Action_DeviceRegisterModel{DeviceRegisterModel: &devicev1.RegisterModel{Model: "meter", Title: "Meter"}}),
		moduletest.Action("seoul", &txv1.Action_DeviceRegisterFirmware{DeviceRegisterFirmware: &devicev1.RegisterFirmware{
			Model: "meter", Number: 1, Version: "1", Digest: image}}),
		moduletest.Action("seoul", &txv1.Action_DeviceEnrol{DeviceEnrol: &devicev1.Enrol{
			Device: address("cho"), Model: "meter", Serial: "1", Owner: address("ben"), Firmware: 1}}),
		moduletest.Action("seoul", openFeed("speed", true)),
		moduletest.Action("seoul", admitTo("speed", "cho")),
		moduletest.Action("ana", fundFeed("speed", "200")),
	)
	b := x.steady.next("seoul", x.steady.sign(body, "seoul", "ana"))
	r := x.steady.commit(b)
	same(x.t, r, x.restarting.commit(b))
	if r.Applied[0].Outcome.GetStatus() != ledgerv1.Status_STATUS_OK {
		x.t.Fatalf("%v", r.Applied[0].Outcome)
	}
	x.learn(r)
	x.compare()
}

func (x *chaos) stream() *txv1.Action {
	f := &feed{t: x.t, state: x.steady.ledger.Tree(), now: x.time, operator: "seoul", devices: []string{"cho", "ana"}, person: func() string {
		return x.name("anybody", everyone)
	}}
	actor, call := f.call()
	return moduletest.Action(actor, call)
}

// attest challenges cho, or is its answer, good or bad.
func (x *chaos) attest() *txv1.Action {
	d, _ := device.Get(x.steady.ledger.Tree(), addressOf("cho"))
	if d.GetNonce() == nil {
		return moduletest.Action("ben", &txv1.Action_DeviceChallenge{DeviceChallenge: &devicev1.Challenge{Device: address("cho")}})
	}
	return moduletest.Action("cho", &txv1.Action_DeviceAttest{DeviceAttest: &devicev1.Attest{
		Nonce: d.GetNonce().GetValue(), Boot: d.GetBoot() + rapid.Uint64Range(0, 1).Draw(x.t, "boot"),
		Firmware: bytes.Repeat([]byte{rapid.SampledFrom([]byte{1, 1, 1, 2}).Draw(x.t, "image")}, 32),
	}})
}
