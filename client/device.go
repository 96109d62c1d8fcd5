package client

import (
	"context"
	"iter"
	"time"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Firmware describes a firmware to be registered. Everything in it is public; the image itself stays where it is.
type Firmware struct {
	Model string
	// Number orders the firmwares of a model, from 1 on.
	Number uint64
	// Version is for people, such as 2.4.1.
	Version string
	// Digest is the SHA-256 of the image as the device measures it.
	Digest [32]byte
	// Follows is the lowest number from which a device may go to this one; 0: any.
	Follows uint64
	Note    string
	// PCRs are the registers of a TPM's SHA-256 bank that stand for it, bit n for PCR n, and PCRDigest is that of a quote over them; 0: none do.
	PCRs      uint32
	PCRDigest [32]byte
}

// RegisterModel registers a model of the maker's.
func (d *Draft) RegisterModel(maker tx.Address, model, title string) *Draft {
	return d.Append(&txv1.Action{Actor: maker[:], Call: &txv1.Action_DeviceRegisterModel{
		DeviceRegisterModel: &devicev1.RegisterModel{Model: model, Title: title}}})
}

// RegisterFirmware registers a firmware of a model of the maker's.
func (d *Draft) RegisterFirmware(maker tx.Address, f Firmware) *Draft {
	call := &devicev1.RegisterFirmware{Model: f.Model, Number: f.Number, Version: f.Version, Digest: f.Digest[:], Follows: f.Follows, Note: f.Note}
	if f.PCRs != 0 {
		call.Pcrs, call.PcrDigest = f.PCRs, f.PCRDigest[:]
	}
	return d.Append(&txv1.Action{Actor: maker[:], Call: &txv1.Action_DeviceRegisterFirmware{DeviceRegisterFirmware: call}})
}

// MeasureFirmware says what a TPM quotes of a firmware of the maker's that was registered without: registers, bit n for PCR n, and the digest of a quote over them.
func (d *Draft) MeasureFirmware(maker tx.Address, model string, number uint64, pcrs uint32, digest [32]byte) *Draft {
	return d.Append(&txv1.Action{Actor: maker[:], Call: &txv1.Action_DeviceMeasureFirmware{
		DeviceMeasureFirmware: &devicev1.MeasureFirmware{Model: model, Number: number, Pcrs: pcrs, PcrDigest: digest[:]}}})
}

// WithdrawFirmware withdraws a firmware of a model of the maker's.
func (d *Draft) WithdrawFirmware(maker tx.Address, model string, number uint64, reason string) *Draft {
	return d.Append(&txv1.Action{Actor: maker[:], Call: &txv1.Action_DeviceWithdrawFirmware{
		DeviceWithdrawFirmware: &devicev1.WithdrawFirmware{Model: model, Number: number, Reason: reason}}})
}

// ReportFault makes a fault of a firmware of the maker's known: an id such as CVE-2026-12345, what can happen, and the lowest number of a firmware
// without it, 0 if there is none yet. The same id again takes the place of what was said before.
func (d *Draft) ReportFault(maker tx.Address, model string, number uint64, id, text string, fixedIn uint64) *Draft {
	return d.Append(&txv1.Action{Actor: maker[:], Call: &txv1.Action_DeviceReportFault{
		DeviceReportFault: &devicev1.ReportFault{Model: model, Number: number, Id: id, Text: text, FixedIn: fixedIn}}})
}

// EnrolDevice makes an account a device of the maker's model, with the firmware it left the factory with.
func (d *Draft) EnrolDevice(maker, device, owner tx.Address, model, serial string, firmware uint64) *Draft {
	return d.Append(&txv1.Action{Actor: maker[:], Call: &txv1.Action_DeviceEnrol{
		DeviceEnrol: &devicev1.Enrol{Device: device[:], Owner: owner[:], Model: model, Serial: serial, Firmware: firmware}}})
}

// ChallengeDevice asks a device for evidence.
func (d *Draft) ChallengeDevice(actor, device tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_DeviceChallenge{DeviceChallenge: &devicev1.Challenge{Device: device[:]}}})
}

// AttestDevice is a device's evidence: the challenge, its count of starts, the SHA-256 of the firmware it runs.
func (d *Draft) AttestDevice(device tx.Address, nonce [32]byte, boot uint64, firmware [32]byte) *Draft {
	return d.Append(&txv1.Action{Actor: device[:], Call: &txv1.Action_DeviceAttest{
		DeviceAttest: &devicev1.Attest{Nonce: nonce[:], Boot: boot, Firmware: firmware[:]}}})
}

// PresentEvidence passes on a token that a device has signed: ledger/evidence makes and reads them.
func (d *Draft) PresentEvidence(actor tx.Address, token []byte) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_DevicePresent{DevicePresent: &devicev1.Present{Evidence: token}}})
}

// PresentQuote passes on the quote of a device's TPM: TPMS_ATTEST and TPMT_SIGNATURE.
func (d *Draft) PresentQuote(actor, device tx.Address, quote, signature []byte) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_DevicePresentQuote{
		DevicePresentQuote: &devicev1.PresentQuote{Device: device[:], Quote: quote, Signature: signature}}})
}

// VouchForKey says what holds the key, given by its address, that acts for a device of the maker's; unspecified hardware takes that back.
func (d *Draft) VouchForKey(maker, device tx.Address, hardware devicev1.Hardware, key tx.Address) *Draft {
	call := &devicev1.Vouch{Device: device[:], Hardware: hardware, Key: key[:]}
	if hardware == devicev1.Hardware_HARDWARE_UNSPECIFIED {
		call.Key = nil
	}
	return d.Append(&txv1.Action{Actor: maker[:], Call: &txv1.Action_DeviceVouch{DeviceVouch: call}})
}

// SetAttester says which P-256 key, SEC 1 compressed, the TPM of a device of the maker's quotes with.
func (d *Draft) SetAttester(maker, device tx.Address, key []byte) *Draft {
	return d.Append(&txv1.Action{Actor: maker[:], Call: &txv1.Action_DeviceSetAttester{DeviceSetAttester: &devicev1.SetAttester{Device: device[:], PublicKey: key}}})
}

// CommandDevice tells a device to do something, before a time that is at most 30 days ahead. The device gets it through its gateway, with the receipt.
func (d *Draft) CommandDevice(actor, device tx.Address, kind string, payload []byte, expires time.Time) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_DeviceCommand{
		DeviceCommand: &devicev1.SendCommand{Device: device[:], Kind: kind, Payload: payload, ExpiresAt: expires.UnixMilli()}}})
}

// AnswerCommand is what a device says of a command.
func (d *Draft) AnswerCommand(device tx.Address, command [16]byte, ok bool, note string) *Draft {
	return d.Append(&txv1.Action{Actor: device[:], Call: &txv1.Action_DeviceAnswer{
		DeviceAnswer: &devicev1.AnswerCommand{Command: command[:], Ok: ok, Note: note}}})
}

// SuspendDevice stops others from relying on a device from now on.
func (d *Draft) SuspendDevice(actor, device tx.Address, reason string) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_DeviceSuspend{DeviceSuspend: &devicev1.Suspend{Device: device[:], Reason: reason}}})
}

// ReadmitDevice ends a suspension that the actor made.
func (d *Draft) ReadmitDevice(actor, device tx.Address, reason string) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_DeviceReadmit{DeviceReadmit: &devicev1.Readmit{Device: device[:], Reason: reason}}})
}

// RevokeDevice ends a device's life on the ledger, for good.
func (d *Draft) RevokeDevice(actor, device tx.Address, reason string) *Draft {
	return d.Append(&txv1.Action{Actor: actor[:], Call: &txv1.Action_DeviceRevoke{DeviceRevoke: &devicev1.Revoke{Device: device[:], Reason: reason}}})
}

// TransferDevice gives the owner's device to another owner.
func (d *Draft) TransferDevice(owner, device, to tx.Address) *Draft {
	return d.Append(&txv1.Action{Actor: owner[:], Call: &txv1.Action_DeviceTransfer{DeviceTransfer: &devicev1.Transfer{Device: device[:], Owner: to[:]}}})
}

// Device returns a device. Code device.unknown.
func (c *Client) Device(ctx context.Context, device tx.Address) (*apiv1.Device, error) {
	res, err := read(ctx, c, &apiv1.GetDeviceRequest{Device: device.String()},
		func(n *node) method[apiv1.GetDeviceRequest, apiv1.GetDeviceResponse] { return n.device.GetDevice })
	return res.GetDevice(), err
}

// Devices returns a page of the devices of a maker's model that are not revoked, in order of serial number, and the token of the next
// page, "" after the last. Code device.unknown_model.
func (c *Client) Devices(ctx context.Context, maker tx.Address, model string, size int32, token string) ([]*apiv1.Device, string, error) {
	res, err := read(ctx, c, &apiv1.ListDevicesRequest{Maker: maker.String(), Model: model, PageSize: size, PageToken: token},
		func(n *node) method[apiv1.ListDevicesRequest, apiv1.ListDevicesResponse] { return n.device.ListDevices })
	return res.GetDevices(), res.GetNextPageToken(), err
}

// AllDevices are all devices of a maker's model that are not revoked, in order of serial number.
func (c *Client) AllDevices(ctx context.Context, maker tx.Address, model string) iter.Seq2[*apiv1.Device, error] {
	return pages(func(token string) ([]*apiv1.Device, string, error) {
		return c.Devices(ctx, maker, model, pageSize, token)
	})
}

// DeviceModel returns a maker's model with its firmwares, the newest first. Code device.unknown_model.
func (c *Client) DeviceModel(ctx context.Context, maker tx.Address, model string) (*apiv1.GetModelResponse, error) {
	return read(ctx, c, &apiv1.GetModelRequest{Maker: maker.String(), Model: model},
		func(n *node) method[apiv1.GetModelRequest, apiv1.GetModelResponse] { return n.device.GetModel })
}

// Rely asks whether anything speaks against what a device said at a time; the zero time is now.
func (c *Client) Rely(ctx context.Context, device tx.Address, at time.Time) (*apiv1.RelyResponse, error) {
	request := &apiv1.RelyRequest{Device: device.String()}
	if !at.IsZero() {
		request.At = at.UTC().Format(time.RFC3339Nano)
	}
	return read(ctx, c, request, func(n *node) method[apiv1.RelyRequest, apiv1.RelyResponse] { return n.device.Rely })
}
