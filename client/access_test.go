package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/dureledger/dure/client"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	"github.com/dureledger/dure/ledger/access"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// guarded is a node that answers by account and follows a script: how it answers the attempts of a watch, in turn.
type guarded struct {
	apiv1connect.UnimplementedLedgerServiceHandler
	apiv1connect.UnimplementedAccessServiceHandler

	mu       sync.Mutex
	script   []string
	attempts int
	tokens   int
	proofs   map[string]bool
}

func refusal(code string) error {
	err := connect.NewError(connect.CodeUnauthenticated, errors.New(code))
	if d, e := connect.NewErrorDetail(&apiv1.Error{Code: code, Message: code}); e == nil {
		err.AddDetail(d)
	}
	return err
}

func (g *guarded) GetStatus(context.Context, *connect.Request[apiv1.GetStatusRequest]) (*connect.Response[apiv1.GetStatusResponse], error) {
	return connect.NewResponse(&apiv1.GetStatusResponse{Network: "test-00"}), nil
}

func (g *guarded) GetChallenge(context.Context, *connect.Request[apiv1.GetChallengeRequest]) (*connect.Response[apiv1.GetChallengeResponse], error) {
	return connect.NewResponse(&apiv1.GetChallengeResponse{Nonce: "nonce", Time: time.Now().UTC().Format(time.RFC3339Nano)}), nil
}

func (g *guarded) CreateToken(context.Context, *connect.Request[apiv1.CreateTokenRequest]) (*connect.Response[apiv1.CreateTokenResponse], error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tokens++
	return connect.NewResponse(&apiv1.CreateTokenResponse{
		Token: string(rune('A' + g.tokens)), ExpiresAt: time.Now().UTC().Add(time.Hour).Format(time.RFC3339Nano),
	}), nil
}

// WatchTransactions refuses by the script's next line, after one transaction if that begins with a plus.
func (g *guarded) WatchTransactions(_ context.Context, r *connect.Request[apiv1.WatchTransactionsRequest], out *connect.ServerStream[apiv1.WatchTransactionsResponse]) error {
	g.mu.Lock()
	line := g.script[min(g.attempts, len(g.script)-1)]
	g.attempts++
	n := g.attempts
	if proof := r.Header().Get("DPoP"); proof != "" {
		p, err := access.Parse(proof)
		if err != nil || g.proofs[p.ID] || r.Header().Get("Authorization") == "" {
			line = "test.bad_proof"
		} else {
			g.proofs[p.ID] = true
		}
	}
	g.mu.Unlock()
	if line[0] == '+' {
		t := &apiv1.Transaction{Outcome: &apiv1.Outcome{Seq: uint64(n)}}
		if err := out.Send(&apiv1.WatchTransactionsResponse{Transaction: t, Cursor: "1"}); err != nil {
			return err
		}
		line = line[1:]
	}
	return refusal(line)
}

func TestWatchShowsWhoReads(t *testing.T) {
	for name, tc := range map[string]struct {
		script           []string
		seen, tokens     int
		code             string
		attempts, atMost int
	}{
		"goes on with a newer token when the stream ended with its old one": {
			[]string{"access.token_needed", "+access.stream_ended", "access.stream_ended", "+access.stream_ended", "access.stream_ended", "access.stream_ended", "access.frozen"},
			2, 6, "access.frozen", 7, 7},
		"dates its proofs anew":                  {[]string{"access.token_needed", "access.proof_stale", "+access.frozen"}, 1, 2, "access.frozen", 3, 3},
		"gives up at a node that takes no token": {[]string{"access.token_needed", "access.token_bad"}, 0, 2, "access.token_bad", 3, 4},
		"gives up at a node that takes no proof": {[]string{"access.token_needed", "access.token_needed"}, 0, 1, "access.token_needed", 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			g := &guarded{script: tc.script, proofs: map[string]bool{}}
			mux := http.NewServeMux()
			mux.Handle(apiv1connect.NewLedgerServiceHandler(g))
			mux.Handle(apiv1connect.NewAccessServiceHandler(g))
			server := httptest.NewServer(mux)
			defer server.Close()
			alice := txtest.Ed25519(1)
			c, err := client.Dial(client.Config{Addresses: []string{server.URL}, Reader: client.ReadAs(alice.Key().Address(), alice)})
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			var last *client.Refusal
			for _, err := range c.Watch(t.Context(), &apiv1.WatchTransactionsRequest{Cursor: "0"}) {
				if err != nil {
					if !errors.As(err, &last) {
						t.Fatal(err)
					}
					break
				}
				seen++
			}
			if seen != tc.seen || last == nil || last.Code != tc.code || g.tokens != tc.tokens || g.attempts < tc.attempts || g.attempts > tc.atMost {
				t.Errorf("saw %d, ended with %v, %d tokens, %d attempts", seen, last, g.tokens, g.attempts)
			}
		})
	}
}
