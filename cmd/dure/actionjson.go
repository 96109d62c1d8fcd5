package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// actionOf shows an action of a body as the API shows actions: 20 bytes as an address, other bytes in hex, fields that
// end in _at as RFC 3339.
func actionOf(action *txv1.Action) *apiv1.Action {
	out := &apiv1.Action{Actor: tx.Address(action.GetActor()).String()}
	m := action.ProtoReflect()
	call := m.WhichOneof(m.Descriptor().Oneofs().ByName("call"))
	if call != nil {
		out.Call = strings.Replace(string(call.Name()), "_", ".", 1)
		out.Arguments = argumentsOf(m.Get(call).Message())
	}
	return out
}

func argumentsOf(m protoreflect.Message) *structpb.Struct {
	out := &structpb.Struct{Fields: map[string]*structpb.Value{}}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.IsList() {
			items := &structpb.ListValue{}
			for i := range v.List().Len() {
				items.Values = append(items.Values, argumentOf(f, v.List().Get(i)))
			}
			out.Fields[string(f.Name())] = structpb.NewListValue(items)
			return true
		}
		out.Fields[string(f.Name())] = argumentOf(f, v)
		return true
	})
	return out
}

func argumentOf(f protoreflect.FieldDescriptor, v protoreflect.Value) *structpb.Value {
	switch {
	case f.Kind() == protoreflect.MessageKind:
		return structpb.NewStructValue(argumentsOf(v.Message()))
	case f.Kind() == protoreflect.BytesKind && f.Name() == "actions": // of a proposal
		if action, err := tx.DecodeAction(v.Bytes()); err == nil {
			return structpb.NewStructValue(argumentsOf(action.ProtoReflect()))
		}
		return structpb.NewStringValue(hex.EncodeToString(v.Bytes()))
	case f.Kind() == protoreflect.BytesKind && len(v.Bytes()) == 20:
		return structpb.NewStringValue(tx.Address(v.Bytes()).String())
	case f.Kind() == protoreflect.BytesKind:
		return structpb.NewStringValue(hex.EncodeToString(v.Bytes()))
	case f.Kind() == protoreflect.EnumKind:
		return structpb.NewStringValue(string(f.Enum().Values().ByNumber(v.Enum()).Name()))
	case f.Kind() == protoreflect.BoolKind:
		return structpb.NewBoolValue(v.Bool())
	case f.Kind() == protoreflect.Int64Kind && strings.HasSuffix(string(f.Name()), "_at"):
		return structpb.NewStringValue(clockTime(time.UnixMilli(v.Int())))
	}
	return structpb.NewStringValue(v.String())
}

// parseActions reads a JSON list of actions, each {"actor": …, "CALL": {…}} with CALL such as asset_transfer and the
// fields of the protobuf definition. Accounts are addresses or names of keys, other bytes hex, times RFC 3339, amounts
// strings of smallest units, as in the API.
func (a *app) parseActions(content []byte) ([]*txv1.Action, error) {
	var items []map[string]any
	if err := json.Unmarshal(content, &items); err != nil {
		return nil, fmt.Errorf("want a JSON list of actions: %w", err)
	}
	out := make([]*txv1.Action, 0, len(items))
	for i, item := range items {
		action := &txv1.Action{}
		translated, err := a.translate(action.ProtoReflect().Descriptor(), item)
		if err != nil {
			return nil, fmt.Errorf("action %d: %w", i+1, err)
		}
		raw, err := json.Marshal(translated)
		if err != nil {
			return nil, err
		}
		if err := protojson.Unmarshal(raw, action); err != nil {
			return nil, fmt.Errorf("action %d: %w", i+1, err)
		}
		if action.GetCall() == nil {
			return nil, fmt.Errorf("action %d: it says who acts, but not what: add for example \"asset_transfer\": {…}", i+1)
		}
		out = append(out, action)
	}
	return out, nil
}

// translate makes protobuf JSON of an object as people write it.
func (a *app) translate(d protoreflect.MessageDescriptor, object map[string]any) (map[string]any, error) {
	out := make(map[string]any, len(object))
	for name, value := range object {
		f := d.Fields().ByName(protoreflect.Name(name))
		if f == nil {
			if f = d.Fields().ByJSONName(name); f == nil {
				return nil, fmt.Errorf("%s has no field %q", d.Name(), name)
			}
		}
		translated, err := a.translateField(f, value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[string(f.Name())] = translated
	}
	return out, nil
}

func (a *app) translateField(f protoreflect.FieldDescriptor, value any) (any, error) {
	text, isText := value.(string)
	object, isObject := value.(map[string]any)
	items, isList := value.([]any)
	switch {
	case f.IsList() && isList:
		out := make([]any, len(items))
		for i, item := range items {
			var err error
			if out[i], err = a.translateField(f, item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case f.Kind() == protoreflect.MessageKind && isObject:
		return a.translate(f.Message(), object)
	case f.Kind() == protoreflect.BytesKind && isText:
		return a.translateBytes(string(f.Name()), text)
	case f.Kind() == protoreflect.Int64Kind && isText && strings.HasSuffix(string(f.Name()), "_at"):
		at, err := time.Parse(time.RFC3339, text)
		return strconv.FormatInt(at.UnixMilli(), 10), err
	}
	return value, nil
}

// accountFields are the fields of bytes that name accounts.
var accountFields = map[string]bool{"actor": true, "to": true, "payee": true, "arbiter": true, "account": true, "recorder": true,
	"address": true, "member": true, "remove_member": true, "device": true, "owner": true,
	"sponsor": true, "guardians": true}

func (a *app) translateBytes(name, text string) (string, error) {
	if accountFields[name] {
		p, err := a.party(text)
		return base64.StdEncoding.EncodeToString(p.address[:]), err
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	return base64.StdEncoding.EncodeToString(raw), err
}
