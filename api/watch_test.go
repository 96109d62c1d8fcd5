package api_test

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index/indextest"
)

func (n *node) watch(ctx context.Context, t *testing.T, r *apiv1.WatchTransactionsRequest) *connect.ServerStreamForClient[apiv1.WatchTransactionsResponse] {
	t.Helper()
	s, err := n.ledger().WatchTransactions(ctx, connect.NewRequest(r))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWatchResumesExactly(t *testing.T) {
	n := start(t)
	want := [][32]byte{}
	for range 5 {
		want = append(want, n.pay(t, "1", ""))
	}
	cursor, got := "0", 0
	for range 4 { // cut the stream after every third transaction, while more are committed
		ctx, cut := context.WithCancel(t.Context())
		s := n.watch(ctx, t, &apiv1.WatchTransactionsRequest{Cursor: cursor})
		for range 3 {
			if got == len(want) {
				want = append(want, n.pay(t, "1", "")) // committed while the watcher waits
			}
			if !s.Receive() {
				t.Fatal(s.Err())
			}
			if id := s.Msg().GetTransaction().GetId(); id != hex.EncodeToString(want[got][:]) {
				t.Fatalf("transaction %d is %s", got, id)
			}
			got++
			cursor = s.Msg().GetCursor()
		}
		cut()
		_ = s.Close()
	}
	if got != 12 {
		t.Errorf("watched %d", got)
	}
}

func TestWatchFilters(t *testing.T) {
	n := start(t)
	n.pay(t, "1", "")
	for i := 1; i < 4; i++ {
		if _, err := n.Do([]*txv1.Action{indextest.Transfer(indextest.Person(i), person(i+1), "1", "")}, indextest.Person(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.Do([]*txv1.Action{indextest.Create(indextest.Member(3), "points")}, indextest.Member(3)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		request *apiv1.WatchTransactionsRequest
		cursors string
	}{
		{&apiv1.WatchTransactionsRequest{Cursor: "0", Account: person(2).String()}, "2 3"},
		{&apiv1.WatchTransactionsRequest{Cursor: "2", Account: person(2).String()}, "3"},
		{&apiv1.WatchTransactionsRequest{Cursor: "0", Asset: "points"}, "5"},
		{&apiv1.WatchTransactionsRequest{Cursor: "0", Events: []string{"device.challenged", "asset.created"}}, "5"},
		{&apiv1.WatchTransactionsRequest{Cursor: "1", Account: person(2).String(), Events: []string{"asset.moved"}}, "2 3"},
	} {
		s := n.watch(t.Context(), t, tc.request)
		var got []string
		for range strings.Fields(tc.cursors) {
			if !s.Receive() {
				t.Fatal(s.Err())
			}
			got = append(got, s.Msg().GetCursor())
		}
		if strings.Join(got, " ") != tc.cursors {
			t.Errorf("%v: %v", tc.request, got)
		}
		_ = s.Close()
	}
}

func TestWatchRefusesBadCursors(t *testing.T) {
	n := start(t)
	for cursor, code := range map[string]string{"-1": "request.malformed", "01": "request.malformed", "x": "request.malformed", "7": "cursor.not_yet"} {
		s := n.watch(t.Context(), t, &apiv1.WatchTransactionsRequest{Cursor: cursor})
		if s.Receive() || detail(t, s.Err()).GetCode() != code {
			t.Errorf("%q: %v", cursor, s.Err())
		}
		_ = s.Close()
	}
}

func TestWatchRefusesUnknownEvents(t *testing.T) {
	n := start(t)
	for _, events := range [][]string{{"device.exploded"}, {"asset.moved", ""}, slices.Repeat([]string{"asset.moved"}, 33)} {
		s := n.watch(t.Context(), t, &apiv1.WatchTransactionsRequest{Events: events})
		if s.Receive() || detail(t, s.Err()).GetCode() != "request.malformed" {
			t.Errorf("%q: %v", events, s.Err())
		}
		_ = s.Close()
	}
}

func TestWatchEndsWhenTheNodeStops(t *testing.T) {
	n := start(t)
	n.pay(t, "1", "")
	s := n.watch(t.Context(), t, &apiv1.WatchTransactionsRequest{Cursor: "0"})
	if !s.Receive() {
		t.Fatal(s.Err())
	}
	n.server.Stop()
	if s.Receive() {
		t.Error("a transaction from nowhere")
	}
	if connect.CodeOf(s.Err()) != connect.CodeUnavailable || detail(t, s.Err()).GetCode() != "node.stopping" {
		t.Errorf("ended with %v", s.Err())
	}
	_ = s.Close()
}
