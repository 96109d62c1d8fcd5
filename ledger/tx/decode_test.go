package tx_test

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	assetv1 "github.com/dureledger/dure/gen/dure/asset/v1"
	networkv1 "github.com/dureledger/dure/gen/dure/network/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/ledger/tx/txtest"
)

// refusal is a way to spoil a good transaction, and the code it must be refused with. Of body, witness and wire the
// first that is set makes the bytes.
type refusal struct {
	name string
	code string
	// body changes the body before it is written.
	body func(*txv1.Body)
	// witness changes the witnesses, one Ed25519 at first.
	witness func(*txv1.Native)
	// bodyWire changes the written body, wire the written transaction.
	bodyWire, wire func([]byte) []byte
	// must is a part of the message.
	must string
}

func tag(n protowire.Number, t protowire.Type) []byte { return protowire.AppendTag(nil, n, t) }

func field(n protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(tag(n, protowire.BytesType), content)
}

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// action is a body whose only action is these bytes.
func action(content ...[]byte) func([]byte) []byte {
	return func([]byte) []byte {
		return cat(field(1, short), tag(2, 0), []byte{9}, field(5, cat(content...)))
	}
}

var (
	short = func() []byte {
		n, err := tx.NewNetwork(txtest.NetworkID)
		if err != nil {
			panic(err)
		}
		return n.Short()
	}()
	actor = field(1, make([]byte, 20))
)

var refusals = []refusal{
	{name: "empty", code: "tx.malformed", wire: func([]byte) []byte { return nil }, must: "nothing inside"},
	{name: "ethereum", code: "tx.unsupported", wire: func([]byte) []byte { return field(2, []byte{2, 0xf8}) }},
	{name: "two kinds", code: "tx.malformed", wire: func(b []byte) []byte { return cat(b, field(2, []byte{2})) }, must: "second choice"},
	{name: "not protobuf", code: "tx.unknown_field", wire: func([]byte) []byte { return []byte("hello") }},
	{name: "too many bytes", code: "tx.too_large", wire: func([]byte) []byte { return make([]byte, maxBytes+1) }},
	{name: "trailing byte", code: "tx.unknown_field", wire: func(b []byte) []byte { return append(b, 0) }},
	{name: "cut off", code: "tx.malformed", wire: func(b []byte) []byte { return b[:len(b)-1] }, must: "cut off"},
	{name: "native twice", code: "tx.malformed", wire: func(b []byte) []byte { return cat(b, b) }, must: "twice"},
	{name: "wrong wire type", code: "tx.malformed", wire: func([]byte) []byte { return []byte{1 << 3, 0} }, must: "wire type"},
	{name: "group", code: "tx.malformed", wire: func([]byte) []byte { return []byte{1<<3 | 3, 1<<3 | 4} }, must: "wire type"},
	{name: "field number 0", code: "tx.unknown_field", wire: func([]byte) []byte { return []byte{2, 0} }},
	{name: "huge field number", code: "tx.unknown_field", wire: func(b []byte) []byte { return cat(b, tag(1<<29-1, 0), []byte{1}) }},
	{name: "tag not shortest", code: "tx.malformed", wire: func(b []byte) []byte { return cat([]byte{b[0] | 0x80, 0}, b[1:]) }, must: "shortest"},
	{name: "length not shortest", code: "tx.malformed", wire: func([]byte) []byte { return []byte{1<<3 | 2, 0x80, 0} }, must: "shortest"},
	{name: "length of 2^63", code: "tx.malformed", wire: func([]byte) []byte {
		return protowire.AppendVarint([]byte{1<<3 | 2}, 1<<63)
	}},
	{name: "empty native", code: "tx.malformed", wire: func([]byte) []byte { return field(1, nil) }},
	{name: "unknown field in native", code: "tx.unknown_field", wire: func([]byte) []byte { return field(1, field(3, nil)) }},

	{name: "unknown field in body", code: "tx.unknown_field", bodyWire: func(b []byte) []byte { return cat(b, field(6, []byte{1})) }},
	{name: "fields out of order", code: "tx.malformed", bodyWire: func(b []byte) []byte { return cat(b, field(1, short)) }, must: "ascending"},
	{name: "salt written as 0", code: "tx.malformed", bodyWire: func([]byte) []byte {
		return cat(field(1, short), tag(2, 0), []byte{9}, tag(3, 1), make([]byte, 8), field(5, actor))
	}, must: "default"},
	{name: "salt cut off", code: "tx.malformed", bodyWire: func([]byte) []byte { return cat(field(1, short), tag(3, 1), []byte{1, 2}) }},
	{name: "once written as empty", code: "tx.malformed", bodyWire: func([]byte) []byte { return cat(field(1, short), field(4, nil)) }, must: "default"},
	{name: "not_after not shortest", code: "tx.malformed", bodyWire: func([]byte) []byte {
		return cat(field(1, short), tag(2, 0), []byte{0x89, 0})
	}, must: "shortest"},
	{name: "not_after of 11 bytes", code: "tx.malformed", bodyWire: func([]byte) []byte {
		return cat(field(1, short), tag(2, 0), bytes.Repeat([]byte{0xff}, 10), []byte{1})
	}},
	{name: "not_after beyond 64 bits", code: "tx.malformed", bodyWire: func([]byte) []byte {
		return cat(field(1, short), tag(2, 0), bytes.Repeat([]byte{0xff}, 9), []byte{2})
	}},

	{name: "unknown call", code: "tx.unknown_field", bodyWire: action(actor, field(81+1, nil))},
	{name: "number between calls", code: "tx.unknown_field", bodyWire: action(actor, field(59, nil))},
	{name: "two calls", code: "tx.malformed", bodyWire: action(actor, field(36, nil), field(37, nil)), must: "second choice"},
	{name: "unknown field in call", code: "tx.unknown_field", bodyWire: action(actor, field(36, field(2, []byte{1})))},
	{name: "memo not UTF-8", code: "tx.malformed", bodyWire: action(actor, field(32, field(4, []byte{0xff}))), must: "UTF-8"},
	{name: "decimals beyond 32 bits", code: "tx.malformed", bodyWire: action(actor, field(30, protowire.AppendVarint(tag(3, 0), 1<<32)))},
	{name: "unknown enum value", code: "tx.unknown_field", bodyWire: action(actor, field(10, cat(tag(1, 0), []byte{6})))},
	{name: "unknown field deep inside", code: "tx.unknown_field", bodyWire: action(actor,
		field(80, field(1, field(4, field(99, []byte{1})))))},
	{name: "two changes", code: "tx.malformed", bodyWire: action(actor, field(80, field(1, cat(field(2, nil), field(3, nil)))))},

	{name: "network of another", code: "tx.wrong_network", body: func(b *txv1.Body) { b.Network = bytes.Repeat([]byte{7}, 16) }},
	{name: "network of 15 bytes", code: "tx.malformed", body: func(b *txv1.Body) { b.Network = short[:15] }, must: "16 bytes"},
	{name: "no network", code: "tx.malformed", body: func(b *txv1.Body) { b.Network = nil }},
	{name: "no not_after", code: "tx.malformed", body: func(b *txv1.Body) { b.NotAfter = 0 }, must: "not_after"},
	{name: "negative not_after", code: "tx.malformed", body: func(b *txv1.Body) { b.NotAfter = -1 }},
	{name: "once of 31 bytes", code: "tx.malformed", body: func(b *txv1.Body) { b.Once = make([]byte, 31) }, must: "32 bytes"},
	{name: "once of 33 bytes", code: "tx.malformed", body: func(b *txv1.Body) { b.Once = make([]byte, 33) }},
	{name: "no action", code: "tx.no_action", body: func(b *txv1.Body) { b.Actions = nil }},
	{name: "no call", code: "tx.no_action", body: func(b *txv1.Body) { b.Actions[0].Call = nil }},
	{name: "101 actions", code: "tx.too_large", body: func(b *txv1.Body) {
		for range tx.MaxActions {
			b.Actions = append(b.Actions, b.Actions[0])
		}
	}},
	{name: "actor of 19 bytes", code: "tx.malformed", body: func(b *txv1.Body) { b.Actions[0].Actor = make([]byte, 19) }, must: "20 bytes"},
	{name: "no actor", code: "tx.malformed", body: func(b *txv1.Body) { b.Actions[0].Actor = nil }},

	{name: "duplicate witness", code: "tx.duplicate_witness", witness: func(n *txv1.Native) { n.Witnesses = append(n.Witnesses, n.Witnesses[0]) }},
	{name: "duplicate key, other signature", code: "tx.duplicate_witness", witness: func(n *txv1.Native) {
		w := proto.Clone(n.Witnesses[0]).(*txv1.Witness)
		w.Signature[0] ^= 1
		n.Witnesses = append(n.Witnesses, w)
	}},
	{name: "17 witnesses", code: "tx.too_large", witness: func(n *txv1.Native) {
		for i := range byte(tx.MaxWitnesses) {
			w := proto.Clone(n.Witnesses[0]).(*txv1.Witness)
			w.PublicKey[0] += i + 1
			n.Witnesses = append(n.Witnesses, w)
		}
	}},
	{name: "no kind", code: "tx.malformed", witness: func(n *txv1.Native) { n.Witnesses[0].Kind = 0 }},
	{name: "unknown kind", code: "tx.unknown_field", witness: func(n *txv1.Native) { n.Witnesses[0].Kind = 6 }},
	{name: "short key", code: "tx.malformed", witness: func(n *txv1.Native) { n.Witnesses[0].PublicKey = make([]byte, 31) }},
	{name: "short signature", code: "tx.malformed", witness: func(n *txv1.Native) { n.Witnesses[0].Signature = make([]byte, 63) }, must: "64"},
	{name: "no signature", code: "tx.malformed", witness: func(n *txv1.Native) { n.Witnesses[0].Signature = nil }},
	{name: "uncompressed point", code: "tx.malformed", witness: func(n *txv1.Native) {
		n.Witnesses[0].Kind, n.Witnesses[0].PublicKey = accountv1.KeyKind_KEY_KIND_P256, bytes.Repeat([]byte{4}, 33)
	}},
	{name: "ml-dsa-65 key of Ed25519", code: "tx.malformed", witness: func(n *txv1.Native) { n.Witnesses[0].Kind = accountv1.KeyKind_KEY_KIND_ML_DSA_65 }},
	{name: "passkey data on Ed25519", code: "tx.malformed", witness: func(n *txv1.Native) { n.Witnesses[0].ClientDataJson = []byte("{}") }},
	{name: "short authenticator data", code: "tx.malformed", witness: passkey(36, 10)},
	{name: "long authenticator data", code: "tx.malformed", witness: passkey(1025, 10)},
	{name: "no client data", code: "tx.malformed", witness: passkey(37, 0)},
	{name: "long client data", code: "tx.malformed", witness: passkey(37, 2049)},
}

func passkey(auth, client int) func(*txv1.Native) {
	return func(n *txv1.Native) {
		n.Witnesses[0] = &txv1.Witness{
			Kind: accountv1.KeyKind_KEY_KIND_WEBAUTHN, PublicKey: bytes.Repeat([]byte{2}, 33), Signature: bytes.Repeat([]byte{1}, 64),
			AuthenticatorData: make([]byte, auth), ClientDataJson: make([]byte, client),
		}
	}
}

// bytes makes the spoiled transaction.
func (r refusal) bytes(t testing.TB) []byte {
	t.Helper()
	marshal := func(m proto.Message) []byte {
		b, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	s := txtest.Ed25519(1)
	body := transferBody(s)
	body.Network = short
	if r.body != nil {
		r.body(body)
	}
	written := marshal(body)
	if r.bodyWire != nil {
		written = r.bodyWire(written)
	}
	w, err := s.Sign(tx.Digest(txtest.NetworkID, written))
	if err != nil {
		t.Fatal(err)
	}
	native := &txv1.Native{Body: written, Witnesses: []*txv1.Witness{proto.Clone(w).(*txv1.Witness)}}
	if r.witness != nil {
		r.witness(native)
	}
	raw := marshal(&txv1.Transaction{Kind: &txv1.Transaction_Native{Native: native}})
	if r.wire != nil {
		raw = r.wire(raw)
	}
	return raw
}

func TestDecodeRefuses(t *testing.T) {
	if _, err := tx.Decode(txtest.NetworkID, refusal{}.bytes(t), maxBytes); err != nil {
		t.Fatalf("the unspoiled transaction: %v", err)
	}
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			_, err := tx.Decode(txtest.NetworkID, r.bytes(t), maxBytes)
			if fault.Code(err) != r.code || !strings.Contains(err.Error(), r.must) {
				t.Fatalf("got %v, want code %s and a message with %q", err, r.code, r.must)
			}
		})
	}
}

func TestDecodeAcceptsTheLimits(t *testing.T) {
	body := transferBody()
	body.Once = make([]byte, tx.OnceSize)
	for len(body.Actions) < tx.MaxActions {
		body.Actions = append(body.Actions, body.Actions[0])
	}
	signers := make([]tx.Signer, tx.MaxWitnesses)
	for i := range signers {
		signers[i] = txtest.Ed25519(uint64(i))
	}
	raw := mustSign(t, body, signers...)
	if _, err := tx.Decode(txtest.NetworkID, raw, len(raw)); err != nil {
		t.Fatal(err)
	}
	if err := mustDecode(t, raw).Verify(); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Decode(txtest.NetworkID, raw, len(raw)-1); fault.Code(err) != "tx.too_large" {
		t.Fatal(err)
	}
}

// A member of a oneof is written even if it holds its default value: it says which was chosen.
func TestDecodeAcceptsEmptyChoice(t *testing.T) {
	for _, change := range []*networkv1.Change{
		{Kind: &networkv1.Change_RemoveMember{}},
		{Kind: &networkv1.Change_SetPower{SetPower: &networkv1.SetPower{}}},
		{Kind: &networkv1.Change_SetParameters{SetParameters: &networkv1.Parameters{Origins: []string{"", "x", ""}}}},
	} {
		body := transferBody()
		body.Actions[0].Call = &txv1.Action_NetworkPropose{NetworkPropose: &networkv1.Propose{Change: change}}
		if d := mustDecode(t, mustSign(t, body)); !proto.Equal(d.Body.Actions[0].GetNetworkPropose().Change, change) {
			t.Fatalf("%v came back as %v", change, d.Body)
		}
	}
}

func TestWrongNetworkID(t *testing.T) {
	raw := mustSign(t, transferBody())
	for _, id := range []string{"", "test", "test-", "test-0001", strings.ReplaceAll(txtest.NetworkID, "0", "x")} {
		if _, err := tx.Decode(id, raw, maxBytes); fault.Code(err) != "tx.wrong_network" {
			t.Errorf("%q: %v", id, err)
		}
	}
	// Two networks of one genesis hash but different names: the digest tells them apart.
	d, err := tx.Decode("other"+txtest.NetworkID[4:], mustSign(t, transferBody(), txtest.Ed25519(1)), maxBytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Verify(); fault.Code(err) != "tx.bad_signature" {
		t.Fatal(err)
	}
}

func TestSignRefuses(t *testing.T) {
	s := txtest.Ed25519(1)
	two := []tx.Signer{s, s}
	if _, err := tx.Sign(txtest.NetworkID, transferBody(), two...); fault.Code(err) != "tx.duplicate_witness" {
		t.Error(err)
	}
	if _, err := tx.Sign("x", transferBody(), s); fault.Code(err) != "tx.wrong_network" {
		t.Error(err)
	}
	if _, err := tx.Sign(txtest.NetworkID, &txv1.Body{NotAfter: 1}, s); fault.Code(err) != "tx.no_action" {
		t.Error(err)
	}
	body := transferBody()
	body.Actions[0].Call = &txv1.Action_AssetPause{AssetPause: &assetv1.Pause{Asset: "\xff"}}
	if _, err := tx.Sign(txtest.NetworkID, body, s); fault.Code(err) != "tx.malformed" {
		t.Error(err)
	}
	raw := mustSign(t, transferBody(), s)
	if _, err := tx.AddWitness(txtest.NetworkID, raw, s); fault.Code(err) != "tx.duplicate_witness" {
		t.Error(err)
	}
	w, err := txtest.Ed25519(2).Sign([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Attach(txtest.NetworkID, raw, w); fault.Code(err) != "tx.bad_signature" {
		t.Error(err)
	}
}
