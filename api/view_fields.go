package api

import (
	"encoding/hex"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/dureledger/dure/api/web"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// fieldsOf lists a message for people, in the order of the proto file; fields of messages inside are named by both, as
// in new.title. st gives assets their decimals.
func fieldsOf(st state.Reader, m protoreflect.Message, prefix string) []web.Field {
	if m == nil {
		return nil
	}
	var out []web.Field
	fields := m.Descriptor().Fields()
	asset := ""
	if fd := fields.ByName("asset"); fd != nil && fd.Kind() == protoreflect.StringKind {
		asset = m.Get(fd).String()
	}
	for i := range fields.Len() {
		fd := fields.Get(i)
		if !m.Has(fd) {
			continue
		}
		name, v := prefix+string(fd.Name()), m.Get(fd)
		switch {
		case fd.IsList() && fd.Name() == "readings": // the page of their feed has them
			out = append(out, web.Field{Name: name, Value: web.Value{Text: strconv.Itoa(v.List().Len())}})
		case fd.IsList():
			for j := range v.List().Len() {
				out = append(out, fieldOf(st, fd, v.List().Get(j), name+"."+strconv.Itoa(j+1), asset)...)
			}
		default:
			out = append(out, fieldOf(st, fd, v, name, asset)...)
		}
	}
	return out
}

func fieldOf(st state.Reader, fd protoreflect.FieldDescriptor, v protoreflect.Value, name, asset string) []web.Field {
	if fd.Kind() == protoreflect.MessageKind {
		return fieldsOf(st, v.Message(), name+".")
	}
	if fd.Name() == "actions" && fd.Kind() == protoreflect.BytesKind { // of a proposal
		if action, err := tx.DecodeAction(v.Bytes()); err == nil {
			call, m := branch(action.ProtoReflect(), "call")
			return append([]web.Field{{Name: name, Value: web.Value{Text: call}}}, fieldsOf(st, m, name+".")...)
		}
	}
	return []web.Field{{Name: name, Value: viewOf(st, fd, v, asset)}}
}

func viewOf(st state.Reader, fd protoreflect.FieldDescriptor, v protoreflect.Value, asset string) web.Value {
	name := string(fd.Name())
	switch fd.Kind() {
	case protoreflect.BytesKind:
		b := v.Bytes()
		switch {
		case name == verdictsField:
			return web.Value{Text: verdictsText(b)}
		case len(b) == 20 && name != "key":
			return party(st, address(b))
		case len(b) == 32 && (strings.HasSuffix(name, "digest") || name == "by"):
			return web.Value{Kind: "digest", Text: hex.EncodeToString(b)}
		}
		return web.Value{Kind: "id", Text: bytesText(b)}
	case protoreflect.StringKind:
		switch name {
		case "amount", "pay", "paid", "returned", "cap":
			if asset != "" || name != "cap" {
				return amountOf(st, v.String(), asset)
			}
		}
		return web.Value{Text: v.String()}
	case protoreflect.Int64Kind:
		if strings.HasSuffix(name, "_at") {
			return web.Value{Kind: "time", Time: v.Int()}
		}
		return web.Value{Text: strconv.FormatInt(v.Int(), 10)}
	case protoreflect.EnumKind:
		return web.Value{Text: shortEnum(fd.Enum(), v.Enum())}
	}
	return web.Value{Text: v.String()}
}
