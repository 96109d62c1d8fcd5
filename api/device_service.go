package api

import (
	"context"
	"encoding/hex"
	"slices"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/evidence"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// deviceService is dure.api.v1.DeviceService. It answers from the state alone.
type deviceService struct{ *Server }

// maxFirmwares bounds an answer.
const maxFirmwares = 1000

func (s *deviceService) GetDevice(_ context.Context, r *connect.Request[apiv1.GetDeviceRequest]) (*connect.Response[apiv1.GetDeviceResponse], error) {
	a, err := parseAddress("device", r.Msg.GetDevice())
	if err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	d, ok := index.ReadDevice(st, a)
	if !ok {
		return nil, unknownDevice(a)
	}
	return connect.NewResponse(&apiv1.GetDeviceResponse{Device: s.deviceOf(st, a, d)}), nil
}

func (s *deviceService) ListDevices(_ context.Context, r *connect.Request[apiv1.ListDevicesRequest]) (*connect.Response[apiv1.ListDevicesResponse], error) {
	maker, err := parseAddress("maker", r.Msg.GetMaker())
	if err != nil {
		return nil, err
	}
	if err := bounded("model", r.Msg.GetModel()); err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	if _, ok := index.ReadModel(st, maker, r.Msg.GetModel()); !ok {
		return nil, unknownModel(maker, r.Msg.GetModel())
	}
	devices, next, err := index.ReadDevices(st, maker, r.Msg.GetModel(), page(r.Msg))
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListDevicesResponse{NextPageToken: next}
	for _, a := range devices {
		d, _ := index.ReadDevice(st, a)
		out.Devices = append(out.Devices, s.deviceOf(st, a, d))
	}
	return connect.NewResponse(out), nil
}

func unknownModel(maker tx.Address, model string) error {
	return fault.New("device.unknown_model", maker.String()+" has no model "+printable(model)+".", "maker", maker, "model", model)
}

func unknownDevice(a tx.Address) error {
	return fault.New("device.unknown", a.String()+" is no device of this ledger.", "device", a)
}

func (s *deviceService) GetModel(_ context.Context, r *connect.Request[apiv1.GetModelRequest]) (*connect.Response[apiv1.GetModelResponse], error) {
	maker, err := parseAddress("maker", r.Msg.GetMaker())
	if err != nil {
		return nil, err
	}
	if err := bounded("model", r.Msg.GetModel()); err != nil {
		return nil, err
	}
	st, _ := s.ledger.State()
	m, ok := index.ReadModel(st, maker, r.Msg.GetModel())
	if !ok {
		return nil, unknownModel(maker, r.Msg.GetModel())
	}
	out := &apiv1.GetModelResponse{Title: m.GetTitle(), RegisteredAt: timestamp(m.GetRegisteredAt())}
	index.ReadFirmwares(st, maker, r.Msg.GetModel(), func(number uint64, f *devicev1.Firmware) bool {
		out.Firmware = append(out.Firmware, firmwareOf(number, f))
		return true
	})
	slices.Reverse(out.Firmware)
	out.Firmware = out.Firmware[:min(len(out.Firmware), maxFirmwares)]
	return connect.NewResponse(out), nil
}

func (s *deviceService) Rely(_ context.Context, r *connect.Request[apiv1.RelyRequest]) (*connect.Response[apiv1.RelyResponse], error) {
	a, err := parseAddress("device", r.Msg.GetDevice())
	if err != nil {
		return nil, err
	}
	at := s.ledger.Status().Time
	if text := r.Msg.GetAt(); text != "" {
		if at, err = time.Parse(time.RFC3339, text); err != nil {
			return nil, fault.New("request.malformed", "at: want a time such as 2026-11-22T09:30:00Z.", "field", "at")
		}
	}
	st, _ := s.ledger.State()
	answer := index.Rely(st, a, at.UnixMilli())
	return connect.NewResponse(&apiv1.RelyResponse{
		Ok: answer.Reason == "", Reason: answer.Reason, At: timestamp(at.UnixMilli()), Confirmed: answer.Confirmed, AgeMs: answer.Age,
		Level: knownName(answer.Level), Doubt: doubtOf(answer.Doubt), Faults: faultsOf(index.ReadKnownFaults(st, a)),
	}), nil
}

// knownName is the short name of an enum value, empty for the unspecified one.
func knownName(e protoreflect.Enum) string {
	if e.Number() == 0 {
		return ""
	}
	return enumName(e)
}

func (s *Server) deviceOf(r state.Reader, a tx.Address, d *devicev1.Device) *apiv1.Device {
	maker := tx.Address(d.GetMaker())
	f, _ := index.ReadFirmware(r, maker, d.GetModel(), d.GetFirmware())
	out := &apiv1.Device{
		Device: a.String(), Maker: maker.String(), Model: d.GetModel(), Serial: d.GetSerial(), Owner: address(d.GetOwner()),
		State: enumName(d.GetState()), EnrolledAt: timestamp(d.GetEnrolledAt()), Firmware: firmwareOf(d.GetFirmware(), f), Boot: d.GetBoot(),
		LastGoodAt: timestamp(d.GetLastGoodAt()), LastGoodTransaction: hex.EncodeToString(d.GetLastGoodTx()), Level: knownName(d.GetLevel()),
		Nonce: hex.EncodeToString(d.GetNonce().GetValue()), AskedAt: timestamp(d.GetNonce().GetAskedAt()),
		Hardware: knownName(d.GetHardware()), HardwareKey: address(d.GetHardwareKey()), Attester: hex.EncodeToString(d.GetAttester()),
	}
	for _, doubt := range d.GetDoubts() {
		out.Doubts = append(out.Doubts, doubtOf(doubt))
	}
	now := s.ledger.Status().Time.UnixMilli()
	for _, command := range index.ReadCommands(r, a) {
		out.Commands = append(out.Commands, commandOf(command, now))
	}
	return out
}

func commandOf(c *devicev1.Command, now int64) *apiv1.DeviceCommand {
	out := &apiv1.DeviceCommand{
		Command: hex.EncodeToString(c.GetId()), Kind: c.GetKind(), Payload: c.GetPayload(), ExpiresAt: timestamp(c.GetExpiresAt()), By: address(c.GetBy()),
		Transaction: hex.EncodeToString(c.GetTx()), SentAt: timestamp(c.GetSentAt()),
		Note: c.GetAnswer().GetNote(), AnsweredAt: timestamp(c.GetAnswer().GetAnsweredAt()), AnswerTransaction: hex.EncodeToString(c.GetAnswer().GetTx()),
	}
	out.State = commandState(c, now)
	return out
}

const commandOpen = "open"

func commandState(c *devicev1.Command, now int64) string {
	switch {
	case c.GetAnswer().GetOk():
		return "done"
	case c.GetAnswer() != nil:
		return "failed"
	case c.GetExpiresAt() <= now:
		return "expired"
	}
	return commandOpen
}

func doubtOf(d *devicev1.Doubt) *apiv1.Doubt {
	if d == nil {
		return nil
	}
	return &apiv1.Doubt{
		Finding: knownName(d.GetFinding()),
		Since:   timestamp(d.GetSince()), Until: timestamp(d.GetUntil()), Reason: d.GetReason(), By: address(d.GetBy()),
		Transaction: hex.EncodeToString(d.GetTx()), Found: hex.EncodeToString(d.GetFound()),
	}
}

func firmwareOf(number uint64, f *devicev1.Firmware) *apiv1.Firmware {
	return &apiv1.Firmware{
		Number: number, Version: f.GetVersion(), Digest: hex.EncodeToString(f.GetDigest()), Follows: f.GetFollows(), Note: f.GetNote(),
		RegisteredAt: timestamp(f.GetRegisteredAt()), WithdrawnAt: timestamp(f.GetWithdrawnAt()), WithdrawReason: f.GetWithdrawReason(),
		Pcrs: evidence.FormatPCRs(f.GetPcrs()), PcrDigest: hex.EncodeToString(f.GetPcrDigest()), Algorithm: "sha-256", Faults: faultsOf(f.GetFaults()),
	}
}

func faultsOf(known []*devicev1.KnownFault) []*apiv1.KnownFault {
	out := make([]*apiv1.KnownFault, len(known))
	for i, k := range known {
		out[i] = &apiv1.KnownFault{Id: k.GetId(), Text: k.GetText(), FixedIn: k.GetFixedIn(), KnownAt: timestamp(k.GetKnownAt()), ChangedAt: timestamp(k.GetChangedAt())}
	}
	return out
}
