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
	act := func(by tx.Signer, action *txv1.Action) {
		t.Helper()
		address := indextest.Address(by)
		action.Actor = address[:]
		if o, err := n.Do([]*txv1.Action{action}, by); err != nil || o.GetRefusal() != nil {
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
	act(maker, &txv1.Action{Call: &txv1.Action_DeviceEnrol{DeviceEnrol: &devicev1.Enrol{Device: device[:], Model: "car", Serial: "81", Owner: owner[:], Firmware: 1}}})
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
