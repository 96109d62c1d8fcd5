package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/tx"
)

// A device from its enrolment to bad evidence, as those see it who ask.
func TestDevices(t *testing.T) {
	n := start(t)
	maker, thing, member := indextest.Person(0), indextest.Person(1), indextest.Member(0)
	device := indextest.Address(thing)
	image := sha256.Sum256([]byte("image"))
	act := func(by tx.Signer, action *txv1.Action, also ...tx.Signer) {
		t.Helper()
		address := indextest.Address(by)
		action.Actor = address[:]
		if o, err := n.Do([]*txv1.Action{action}, append(also, by)...); err != nil || o.GetRefusal() != nil {
			t.Fatal(o, err)
		}
	}
	c := apiv1connect.NewDeviceServiceClient(n.client, n.url)
	get := func() *apiv1.Device {
		t.Helper()
		res, err := c.GetDevice(t.Context(), connect.NewRequest(&apiv1.GetDeviceRequest{Device: device.String()}))
		if err != nil {
			t.Fatal(err)
		}
		return res.Msg.GetDevice()
	}
	rely := func(at string) *apiv1.RelyResponse {
		t.Helper()
		res, err := c.Rely(t.Context(), connect.NewRequest(&apiv1.RelyRequest{Device: device.String(), At: at}))
		if err != nil {
			t.Fatal(err)
		}
		return res.Msg
	}
	attest := func(firmware string) {
		t.Helper()
		act(member, &txv1.Action{Call: &txv1.Action_DeviceChallenge{DeviceChallenge: &devicev1.Challenge{Device: device[:]}}})
		nonce, err := hex.DecodeString(get().GetNonce())
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte(firmware))
		act(thing, &txv1.Action{Call: &txv1.Action_DeviceAttest{DeviceAttest: &devicev1.Attest{Nonce: nonce, Boot: 1, Firmware: digest[:]}}})
	}

	_, err := c.GetDevice(t.Context(), connect.NewRequest(&apiv1.GetDeviceRequest{Device: device.String()}))
	if connect.CodeOf(err) != connect.CodeNotFound || detail(t, err).GetCode() != "device.unknown" {
		t.Errorf("an account that is no device: %v", err)
	}
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceRegisterModel{DeviceRegisterModel: &devicev1.RegisterModel{Model: "car", Title: "자동차"}}})
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceRegisterFirmware{DeviceRegisterFirmware: &devicev1.RegisterFirmware{
		Model: "car", Number: 1, Version: "1.0", Digest: image[:], Pcrs: 1<<7 | 1, PcrDigest: image[:]}}})
	owner := person(2)
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceEnrol{DeviceEnrol: &devicev1.Enrol{Device: device[:], Model: "car", Serial: "81", Owner: owner[:], Firmware: 1}}}, thing)
	if d := get(); d.GetState() != "active" || d.GetOwner() != owner.String() || d.GetFirmware().GetVersion() != "1.0" || d.GetLastGoodAt() != "" || d.GetLevel() != "" {
		t.Errorf("enrolled: %v", d)
	}
	model, err := c.GetModel(t.Context(), connect.NewRequest(&apiv1.GetModelRequest{Maker: person(0).String(), Model: "car"}))
	if err != nil || model.Msg.GetTitle() != "자동차" || len(model.Msg.GetFirmware()) != 1 || model.Msg.GetFirmware()[0].GetDigest() != hex.EncodeToString(image[:]) {
		t.Errorf("model: %v, %v", model, err)
	}
	if f := model.Msg.GetFirmware()[0]; f.GetPcrs() != "sha256:0,7" || f.GetPcrDigest() != f.GetDigest() {
		t.Errorf("the registers of a TPM: %v", f)
	}
	_, err = c.GetModel(t.Context(), connect.NewRequest(&apiv1.GetModelRequest{Maker: person(0).String(), Model: "kettle"}))
	if connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("a model that is none: %v", err)
	}
	if r := rely(""); !r.GetOk() || r.GetAgeMs() != -1 {
		t.Errorf("without evidence: %v", r)
	}
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceReportFault{DeviceReportFault: &devicev1.ReportFault{Model: "car", Number: 1, Id: "CVE-2026-1", Text: "the radio"}}})
	if r := rely(""); !r.GetOk() || len(r.GetFaults()) != 1 || r.GetFaults()[0].GetId() != "CVE-2026-1" || r.GetFaults()[0].GetKnownAt() == "" {
		t.Errorf("with a known fault: %v", r)
	}
	attest("image")
	if r := rely(""); !r.GetOk() || !r.GetConfirmed() || r.GetLevel() != "self_reported" {
		t.Errorf("with good evidence: %v", r)
	}
	key := device[:] // no other has taken its place
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceVouch{DeviceVouch: &devicev1.Vouch{Device: device[:], Hardware: devicev1.Hardware_HARDWARE_TPM, Key: key}}})
	attest("image")
	if d := get(); d.GetLevel() != "key_in_hardware" || d.GetHardware() != "tpm" || d.GetHardwareKey() != device.String() {
		t.Errorf("with a key that its maker vouches for: %v", d)
	}
	if _, page := n.get(t, "/account/"+device.String()); !strings.Contains(page, "하드웨어에 든 키, 제조사가 보증함") || !strings.Contains(page, "TPM에 들어 있음") {
		t.Errorf("the page does not say what the level rests on: %s", page)
	}
	good := get().GetLastGoodAt()
	attest("forged")
	later, err := time.Parse(time.RFC3339, good)
	if err != nil {
		t.Fatal(err)
	}
	if d := get(); d.GetState() != "suspended" || len(d.GetDoubts()) != 1 || d.GetNonce() != "" {
		t.Errorf("with bad evidence: %v", d)
	}
	if r := rely(later.Add(time.Millisecond).Format(time.RFC3339Nano)); r.GetOk() || r.GetDoubt().GetFound() == "" || r.GetReason() == "" {
		t.Errorf("after the last good evidence: %v", r)
	}
	if r := rely(good); !r.GetOk() {
		t.Errorf("at the last good evidence: %v", r)
	}
	if _, err := c.Rely(t.Context(), connect.NewRequest(&apiv1.RelyRequest{Device: device.String(), At: "yesterday"})); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("a time that is none: %v", err)
	}
}

// The devices of a model in pages, with what they were told, and the page for people.
func TestModelPage(t *testing.T) {
	n := start(t)
	maker := indextest.Person(0)
	act := func(by tx.Signer, actions ...*txv1.Action) {
		t.Helper()
		address := indextest.Address(by)
		for _, action := range actions {
			action.Actor = address[:]
		}
		if o, err := n.Do(actions, by); err != nil || o.GetRefusal() != nil {
			t.Fatal(o, err)
		}
	}
	image, next := sha256.Sum256([]byte("image")), sha256.Sum256([]byte("next"))
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceRegisterModel{DeviceRegisterModel: &devicev1.RegisterModel{Model: "meter", Title: "가스 계량기"}}})
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceRegisterFirmware{DeviceRegisterFirmware: &devicev1.RegisterFirmware{Model: "meter", Number: 1, Version: "1.0", Digest: image[:]}}},
		&txv1.Action{Call: &txv1.Action_DeviceRegisterFirmware{DeviceRegisterFirmware: &devicev1.RegisterFirmware{Model: "meter", Number: 2, Version: "2.0", Digest: next[:]}}})
	var things []tx.Address
	for i, firmware := range []uint64{1, 2, 1} {
		thing, by := indextest.Person(1+i), indextest.Address(maker)
		device := indextest.Address(thing)
		things = append(things, device)
		enrol := &txv1.Action{Actor: by[:], Call: &txv1.Action_DeviceEnrol{DeviceEnrol: &devicev1.Enrol{
			Device: device[:], Model: "meter", Serial: "GM-" + string(rune('1'+i)), Owner: device[:], Firmware: firmware}}}
		if o, err := n.Do([]*txv1.Action{enrol}, maker, thing); err != nil || o.GetRefusal() != nil {
			t.Fatal(o, err)
		}
	}
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceReportFault{DeviceReportFault: &devicev1.ReportFault{
		Model: "meter", Number: 1, Id: "CVE-2026-12345", Text: "counts twice", FixedIn: 2}}})
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceCommand{DeviceCommand: &devicev1.SendCommand{
		Device: things[0][:], Kind: "update", Payload: []byte("p"), ExpiresAt: indextest.Start + 3_600_000}}})
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceSuspend{DeviceSuspend: &devicev1.Suspend{Device: things[2][:], Reason: "in the workshop"}}})

	c := apiv1connect.NewDeviceServiceClient(n.client, n.url)
	list := func(token string) *apiv1.ListDevicesResponse {
		t.Helper()
		res, err := c.ListDevices(t.Context(), connect.NewRequest(&apiv1.ListDevicesRequest{Maker: person(0).String(), Model: "meter", PageSize: 2, PageToken: token}))
		if err != nil {
			t.Fatal(err)
		}
		return res.Msg
	}
	first := list("")
	last := list(first.GetNextPageToken())
	if len(first.GetDevices()) != 2 || len(last.GetDevices()) != 1 || last.GetNextPageToken() != "" || last.GetDevices()[0].GetSerial() != "GM-3" {
		t.Errorf("pages of %v and %v", first, last)
	}
	told := first.GetDevices()[0].GetCommands()
	if len(told) != 1 || told[0].GetState() != "open" || told[0].GetKind() != "update" || string(told[0].GetPayload()) != "p" || len(told[0].GetTransaction()) != 64 {
		t.Errorf("told %v", told)
	}
	act(indextest.Person(1), &txv1.Action{Call: &txv1.Action_DeviceAnswer{DeviceAnswer: &devicev1.AnswerCommand{Command: unhex(t, told[0].GetCommand()), Note: "no room"}}})
	if told := list("").GetDevices()[0].GetCommands(); told[0].GetState() != "failed" || told[0].GetNote() != "no room" || told[0].GetAnsweredAt() == "" {
		t.Errorf("answered %v", told)
	}
	for _, bad := range []*apiv1.ListDevicesRequest{{Maker: person(0).String(), Model: "kettle"}, {Maker: "x", Model: "meter"}, {Maker: person(0).String(), Model: "meter", PageToken: "x"}} {
		if _, err := c.ListDevices(t.Context(), connect.NewRequest(bad)); err == nil {
			t.Errorf("%v is answered", bad)
		}
	}
	path := "/devices/" + person(0).String() + "/meter"
	n.showsAll(t, map[string][]string{
		path:                             {"가스 계량기", "GM-1", "GM-3", "/account/" + things[0].String(), "펌웨어 갱신", "no room", "in the workshop", "정지됨", "33<small>%", "CVE-2026-12345", "counts twice", "2번 펌웨어에서 고쳐짐"},
		path + "?lang=en":                {"Devices", "firmware update", "Failed", "Suspended"},
		"/account/" + things[0].String(): {path, "알려진 결함", "CVE-2026-12345"},
	})
}

func unhex(t *testing.T, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
