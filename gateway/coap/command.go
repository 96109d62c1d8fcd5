package coap

import (
	"context"
	"slices"
	"strings"

	"github.com/plgd-dev/go-coap/v3/message"

	"github.com/dureledger/dure/client/coap"
	"github.com/dureledger/dure/gateway"
	"github.com/dureledger/dure/ledger/tx"
)

// What is at /command is the list of the transactions whose commands a device has not answered and whose receipts are there, the oldest first:
// ids of 64 hex digits, a line each; the ledger keeps 16 commands of a device. The device fetches the receipts, which are all that it believes.

// command answers with the list.
func (s *Server) command(r *coap.Request) {
	observes := r.Observe()
	go func() {
		ctx, cancel := context.WithTimeout(r.Session.Life(), gateway.AdmitTime)
		defer cancel()
		list, err := s.commands(ctx, r.Session.Device, "")
		switch {
		case err != nil && !isNotYet(err):
			r.Session.Unobserve(pathCommand)
			r.Answer(ofError(err, "There is no such device."))
			return
		case observes:
			r.Told(message.TextPlain, list)
		default:
			r.Content(message.TextPlain, list)
		}
		if err != nil && observes {
			s.look(r.Session, "")
		}
	}()
}

// look tells a device that observes its commands when there is one of a transaction, or any that could not be shown before. One goroutine of a
// connection looks: since all that is open is told each time, the newest transaction is enough to look for.
func (s *Server) look(d *coap.Session, transaction string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, busy := s.looking[d]
	s.looking[d] = transaction
	if busy {
		return
	}
	go func() {
		for wanted, more := transaction, true; more; wanted, more = s.looked(d, wanted) {
			var list []byte
			err := gateway.Look(d.Life(), func(ctx context.Context) (err error) {
				list, err = s.commands(ctx, d.Device, wanted)
				return err
			})
			if err != nil {
				s.cfg.Log.Warn("a device may lack a command until it asks again", "device", d.Device.String(), "error", err)
			}
			if d.Life().Err() == nil {
				d.Notify(pathCommand, message.TextPlain, list)
			}
		}
	}()
}

// looked says what is wanted since; more is false when nothing is.
func (s *Server) looked(d *coap.Session, wanted string) (next string, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if next = s.looking[d]; next != wanted && d.Life().Err() == nil {
		return next, true
	}
	delete(s.looking, d)
	return "", false
}

// commands is the list, and an error when there is more that cannot be shown yet.
func (s *Server) commands(ctx context.Context, device tx.Address, wanted string) ([]byte, error) {
	var open []string
	note := func(id string) {
		if !slices.Contains(open, id) {
			open = append(open, id)
		}
	}
	found, err := s.cfg.Handler.Commands(ctx, device, wanted, func(id string) bool {
		note(id)
		return s.proofs.Has(id)
	})
	for _, c := range found {
		note(c.Transaction)
		s.proofs.Keep(c.Transaction, c.Receipt)
	}
	shown := slices.DeleteFunc(open, func(id string) bool { return !s.proofs.Has(id) })
	return []byte(strings.Join(shown, "\n")), err
}
