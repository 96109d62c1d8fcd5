package tx

import (
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// The walker checks that bytes are the one canonical encoding of a message, before a forgiving decoder sees them (the
// generated one, which is several times as quick as protobuf's by reflection, does not even look at UTF-8): known fields only, in ascending order, singular fields once, of a oneof at most one member, no field
// that holds its default value (save in a oneof, where presence counts), shortest varints in range, UTF-8 strings,
// known enum values. So two nodes, or two implementations, never read different things from the same bytes,
// and a body has one encoding.

// Protobuf wire types in use; groups (3 and 4) never are.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// maxDepth bounds nesting. The schema is not recursive, so newTable checks the bound once and walk needs no counter.
const maxDepth = 8

// wireTable is what the walker knows of a message type. Fields are indexed by number.
type wireTable struct {
	name   protoreflect.Name
	fields []wireField
}

type wireField struct {
	name     protoreflect.Name
	wire     uint8
	known    bool
	repeated bool
	utf8     bool
	max      uint64     // largest value of a varint
	oneof    uint8      // 1 + index of its oneof, 0: none
	sub      *wireTable // of a message field
}

var (
	transactionTable = newTable((*txv1.Transaction)(nil).ProtoReflect().Descriptor(), 0)
	bodyTable        = newTable((*txv1.Body)(nil).ProtoReflect().Descriptor(), 0)
)

// newTable builds the table of a message type. It panics, when the program starts and in every test, on a schema that
// uses what the walker does not check: maps, floats, 32-bit zigzag, packed fields, groups, extensions, recursion.
func newTable(d protoreflect.MessageDescriptor, depth int) *wireTable {
	if depth > maxDepth {
		panic("tx: message " + string(d.FullName()) + " nests too deep")
	}
	t := &wireTable{name: d.Name()}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		n := int(f.Number())
		if n >= len(t.fields) {
			t.fields = append(t.fields, make([]wireField, n+1-len(t.fields))...)
		}
		t.fields[n] = newField(f, depth)
	}
	return t
}

func newField(f protoreflect.FieldDescriptor, depth int) wireField {
	w := wireField{name: f.Name(), known: true, repeated: f.Cardinality() == protoreflect.Repeated}
	if o := f.ContainingOneof(); o != nil {
		w.oneof = uint8(o.Index() + 1)
	}
	switch f.Kind() {
	case protoreflect.MessageKind:
		w.wire, w.sub = wireBytes, newTable(f.Message(), depth+1)
	case protoreflect.BytesKind:
		w.wire = wireBytes
	case protoreflect.StringKind:
		w.wire, w.utf8 = wireBytes, true
	case protoreflect.Int64Kind, protoreflect.Uint64Kind, protoreflect.Sint64Kind: // zigzag maps 64 bits onto 64 bits
		w.wire, w.max = wireVarint, 1<<64-1
	case protoreflect.Uint32Kind:
		w.wire, w.max = wireVarint, 1<<32-1
	case protoreflect.BoolKind:
		w.wire, w.max = wireVarint, 1
	case protoreflect.EnumKind:
		w.wire, w.max = wireVarint, uint64(f.Enum().Values().Len()-1)
		for i := range f.Enum().Values().Len() {
			if int(f.Enum().Values().Get(i).Number()) != i {
				panic("tx: enum " + string(f.Enum().FullName()) + " is not numbered 0, 1, 2, …")
			}
		}
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		w.wire = wireFixed64
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		w.wire = wireFixed32
	default:
		panic("tx: field " + string(f.FullName()) + " is of a kind the walker does not check")
	}
	if f.IsMap() || w.repeated && w.wire != wireBytes || w.oneof > 63 {
		panic("tx: field " + string(f.FullName()) + " is of a shape the walker does not check")
	}
	return w
}

// walk checks that b is the canonical encoding of a message of table t.
func walk(t *wireTable, b []byte) error {
	last, oneofs := uint64(0), uint64(0)
	for i := 0; i < len(b); {
		tag, n := varint(b[i:])
		if n == 0 {
			return malformed(t, "a field tag is cut off or not in its shortest form")
		}
		i += n
		num := tag >> 3
		if num >= uint64(len(t.fields)) || !t.fields[num].known {
			return unknownField(t, num)
		}
		f := &t.fields[num]
		if uint8(tag&7) != f.wire {
			return malformedField(t, f, "has the wrong wire type")
		}
		if num < last {
			return malformedField(t, f, "comes after a field of a higher number; fields go in ascending order")
		}
		if num == last && !f.repeated {
			return malformedField(t, f, "occurs twice")
		}
		last = num
		if f.oneof != 0 {
			if oneofs&(1<<f.oneof) != 0 {
				return malformedField(t, f, "is a second choice where only one may be made")
			}
			oneofs |= 1 << f.oneof
		}
		n, err := walkValue(t, f, b[i:])
		if err != nil {
			return err
		}
		i += n
	}
	return nil
}

// walkValue checks the value of a field at the start of b and returns its length.
func walkValue(t *wireTable, f *wireField, b []byte) (int, error) {
	v, n, isZero := uint64(0), 0, false
	switch f.wire {
	case wireVarint:
		if v, n = varint(b); n == 0 {
			return 0, malformedField(t, f, "is cut off or not in its shortest form")
		}
		if v > f.max {
			return 0, outOfRange(t, f, v)
		}
		isZero = v == 0
	case wireFixed64, wireFixed32:
		if n = 8; f.wire == wireFixed32 {
			n = 4
		}
		if len(b) < n {
			return 0, malformedField(t, f, "is cut off")
		}
		isZero = true
		for _, c := range b[:n] {
			isZero = isZero && c == 0
		}
	case wireBytes:
		if v, n = varint(b); n == 0 || v > uint64(len(b)-n) {
			return 0, malformedField(t, f, "is cut off, or its length is not in its shortest form")
		}
		content := b[n : n+int(v)]
		n += int(v)
		if f.sub != nil {
			return n, walk(f.sub, content)
		}
		if f.utf8 && !utf8.Valid(content) {
			return 0, malformedField(t, f, "is not UTF-8 text")
		}
		isZero = v == 0 && !f.repeated
	}
	if isZero && f.oneof == 0 {
		return 0, malformedField(t, f, "is written out though it has its default value; leave it out")
	}
	return n, nil
}

// varint reads a varint in its shortest form; length 0 means there is none.
func varint(b []byte) (uint64, int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint64(b[0]), 1
	}
	v := uint64(0)
	for i := 0; i < len(b) && i < 10; i++ {
		c := b[i]
		v |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			if c == 0 || i == 9 && c > 1 {
				return 0, 0
			}
			return v, i + 1
		}
	}
	return 0, 0
}

const advice = " Build transactions with a Dure library, or follow docs/transaction.md."

func malformed(t *wireTable, what string) error {
	return fault.New("tx.malformed", fmt.Sprintf("The transaction is not in the format: in %s, %s.%s", t.name, what, advice))
}

func malformedField(t *wireTable, f *wireField, what string) error {
	return fault.New("tx.malformed", fmt.Sprintf("The transaction is not in the format: field %s of %s %s.%s",
		f.name, t.name, what, advice), "field", string(t.name)+"."+string(f.name))
}

func outOfRange(t *wireTable, f *wireField, v uint64) error {
	if f.max < 1<<31 && f.max > 1 {
		return fault.New("tx.unknown_field", fmt.Sprintf("Field %s of %s has value %d, which this version does not know. "+
			"It may be made for a later version of the network.", f.name, t.name, v), "field", string(t.name)+"."+string(f.name))
	}
	return malformedField(t, f, fmt.Sprintf("is out of range: %d, at most %d", v, f.max))
}

func unknownField(t *wireTable, num uint64) error {
	return fault.New("tx.unknown_field", fmt.Sprintf("The transaction has a field %d in %s that this version does not know. "+
		"It may be made for a later version of the network, or damaged.", num, t.name), "message", t.name, "field", num)
}
