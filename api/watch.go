package api

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

// watchStep bounds what a watcher reads at once; the slowest reader holds no more than this in memory.
const watchStep = 256

// WatchTransactions streams from a cursor, which is the place in the history after the transaction it came with. It
// reads the ledger itself, not the index, and so is never behind. A watcher who reads slowly slows only itself.
func (s *ledgerService) WatchTransactions(ctx context.Context, r *connect.Request[apiv1.WatchTransactionsRequest], out *connect.ServerStream[apiv1.WatchTransactionsResponse]) error {
	seq, err := s.cursor(r.Msg.GetCursor())
	if err != nil {
		return err
	}
	account, err := optionalAddress("account", r.Msg.GetAccount())
	if err != nil {
		return err
	}
	events, err := eventNames(r.Msg.GetEvents())
	if err != nil {
		return err
	}
	if err := out.Send(nil); err != nil { // headers: the watcher knows that it watches before anything happens
		return err
	}
	for {
		advanced := s.ledger.Advanced()
		entries, err := s.ledger.Entries(seq, watchStep)
		if err != nil {
			return err
		}
		for _, e := range entries {
			seq = e.Outcome.GetSeq() + 1
			if !watched(e, account, r.Msg.GetAsset()) || !happened(e, events) {
				continue
			}
			err := out.Send(&apiv1.WatchTransactionsResponse{Transaction: transactionOf(e), Cursor: strconv.FormatUint(seq, 10)})
			if err != nil {
				return err
			}
		}
		if len(entries) > 0 {
			advanced = closed
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.stopping:
			return fault.New("node.stopping", "the node is stopping; go on from the last cursor at another node or later")
		case <-advanced:
		}
	}
}

// closed lets a loop go on at once.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// cursor reads where to start: empty means after what is committed now.
func (s *Server) cursor(text string) (uint64, error) {
	size := s.ledger.Size()
	if text == "" {
		return size, nil
	}
	seq, err := strconv.ParseUint(text, 10, 63)
	if err != nil || strconv.FormatUint(seq, 10) != text {
		return 0, fault.New("request.malformed", "cursor: want one that a watch has sent, 0 or nothing", "field", "cursor")
	}
	if seq > size {
		return 0, fault.New("cursor.not_yet", "this node has not come as far as this cursor; ask another or wait", "cursor", seq, "size", size)
	}
	return seq, nil
}

// maxEventNames bounds the events of which a watcher waits for one.
const maxEventNames = 32

// eventNames checks the names of events and returns the oneof's fields that they are, nil for none.
func eventNames(names []string) (map[protoreflect.FieldNumber]bool, error) {
	if len(names) > maxEventNames {
		return nil, fault.New("request.malformed", fmt.Sprintf("events: at most %d names", maxEventNames), "field", "events")
	}
	kinds := eventKinds()
	var out map[protoreflect.FieldNumber]bool
	for _, name := range names {
		i := 0
		for i < kinds.Len() && branchName(kinds.Get(i)) != name {
			i++
		}
		if i == kinds.Len() {
			return nil, fault.New("request.malformed", fmt.Sprintf("events: %q is no event; docs/modules.md lists them", name), "field", "events")
		}
		if out == nil {
			out = map[protoreflect.FieldNumber]bool{}
		}
		out[kinds.Get(i).Number()] = true
	}
	return out, nil
}

func eventKinds() protoreflect.FieldDescriptors {
	return (&ledgerv1.Event{}).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
}

// happened says whether a transaction has one of these events, or any if there are none to look for.
func happened(e Entry, events map[protoreflect.FieldNumber]bool) bool {
	return events == nil || slices.ContainsFunc(e.Outcome.GetEvents(), func(ev *ledgerv1.Event) bool {
		m := ev.ProtoReflect()
		kind := m.WhichOneof(m.Descriptor().Oneofs().ByName("kind"))
		return kind != nil && events[kind.Number()]
	})
}

func watched(e Entry, account *tx.Address, asset string) bool {
	if account == nil && asset == "" {
		return true
	}
	f := index.FactsOf(e)
	return (account == nil || slices.Contains(f.Accounts, *account)) && (asset == "" || slices.Contains(f.Assets, asset))
}
