package device_test

import (
	"fmt"
	"testing"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/internal/moduletest"
	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/modules/device"
)

// A device that is suspended more often than is kept is doubted more, never less.
func TestDoubtsAreBounded(t *testing.T) {
	l, err := moduletest.Play("seoul account.open key=maker", "seoul account.open key=car", "maker device.register_model model=m title=M",
		"maker device.register_firmware model=m number=1 version=1 digest=image1", "signed by maker seoul\nmaker device.enrol device=car model=m serial=1 owner=maker firmware=1")
	if err != nil {
		t.Fatal(err)
	}
	const more = 4
	car := moduletest.Address("car")
	for i := range device.MaxDoubts + more {
		l.Now += 1000
		moduletest.Do(l, "maker", &txv1.Action_DeviceSuspend{DeviceSuspend: &devicev1.Suspend{Device: car[:], Reason: fmt.Sprintf("r%d", i)}})
		l.Now += 1000
		moduletest.Do(l, "maker", &txv1.Action_DeviceReadmit{DeviceReadmit: &devicev1.Readmit{Device: car[:], Reason: "r"}})
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
	d, _ := device.Get(l.View, car)
	if len(d.GetDoubts()) != device.MaxDoubts {
		t.Fatalf("%d doubts", len(d.GetDoubts()))
	}
	first := d.GetDoubts()[0]
	if first.GetUntil()-first.GetSince() != 1000*(2*more+1) || first.GetReason() != fmt.Sprintf("r%d", more) {
		t.Errorf("the oldest doubt is %v", first)
	}
	if r := device.Rely(l.View, car, first.GetSince()); r.Reason == "" {
		t.Error("an old doubt is forgotten")
	}
	if r := device.Rely(l.View, car, l.Now); r.Reason != "" {
		t.Error("in doubt after it was readmitted: ", r.Reason)
	}
}

// Checking a signature inside an action is work, whatever comes of it; before a challenge fits there is nothing to check.
func TestEvidenceIsMetered(t *testing.T) {
	l, err := moduletest.Play("seoul account.open key=maker", "seoul account.open key=car", "maker device.register_model model=m title=M",
		"maker device.register_firmware model=m number=1 version=1 digest=image1", "signed by maker seoul\nmaker device.enrol device=car model=m serial=1 owner=maker firmware=1",
		"busan device.challenge device=car")
	if err != nil {
		t.Fatal(err)
	}
	car := moduletest.Address("car")
	d, _ := device.Get(l.View, car)
	work := func(nonce [32]byte) uint64 {
		token := &evidence.Token{Key: moduletest.Key("car"), Device: car, Nonce: nonce}
		before := l.View.Work()
		if r := moduletest.Do(l, "busan", &txv1.Action_DevicePresent{DevicePresent: &devicev1.Present{Evidence: token.Encode()}}); r.Err == nil {
			t.Fatal("no signature, and it is taken")
		}
		return l.View.Work() - before
	}
	asked, other := work([32]byte(d.GetNonce().GetValue())), work([32]byte{})
	if asked < other+150 {
		t.Errorf("work %d with a signature to check, %d without", asked, other)
	}
}

// A maker cannot fill the ledger with faults of one firmware; more can be said of those that are kept.
func TestKnownFaultsAreBounded(t *testing.T) {
	l, err := moduletest.Play("seoul device.register_model model=m title=M", "seoul device.register_firmware model=m number=1 version=1 digest=image1")
	if err != nil {
		t.Fatal(err)
	}
	report := func(id int) error {
		return moduletest.Do(l, "seoul", &txv1.Action_DeviceReportFault{DeviceReportFault: &devicev1.ReportFault{Model: "m", Number: 1, Id: fmt.Sprint(id), Text: "t"}}).Err
	}
	for i := range device.MaxFaults {
		if err := report(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := report(device.MaxFaults); fault.Code(err) != "device.too_many_faults" {
		t.Errorf("one more than are kept: %v", err)
	}
	if err := report(0); err != nil {
		t.Errorf("said again: %v", err)
	}
}

// What waits for a device is never forgotten for the sake of a new command; what is answered is, the oldest first.
func TestCommandsAreBounded(t *testing.T) {
	l, err := moduletest.Play("seoul account.open key=maker", "seoul account.open key=car", "maker device.register_model model=m title=M",
		"maker device.register_firmware model=m number=1 version=1 digest=image1", "signed by maker seoul\nmaker device.enrol device=car model=m serial=1 owner=maker firmware=1")
	if err != nil {
		t.Fatal(err)
	}
	car := moduletest.Address("car")
	command := func() error {
		l.Now += 1000
		return moduletest.Do(l, "maker", &txv1.Action_DeviceCommand{DeviceCommand: &devicev1.SendCommand{
			Device: car[:], Kind: "k", Payload: make([]byte, device.MaxPayload), ExpiresAt: l.Now + device.MaxCommandMs}}).Err
	}
	for range device.MaxCommands {
		if err := command(); err != nil {
			t.Fatal(err)
		}
	}
	if err := command(); fault.Code(err) != "device.too_many_commands" {
		t.Fatalf("one more than are kept: %v", err)
	}
	all := device.Commands(l.View, car)
	for _, i := range []int{5, 3} {
		if err := moduletest.Do(l, "car", &txv1.Action_DeviceAnswer{DeviceAnswer: &devicev1.AnswerCommand{Command: all[i].GetId(), Ok: true}}).Err; err != nil {
			t.Fatal(err)
		}
	}
	if err := command(); err != nil {
		t.Fatal(err)
	}
	left := device.Commands(l.View, car)
	if len(left) != device.MaxCommands || string(left[3].GetId()) != string(all[4].GetId()) || left[4].GetAnswer() == nil {
		t.Error("another command than the oldest answered one gave way")
	}
	if err := l.Check(); err != nil {
		t.Fatal(err)
	}
}
