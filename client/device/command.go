package device

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/text"
	"github.com/dureledger/dure/ledger/tx"
)

// Command is what a device is told to do. The ledger took it from the device's maker or owner.
type Command struct {
	ID   [16]byte
	Kind string
	// Payload is at most 512 bytes.
	Payload []byte
	// By is the maker or owner who commands.
	By tx.Address
	// Given is the time of the block that has it, Expires when it shall not be begun any more.
	Given, Expires time.Time
	// Transaction that gave it.
	Transaction [32]byte
}

const (
	// maxReceipts bounds the messages with commands that wait, maxNote what is said of a command, bytes.
	maxReceipts = 16
	maxNote     = 256
)

func (d *Device) obeys() bool { return d.cfg.Command != nil || d.cfg.Update != nil }

// obey does what the device is told, one command after the other. What it did before and could not tell, it tells first.
func (d *Device) obey(ctx context.Context, l line) {
	d.diary.passed(d.cfg.Now().UnixMilli())
	for _, e := range d.diary.unsent() {
		d.tell(ctx, l, e)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case receipt := <-d.receipts:
			commands, err := d.read(receipt)
			if err != nil {
				d.cfg.Log.Warn("a command is not believed", "error", err)
			}
			for _, command := range commands {
				if e, ok := d.do(ctx, command); ok {
					d.tell(ctx, l, e)
				}
			}
		}
	}
}

// read verifies a receipt and returns the commands in it that are for this device.
func (d *Device) read(receipt []byte) ([]Command, error) {
	v, err := d.cfg.Anchor.VerifyReceipt(receipt)
	if err != nil {
		return nil, err
	}
	d.diary.passed(v.Executed.UnixMilli())
	if !v.OK() {
		return nil, fmt.Errorf("device: the transaction %x gives no command: it is not ok", v.ID)
	}
	var out []Command
	for _, e := range v.Outcome.GetEvents() {
		k := e.GetDeviceCommanded()
		if k == nil || !bytes.Equal(k.GetDevice(), d.cfg.Address[:]) {
			continue
		}
		by, err := tx.ToAddress(k.GetSentBy())
		if err != nil || len(k.GetCommand()) != 16 {
			return nil, fmt.Errorf("device: the command in %x is not whole", v.ID)
		}
		out = append(out, Command{
			ID: [16]byte(k.GetCommand()), Kind: k.GetKind(), Payload: k.GetPayload(), By: by,
			Given: v.Executed, Expires: time.UnixMilli(k.GetExpiresAt()).UTC(), Transaction: v.ID,
		})
	}
	return out, nil
}

// do does a command, once. ok: there is something to be told.
func (d *Device) do(ctx context.Context, k Command) (e entry, ok bool) {
	log := d.cfg.Log.With("command", hex.EncodeToString(k.ID[:]), "kind", k.Kind)
	now := d.diary.passed(d.cfg.Now().UnixMilli())
	e, begun := d.diary.find(hex.EncodeToString(k.ID[:]))
	switch {
	case begun && e.Sent:
		return e, false
	case begun && e.Done:
		return e, true
	case !begun && k.Expires.UnixMilli() <= now:
		log.Warn("a command came when its time was over", "expired", k.Expires)
		return e, false
	case !begun:
		e = entry{Command: hex.EncodeToString(k.ID[:]), Expires: k.Expires.UnixMilli()}
		if err := d.diary.put(e); err != nil {
			log.Error("a command is not begun", "error", err)
			return e, false
		}
	}
	note, err := d.run(ctx, k, begun)
	if ctx.Err() != nil && err != nil {
		return e, false // the device stops in the middle of it
	}
	e.Done, e.OK, e.Note = true, err == nil, noteOf(note, err)
	log.Info("did what it was told", "ok", e.OK, "note", e.Note)
	if err := d.diary.put(e); err != nil {
		log.Error("what became of a command is not kept", "error", err)
	}
	return e, true
}

// run calls who has to do it. begun: a start before this one has begun it, and nobody knows how far that came.
func (d *Device) run(ctx context.Context, k Command, begun bool) (string, error) {
	switch {
	case k.Kind == client.KindUpdate && d.cfg.Update != nil:
		return d.update(ctx, k, begun)
	case begun:
		return "", errStopped
	case d.cfg.Command != nil:
		return d.cfg.Command(ctx, k)
	}
	return "", fmt.Errorf("the device knows no command %s", k.Kind)
}

// noteOf is what the ledger is told, as text that it takes.
func noteOf(note string, err error) string {
	if err != nil {
		note = err.Error()
	}
	note = strings.Map(func(r rune) rune {
		if text.Check("", "", string(r), 0, utf8.UTFMax) != nil {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(note, "?"))
	for len(note) > maxNote {
		_, size := utf8.DecodeLastRuneInString(note)
		note = note[:len(note)-size]
	}
	return note
}

// tell puts on the ledger what became of a command.
func (d *Device) tell(ctx context.Context, l line, e entry) {
	id, err := hex.DecodeString(e.Command)
	if err != nil || len(id) != 16 {
		d.cfg.Log.Error("an answer to no command", "command", e.Command)
		return
	}
	var said Settled
	for { // a transaction that waited for a connection for too long is signed anew
		signed, err := client.NewTransaction(d.cfg.Network).AnswerCommand(d.cfg.Address, [16]byte(id), e.OK, e.Note).Sign(d.cfg.Now(), d.cfg.Signer)
		if err != nil {
			d.cfg.Log.Error("an answer cannot be signed", "error", err)
			return
		}
		done := false
		if said, done = d.submit(ctx, l, signed.Raw); !done {
			return
		}
		if said.Committed || !strings.Contains(said.Said, "[tx.expired]") || !pause(ctx, retryPause) {
			break
		}
	}
	d.cfg.Log.Info("answered a command", "command", e.Command, "committed", said.Committed, "said", said.Said)
	e.Sent = true
	if err := d.diary.put(e); err != nil {
		d.cfg.Log.Error("that a command is answered is not kept", "error", err)
	}
}
