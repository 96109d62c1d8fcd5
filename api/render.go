package api

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// transactionOf is an entry as the API shows it.
func transactionOf(e Entry) *apiv1.Transaction {
	o := outcomeOf(e.Outcome)
	t := &apiv1.Transaction{Id: o.GetId(), Outcome: o, Erased: e.Erased()}
	body, witnesses := e.Body()
	if body == nil {
		return t
	}
	t.NotAfter, t.Once = timestamp(body.GetNotAfter()), hex.EncodeToString(body.GetOnce())
	for _, a := range body.GetActions() {
		t.Actions = append(t.Actions, actionOf(a))
	}
	for _, w := range witnesses {
		key := tx.Key{Kind: w.GetKind(), Public: w.GetPublicKey()}
		t.Witnesses = append(t.Witnesses, &apiv1.Witness{
			Kind: tx.KindName(w.GetKind()), PublicKey: hex.EncodeToString(w.GetPublicKey()), Key: key.Address().String(),
		})
	}
	return t
}

func actionOf(a *txv1.Action) *apiv1.Action {
	name, fields := oneofOf(a.ProtoReflect(), "call")
	return &apiv1.Action{Actor: address(a.GetActor()), Call: name, Arguments: fields}
}

// outcomeOf is an outcome as the API shows it.
func outcomeOf(o *ledgerv1.Outcome) *apiv1.Outcome {
	out := resultOf(o)
	for _, ev := range o.GetEvents() {
		name, fields := oneofOf(ev.ProtoReflect(), "kind")
		out.Events = append(out.Events, &apiv1.Event{Name: name, Action: ev.GetAction(), Fields: fields})
	}
	return out
}

// resultOf is an outcome without its events.
func resultOf(o *ledgerv1.Outcome) *apiv1.Outcome {
	out := &apiv1.Outcome{
		Id: hex.EncodeToString(o.GetId()), Status: enumName(o.GetStatus()), Height: o.GetHeight(), Position: o.GetPosition(),
		Seq: o.GetSeq(), Time: timestamp(o.GetTime()), Work: o.GetWork(),
	}
	if r := o.GetRefusal(); r != nil {
		out.Code, out.Message, out.Action = r.GetCode(), r.GetMessage(), r.GetAction()
		out.Fields = make(map[string]string, len(r.GetFields()))
		for _, f := range r.GetFields() {
			out.Fields[f.GetName()] = f.GetValue()
		}
	}
	return out
}

// oneofOf names the chosen branch of a oneof as module and noun, such as asset.transfer, with its fields.
func oneofOf(m protoreflect.Message, oneof protoreflect.Name) (string, *structpb.Struct) {
	name, inside := branch(m, oneof)
	if inside == nil {
		return "", nil
	}
	return name, structOf(inside)
}

// branch is the chosen message of a oneof and its name, nil if nothing is chosen.
func branch(m protoreflect.Message, oneof protoreflect.Name) (string, protoreflect.Message) {
	fd := m.WhichOneof(m.Descriptor().Oneofs().ByName(oneof))
	if fd == nil {
		return "", nil
	}
	return branchName(fd), m.Get(fd).Message()
}

// branchName is the name of a branch of a oneof as module and noun.
func branchName(fd protoreflect.FieldDescriptor) string {
	return strings.Replace(string(fd.Name()), "_", ".", 1)
}

// structOf shows a message as JSON: names as in the proto file, 20 bytes as an address, 32 as hex digits (ids, digests
// and keys), other bytes as 0x and hex digits, fields that end in _at as RFC 3339, enums by their short name, actions
// inside a proposal as actor and call. Empty fields are left out.
func structOf(m protoreflect.Message) *structpb.Struct {
	out := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !m.Has(fd) {
			continue
		}
		v := m.Get(fd)
		if fd.IsList() {
			list := &structpb.ListValue{}
			for j := range v.List().Len() {
				list.Values = append(list.Values, valueOf(fd, v.List().Get(j)))
			}
			out.Fields[string(fd.Name())] = structpb.NewListValue(list)
			continue
		}
		out.Fields[string(fd.Name())] = valueOf(fd, v)
	}
	return out
}

// maxExact is the largest whole number that JSON readers keep exactly.
const maxExact = 1 << 53

func valueOf(fd protoreflect.FieldDescriptor, v protoreflect.Value) *structpb.Value {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		return structpb.NewStructValue(structOf(v.Message()))
	case protoreflect.BytesKind:
		if fd.Name() == verdictsField {
			return structpb.NewStringValue(verdictsText(v.Bytes()))
		}
		if fd.Name() == "actions" { // of a proposal
			if action, err := tx.DecodeAction(v.Bytes()); err == nil {
				return structpb.NewStructValue(structOf(action.ProtoReflect()))
			}
		}
		return structpb.NewStringValue(bytesText(v.Bytes()))
	case protoreflect.StringKind:
		return structpb.NewStringValue(v.String())
	case protoreflect.BoolKind:
		return structpb.NewBoolValue(v.Bool())
	case protoreflect.EnumKind:
		return structpb.NewStringValue(shortEnum(fd.Enum(), v.Enum()))
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		if v.Uint() > maxExact {
			return structpb.NewStringValue(strconv.FormatUint(v.Uint(), 10))
		}
		return structpb.NewNumberValue(float64(v.Uint()))
	case protoreflect.Int32Kind, protoreflect.Int64Kind, protoreflect.Sint64Kind:
		n := v.Int()
		switch {
		case strings.HasSuffix(string(fd.Name()), "_at"):
			return structpb.NewStringValue(timestamp(n))
		case n > maxExact || n < -maxExact:
			return structpb.NewStringValue(strconv.FormatInt(n, 10))
		}
		return structpb.NewNumberValue(float64(n))
	}
	return structpb.NewNullValue()
}

// bytesText is bytes as text, by their length.
func bytesText(b []byte) string {
	switch len(b) {
	case 0:
		return ""
	case 20:
		return address(b)
	case 32:
		return hex.EncodeToString(b)
	}
	return "0x" + hex.EncodeToString(b)
}

// address is the EIP-55 form of 20 bytes, empty for none.
func address(b []byte) string {
	a, err := tx.ToAddress(b)
	if err != nil {
		return ""
	}
	return a.String()
}

// timestamp is unix milliseconds as RFC 3339 in UTC with milliseconds, empty for 0.
func timestamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// enumName is the short name of an enum value: STATUS_OK is "ok".
func enumName(e protoreflect.Enum) string { return shortEnum(e.Descriptor(), e.Number()) }

func shortEnum(d protoreflect.EnumDescriptor, n protoreflect.EnumNumber) string {
	if d.FullName() == "dure.account.v1.KeyKind" {
		return tx.KindName(accountv1.KeyKind(n))
	}
	v := d.Values().ByNumber(n)
	if v == nil {
		return strconv.Itoa(int(n))
	}
	// Value names start with the enum's name in capitals, by the proto style guide.
	name := strings.ToLower(string(v.Name()))
	prefix := 0
	for i, c := range d.Name() {
		if i > 0 && c >= 'A' && c <= 'Z' {
			prefix++
		}
		prefix++
	}
	if len(name) > prefix+1 {
		return name[prefix+1:]
	}
	return name
}

func protoStruct(m proto.Message) *structpb.Struct { return structOf(m.ProtoReflect()) }
