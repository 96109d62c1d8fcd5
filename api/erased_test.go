package api_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"connectrpc.com/connect"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/index/indextest"
)

// What is left of a transaction that retention has erased is shown as such: by the API, by a watch, and to people.
func TestErasedTransaction(t *testing.T) {
	n, f, c := fleet(t)
	o, err := f.Anchor(f.Cars[0].Source(f.Read(f.Cars[0], 500, 0)))
	ok(t, err)
	n.Erase()
	ok(t, n.index.Rebuild(t.Context()))
	n.indexed(t)

	id := hex.EncodeToString(o.GetId())
	res, err := n.ledger().GetTransaction(t.Context(), connect.NewRequest(&apiv1.GetTransactionRequest{Id: id}))
	ok(t, err)
	if got := res.Msg.GetTransaction(); !got.GetErased() || len(res.Msg.GetRaw()) != 0 || len(got.GetActions()) != 1 || len(got.GetWitnesses()) != 0 || strings.Contains(got.GetActions()[0].String(), "readings") || got.GetOutcome().GetEvents()[0].GetName() != "stream.reported" {
		t.Errorf("shown as %v", res)
	}
	code, answer := n.post(t, "LedgerService/GetTransaction", `{"id":"`+id+`"}`)
	if shown, _ := answer["transaction"].(map[string]any); code != 200 || shown["erased"] != true {
		t.Errorf("as JSON: %v", answer)
	}
	list, err := c.ListReadings(t.Context(), connect.NewRequest(&apiv1.ListReadingsRequest{Feed: indextest.Feed}))
	ok(t, err)
	if len(list.Msg.GetReadings()) != 0 || list.Msg.GetErasedUntil() == "" {
		t.Errorf("readings: %v", list)
	}
	car := f.Cars[0].Address.String()
	if _, err := c.GetReading(t.Context(), connect.NewRequest(&apiv1.GetReadingRequest{Device: car, Boot: 1, Sequence: 1})); detail(t, err).GetCode() != "reading.unknown" ||
		!strings.Contains(detail(t, err).GetMessage(), "erased") {
		t.Errorf("the reading: %v", err)
	}
	n.showsAll(t, map[string][]string{
		"/tx/" + id + "?lang=ko":               {"보관 기간이 지나", "tx.erased", "stream.reported", "stream.anchor"},
		"/tx/" + id + "?lang=en":               {"were erased on this node", "tx.erased"},
		"/feed/" + indextest.Feed + "?lang=ko": {"지워져 목록에 없습니다"},
		"/feed/" + indextest.Feed + "?lang=en": {"Readings anchored up to this time were erased"},
	})
	receipt, err := n.ledger().GetReceipt(t.Context(), connect.NewRequest(&apiv1.GetReceiptRequest{Id: id}))
	if err != nil || !bytes.HasPrefix(receipt.Msg.GetReceipt(), []byte("receipt of ")) {
		t.Errorf("no receipt: %v", err)
	}
}
