package tx_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
)

func TestDecodeAction(t *testing.T) {
	good := &txv1.Action{Actor: make([]byte, 20), Call: &txv1.Action_AccountApprove{AccountApprove: &accountv1.Approve{Proposal: 3}}}
	raw, err := proto.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := tx.DecodeAction(raw); err != nil || !proto.Equal(got, good) {
		t.Errorf("%v %v", got, err)
	}
	for name, c := range map[string]struct {
		raw  []byte
		code string
	}{
		"nothing":           {nil, "tx.malformed"},
		"a short actor":     {append([]byte{10, 1, 7}, raw[22:]...), "tx.malformed"},
		"no call":           {raw[:22], "tx.no_action"},
		"two calls":         {append(append([]byte{}, raw...), raw[22:]...), "tx.malformed"},
		"cut off":           {raw[:len(raw)-1], "tx.malformed"},
		"an unknown field":  {append(append([]byte{}, raw...), 0xf8, 0x3f, 1), "tx.unknown_field"},
		"another encoding":  {append(append([]byte{}, raw[:len(raw)-1]...), 0x83, 0), "tx.malformed"},
		"actor after calls": {append(append([]byte{}, raw[22:]...), raw[:22]...), "tx.malformed"},
	} {
		if got, err := tx.DecodeAction(c.raw); fault.Code(err) != c.code {
			t.Errorf("%s: %v %v, want %s", name, got, err, c.code)
		}
	}
}
