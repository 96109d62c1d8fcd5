package moduletest

import (
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// TestAsDecoded: modules are fuzzed with what a transaction can carry. Fields that this version does not know once came into the state so.
func TestAsDecoded(t *testing.T) {
	for _, c := range []struct {
		kind    accountv1.KeyKind
		unknown []byte
		code    string
	}{
		{accountv1.KeyKind_KEY_KIND_P256, nil, ""},
		{accountv1.KeyKind_KEY_KIND_P256, protowire.AppendVarint(protowire.AppendTag(nil, 2000, protowire.VarintType), 1), ""},
		{99, nil, "tx.unknown_field"},
	} {
		call := &accountv1.Open{Kind: c.kind, PublicKey: []byte("key")}
		call.ProtoReflect().SetUnknown(c.unknown)
		raw, err := proto.Marshal(&txv1.Action{Call: &txv1.Action_AccountOpen{AccountOpen: call}})
		if err != nil {
			t.Fatal(err)
		}
		a, err := asDecoded(raw, Address("alice"))
		if fault.Code(err) != c.code {
			t.Errorf("kind %d: %v", c.kind, err)
		}
		if err == nil && (string(a.GetAccountOpen().GetPublicKey()) != "key" || len(a.GetAccountOpen().ProtoReflect().GetUnknown()) > 0) {
			t.Errorf("%v", a)
		}
	}
	if _, err := asDecoded(nil, Address("alice")); fault.Code(err) != "tx.no_action" {
		t.Error(err)
	}
}
