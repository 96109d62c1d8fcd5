package api_test

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/dureledger/dure/api"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/gen/dure/api/v1/apiv1connect"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/index"
	"github.com/dureledger/dure/index/indextest"
	"github.com/dureledger/dure/ledger/state"
)

// A node whose index is behind does not say of an old transaction that it was never committed.
func TestIndexBehind(t *testing.T) {
	l, err := indextest.New()
	if err != nil {
		t.Fatal(err)
	}
	behind, err := index.Open(filepath.Join(t.TempDir(), "index.db"), l.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { behind.Close() })
	n := &node{memory: &memory{Ledger: l, states: map[int64]state.Reader{}}}
	if _, err := n.Do([]*txv1.Action{indextest.Transfer(indextest.Person(0), person(1), "1", "")}, indextest.Person(0)); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(api.New(n.memory, behind, api.Options{}))
	t.Cleanup(web.Close)
	_, err = apiv1connect.NewLedgerServiceClient(web.Client(), web.URL).GetTransaction(t.Context(),
		connect.NewRequest(&apiv1.GetTransactionRequest{Id: strings.Repeat("00", 32)}))
	if connect.CodeOf(err) != connect.CodeNotFound || detail(t, err).GetCode() != "tx.unknown" || !strings.Contains(err.Error(), "blocks behind") {
		t.Errorf("with an index that is behind: %v", err)
	}
}
