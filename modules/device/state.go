package device

import (
	"bytes"
	"encoding/binary"
	"errors"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits, in bytes, count and milliseconds.
const (
	MaxModel   = 64
	MaxTitle   = 200
	MaxVersion = 64
	MaxSerial  = 64
	MaxNote    = 256
	MaxReason  = 256
	// MaxFaultID bounds the name of a fault, MaxFaults how many of a firmware are kept.
	MaxFaultID = 64
	MaxFaults  = 16
	MaxDoubts  = 16
	// MaxKind and MaxPayload bound a command, MaxCommands how many of a device are kept.
	MaxKind     = 32
	MaxPayload  = 512
	MaxCommands = 16
	// MaxCommandMs is how far ahead a command may expire.
	MaxCommandMs = 30 * 24 * 60 * 60 * 1000
	// AnswerMs is how long after a challenge evidence may come.
	AnswerMs = 5 * 60 * 1000
)

// Digest is the SHA-256 of a firmware's image.
type Digest [32]byte

// attester is the key that a TPM quotes with: P-256, SEC 1 compressed.
type attester [33]byte

// Model names a model.
type Model struct {
	Maker tx.Address
	Name  string
}

type version struct {
	model  Model
	number uint64
}

type image struct {
	model  Model
	digest Digest
}

// measurement is a firmware as a TPM quotes it: which registers, and the digest over them.
type measurement struct {
	model  Model
	pcrs   uint32
	digest Digest
}

// plate is what is written on a device.
type plate struct {
	model  Model
	serial string
}

var (
	addresses = state.Codec[tx.Address]{
		Append: func(b []byte, a tx.Address) []byte { return append(b, a[:]...) },
		Decode: tx.ToAddress,
	}
	// A model's name ends in a zero byte in keys, so that car is no prefix of car2.
	models = state.Codec[Model]{
		Append: func(b []byte, m Model) []byte { return append(append(append(b, m.Maker[:]...), m.Name...), 0) },
		Decode: func(b []byte) (Model, error) {
			if len(b) < 21 || bytes.IndexByte(b[20:], 0) != len(b)-21 {
				return Model{}, errors.New("want an address, a model and a zero byte")
			}
			return Model{tx.Address(b[:20]), string(b[20 : len(b)-1])}, nil
		},
	}
	versions = state.Codec[version]{
		Append: func(b []byte, v version) []byte {
			return binary.BigEndian.AppendUint64(models.Append(b, v.model), v.number)
		},
		Decode: func(b []byte) (v version, err error) {
			if len(b) < 8 {
				return v, errors.New("want a model and a number")
			}
			v.number = binary.BigEndian.Uint64(b[len(b)-8:])
			v.model, err = models.Decode(b[:len(b)-8])
			return v, err
		},
	}
	images = state.Codec[image]{
		Append: func(b []byte, i image) []byte { return append(models.Append(b, i.model), i.digest[:]...) },
		Decode: func(b []byte) (i image, err error) {
			if len(b) < 32 {
				return i, errors.New("want a model and a digest")
			}
			i.digest = Digest(b[len(b)-32:])
			i.model, err = models.Decode(b[:len(b)-32])
			return i, err
		},
	}
	measurements = state.Codec[measurement]{
		Append: func(b []byte, m measurement) []byte {
			return append(binary.BigEndian.AppendUint32(models.Append(b, m.model), m.pcrs), m.digest[:]...)
		},
		Decode: func(b []byte) (m measurement, err error) {
			n := len(b) - 36
			if n < 0 {
				return m, errors.New("want a model, registers and a digest")
			}
			m.pcrs, m.digest = binary.BigEndian.Uint32(b[n:]), Digest(b[n+4:])
			m.model, err = models.Decode(b[:n])
			return m, err
		},
	}
	attesters = state.Codec[attester]{
		Append: func(b []byte, a attester) []byte { return append(b, a[:]...) },
		Decode: func(b []byte) (attester, error) {
			if len(b) != len(attester{}) {
				return attester{}, errors.New("want a key of 33 bytes")
			}
			return attester(b), nil
		},
	}
	plates = state.Codec[plate]{
		Append: func(b []byte, p plate) []byte { return append(append(models.Append(b, p.model), p.serial...), 0) },
		Decode: func(b []byte) (p plate, err error) {
			end := len(b) - 1
			i := 20 + bytes.IndexByte(b[min(20, len(b)):], 0) // of the model's end
			if i < 20 || end <= i || bytes.IndexByte(b[i+1:], 0) != end-i-1 {
				return p, errors.New("want a model, a serial number and a zero byte")
			}
			p.serial = string(b[i+1 : end])
			p.model, err = models.Decode(b[:i+1])
			return p, err
		},
	}

	registered = state.NewMap("Dm", models, state.Proto[devicev1.Model]())
	firmwares  = state.NewMap("Df", versions, state.Proto[devicev1.Firmware]())
	byDigest   = state.NewMap("Dg", images, state.Uint64)
	devices    = state.NewMap("Dd", addresses, state.Proto[devicev1.Device]())
	bySerial   = state.NewMap("Ds", plates, addresses)
	commands   = state.NewMap("Dc", addresses, state.Proto[devicev1.Commands]())

	byMeasurement = state.NewMap("Dp", measurements, state.Uint64)
	byAttester    = state.NewMap("Da", attesters, addresses)
)

// Accounts says which accounts there are.
type Accounts interface {
	// Exists says whether an account is open, frozen or not.
	Exists(g state.Getter, a tx.Address) bool
	// KeyOf returns the address of the key that may act for an account at a time, in unix milliseconds; none may if it is frozen or not open.
	KeyOf(g state.Getter, a tx.Address, now int64) (tx.Address, bool)
	// AgreesOrSponsor says whether the transaction shows that an account, or the one that answers for it, wants what is done: it acts, or
	// enough of its keys have signed.
	AgreesOrSponsor(c *exec.Context, a tx.Address) bool
	// HasRule says whether a rule over keys acts for an account, and not one key.
	HasRule(g state.Getter, a tx.Address) bool
}

// Members says who the members of the network are.
type Members interface {
	// IsMember says whether the account is a member's now.
	IsMember(g state.Getter, a tx.Address) bool
}

// Module is the device module.
type Module struct {
	accounts Accounts
	members  Members
}

// New makes the module.
func New(accounts Accounts, members Members) *Module { return &Module{accounts, members} }

// Name is the module's name.
func (m *Module) Name() string { return "device" }

// Handlers lists the module's actions.
func (m *Module) Handlers() []exec.Handler {
	return []exec.Handler{
		exec.Handle("device.register_model", 1, func(c *txv1.Action_DeviceRegisterModel) *devicev1.RegisterModel { return c.DeviceRegisterModel }, m.registerModel),
		exec.Handle("device.register_firmware", 1, func(c *txv1.Action_DeviceRegisterFirmware) *devicev1.RegisterFirmware {
			return c.DeviceRegisterFirmware
		}, m.registerFirmware),
		exec.Handle("device.measure_firmware", 1, func(c *txv1.Action_DeviceMeasureFirmware) *devicev1.MeasureFirmware {
			return c.DeviceMeasureFirmware
		}, m.measureFirmware),
		exec.Handle("device.withdraw_firmware", 1, func(c *txv1.Action_DeviceWithdrawFirmware) *devicev1.WithdrawFirmware {
			return c.DeviceWithdrawFirmware
		}, m.withdrawFirmware),
		exec.Handle("device.report_fault", 1, func(c *txv1.Action_DeviceReportFault) *devicev1.ReportFault { return c.DeviceReportFault }, m.reportFault),
		exec.Handle("device.enrol", 1, func(c *txv1.Action_DeviceEnrol) *devicev1.Enrol { return c.DeviceEnrol }, m.enrol),
		exec.Handle("device.challenge", 1, func(c *txv1.Action_DeviceChallenge) *devicev1.Challenge { return c.DeviceChallenge }, m.challenge),
		exec.Handle("device.attest", 1, func(c *txv1.Action_DeviceAttest) *devicev1.Attest { return c.DeviceAttest }, m.attest),
		exec.Handle("device.present", 1, func(c *txv1.Action_DevicePresent) *devicev1.Present { return c.DevicePresent }, m.present),
		exec.Handle("device.present_quote", 1, func(c *txv1.Action_DevicePresentQuote) *devicev1.PresentQuote {
			return c.DevicePresentQuote
		}, m.presentQuote),
		exec.Handle("device.vouch", 1, func(c *txv1.Action_DeviceVouch) *devicev1.Vouch { return c.DeviceVouch }, m.vouch),
		exec.Handle("device.set_attester", 1, func(c *txv1.Action_DeviceSetAttester) *devicev1.SetAttester {
			return c.DeviceSetAttester
		}, m.setAttester),
		exec.Handle("device.command", 1, func(c *txv1.Action_DeviceCommand) *devicev1.SendCommand { return c.DeviceCommand }, m.command),
		exec.Handle("device.answer", 1, func(c *txv1.Action_DeviceAnswer) *devicev1.AnswerCommand { return c.DeviceAnswer }, m.answer),
		exec.Handle("device.suspend", 1, func(c *txv1.Action_DeviceSuspend) *devicev1.Suspend { return c.DeviceSuspend }, m.suspend),
		exec.Handle("device.readmit", 1, func(c *txv1.Action_DeviceReadmit) *devicev1.Readmit { return c.DeviceReadmit }, m.readmit),
		exec.Handle("device.revoke", 1, func(c *txv1.Action_DeviceRevoke) *devicev1.Revoke { return c.DeviceRevoke }, m.revoke),
		exec.Handle("device.transfer", 1, func(c *txv1.Action_DeviceTransfer) *devicev1.Transfer { return c.DeviceTransfer }, m.transfer),
	}
}

func toAddress(field string, b []byte) (tx.Address, error) {
	a, err := tx.ToAddress(b)
	if err != nil {
		return a, fault.New("device.bad_address", "The "+field+" is not a 20-byte address.", "field", field, "bytes", len(b))
	}
	return a, nil
}

func toDigest(b []byte) (Digest, error) {
	if len(b) != 32 {
		return Digest{}, fault.New("device.bad_digest", "A digest is the SHA-256 of a firmware's image and has 32 bytes.", "bytes", len(b))
	}
	return Digest(b), nil
}

// find returns a device.
func find(g state.Getter, address []byte) (tx.Address, *devicev1.Device, error) {
	a, err := toAddress("device", address)
	if err != nil {
		return a, nil, err
	}
	d, ok := devices.Get(g, a)
	if !ok {
		return a, nil, fault.New("device.unknown", a.String()+" is no device. Its maker must enrol it first.", "device", a)
	}
	return a, d, nil
}

// kept is find for the maker or owner of a device that is not revoked.
func kept(c *exec.Context, address []byte) (tx.Address, *devicev1.Device, error) {
	a, d, err := find(c.View, address)
	if err != nil {
		return a, nil, err
	}
	if !bytes.Equal(c.Actor[:], d.GetMaker()) && !bytes.Equal(c.Actor[:], d.GetOwner()) {
		return a, nil, fault.New("device.not_entitled", "Only the maker and the owner of "+a.String()+" may do this.", "device", a, "actor", c.Actor)
	}
	return a, d, alive(a, d)
}

// made is kept for the maker alone.
func made(c *exec.Context, address []byte) (tx.Address, *devicev1.Device, error) {
	a, d, err := find(c.View, address)
	if err != nil {
		return a, nil, err
	}
	if !bytes.Equal(c.Actor[:], d.GetMaker()) {
		return a, nil, fault.New("device.not_entitled", "Only the maker of "+a.String()+" may do this.", "device", a, "actor", c.Actor)
	}
	return a, d, alive(a, d)
}

func alive(a tx.Address, d *devicev1.Device) error {
	if d.GetState() == devicev1.State_STATE_REVOKED {
		return fault.New("device.revoked", "The device "+a.String()+" is revoked, for good.", "device", a)
	}
	return nil
}

func modelOf(d *devicev1.Device) Model { return Model{tx.Address(d.GetMaker()), d.GetModel()} }
func plateOf(d *devicev1.Device) plate { return plate{modelOf(d), d.GetSerial()} }
