package api

import (
	"context"
	"time"

	"github.com/dureledger/dure/ledger/fault"
)

// stopGrace is how long submissions under way go on waiting for their outcome when the node stops. Consensus still runs
// then, so nearly all have it in that time; the rest are told that they are pending and ask another node.
const stopGrace = 2 * time.Second

var errStopping = fault.New("node.stopping", "the node is stopping and takes no more transactions; send the same bytes to another node, or here in a moment")

// Stop ends every open stream with an error that says to come back, takes no more submissions, and lets none wait longer
// than a moment for its outcome. Call it before http.Server.Shutdown, which waits for them.
func (s *Server) Stop() {
	s.stop.Do(func() {
		close(s.stopping)
		time.AfterFunc(stopGrace, s.endWaits)
	})
}

// mayWait is ctx for a submission that waits: it ends with the node's patience too. Code node.stopping.
func (s *Server) mayWait(ctx context.Context) (context.Context, context.CancelFunc, error) {
	select {
	case <-s.stopping:
		return nil, nil, errStopping
	default:
	}
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(s.waits, cancel)
	return ctx, func() { unhook(); cancel() }, nil
}
