package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	devicev1 "github.com/dureledger/dure/gen/dure/device/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// CommandID names a command.
type CommandID [16]byte

// String is the id as 32 hex digits.
func (id CommandID) String() string { return hex.EncodeToString(id[:]) }

// NewCommandID is the id of the command that an action gives: the first 16 bytes of
// SHA-256("dure/command/v1\n" || transaction id || action index, 4 bytes big-endian).
func NewCommandID(txID [32]byte, action uint32) CommandID {
	b := append([]byte("dure/command/v1\n"), txID[:]...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint32(b, action))
	return CommandID(sum[:16])
}

// command tells a device to do something. What becomes of it the device says: answer.
func (m *Module) command(c *exec.Context, call *devicev1.SendCommand) error {
	device, _, err := kept(c, call.GetDevice())
	if err != nil {
		return err
	}
	if err := checkCommand(c.Time, call); err != nil {
		return err
	}
	rest, err := makeRoom(c, device)
	if err != nil {
		return err
	}
	id := NewCommandID(c.Tx, c.Serial())
	commands.Set(c.View, device, &devicev1.Commands{Commands: append(rest, &devicev1.Command{
		Id: id[:], Kind: call.GetKind(), Payload: call.GetPayload(), ExpiresAt: call.GetExpiresAt(), By: c.Actor[:], Tx: c.Tx[:], SentAt: c.Time,
	})})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceCommanded{DeviceCommanded: &devicev1.Commanded{
		Device: device[:], Command: id[:], Kind: call.GetKind(), Payload: call.GetPayload(), ExpiresAt: call.GetExpiresAt(), SentBy: c.Actor[:],
	}}})
	return nil
}

func checkCommand(now int64, call *devicev1.SendCommand) error {
	if !isName(call.GetKind(), MaxKind) {
		return fault.New("device.bad_kind", fmt.Sprintf("The kind of a command is 1 to %d of a-z, 0-9, '-', '.' and '_', such as unlock.", MaxKind))
	}
	if n := len(call.GetPayload()); n > MaxPayload {
		return fault.New("device.bad_payload", fmt.Sprintf("The payload has %d bytes, and a command has room for %d. Send a digest of what is longer.", n, MaxPayload), "bytes", n)
	}
	switch at := call.GetExpiresAt(); {
	case at <= now:
		return fault.New("device.bad_expiry", "The command would expire before it begins. Choose a later time.", "expires_at", at, "time", now)
	case at-MaxCommandMs > now:
		return fault.New("device.bad_expiry", "A command may wait for its device for at most 30 days. Choose an earlier time.", "expires_at", at, "latest", now+MaxCommandMs)
	}
	return nil
}

// makeRoom is the commands of a device without those that give way to one more: what expired without an answer and, when as many as are
// kept are left, the oldest that is answered. What waits for the device never does.
func makeRoom(c *exec.Context, device tx.Address) ([]*devicev1.Command, error) {
	all, _ := commands.Get(c.View, device)
	rest := slices.DeleteFunc(all.GetCommands(), func(k *devicev1.Command) bool { return k.GetAnswer() == nil && k.GetExpiresAt() <= c.Time })
	if len(rest) < MaxCommands {
		return rest, nil
	}
	i := slices.IndexFunc(rest, func(k *devicev1.Command) bool { return k.GetAnswer() != nil })
	if i < 0 {
		return nil, fault.New("device.too_many_commands", fmt.Sprintf("%d commands wait for %s already. Let it answer some, or let them expire.", MaxCommands, device),
			"device", device, "commands", MaxCommands)
	}
	return slices.Delete(rest, i, i+1), nil
}

// answer keeps what the actor, a device, says of a command. It may come after the command expired: what was done was done.
func (m *Module) answer(c *exec.Context, call *devicev1.AnswerCommand) error {
	device, d, err := find(c.View, c.Actor[:])
	if err != nil {
		return err
	}
	if err := alive(device, d); err != nil {
		return err
	}
	if err := text.Check("device.bad_text", "note", call.GetNote(), 0, MaxNote); err != nil {
		return err
	}
	all, _ := commands.Get(c.View, device)
	i := slices.IndexFunc(all.GetCommands(), func(k *devicev1.Command) bool { return bytes.Equal(k.GetId(), call.GetCommand()) })
	switch {
	case i < 0:
		return fault.New("device.unknown_command", "No such command was given to "+device.String()+", or it expired and others took its place.", "device", device)
	case all.GetCommands()[i].GetAnswer() != nil:
		return fault.New("device.answered", "The command is answered already.", "device", device)
	}
	all.Commands[i].Answer = &devicev1.Answer{Ok: call.GetOk(), Note: call.GetNote(), AnsweredAt: c.Time, Tx: c.Tx[:]}
	commands.Set(c.View, device, all)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_DeviceCommandAnswered{DeviceCommandAnswered: &devicev1.CommandAnswered{
		Device: device[:], Command: call.GetCommand(), Ok: call.GetOk(), Note: call.GetNote(),
	}}})
	return nil
}
