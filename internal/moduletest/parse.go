package moduletest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	streamv1 "github.com/dureledger/dure/gen/dure/stream/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/statuslist"
)

// split cuts a line at spaces outside quotes.
func split(line string) ([]string, error) {
	var words []string
	quoted := false
	word := ""
	for _, r := range line + " " {
		if r == ' ' && !quoted {
			if word != "" {
				words = append(words, word)
			}
			word = ""
			continue
		}
		if r == '"' && !strings.HasSuffix(word, `\`) {
			quoted = !quoted
		}
		word += string(r)
	}
	if quoted {
		return nil, fmt.Errorf("a quote is not closed: %s", line)
	}
	return words, nil
}

// parse reads ACTOR MODULE.ACTION FIELD=VALUE...
func (p *player) parse(words []string) (*txv1.Action, error) {
	actor := p.names.add(words[0])
	action := &txv1.Action{Actor: actor[:]}
	m := action.ProtoReflect()
	field := m.Descriptor().Fields().ByName(protoreflect.Name(strings.ReplaceAll(words[1], ".", "_")))
	if field == nil || field.Message() == nil {
		return nil, fmt.Errorf("there is no action %s", words[1])
	}
	call := m.Mutable(field).Message()
	for _, word := range words[2:] {
		path, value, ok := strings.Cut(word, "=")
		if !ok {
			return nil, fmt.Errorf("want FIELD=VALUE, not %q", word)
		}
		if err := p.set(call, path, value); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return action, nil
}

func (p *player) set(m protoreflect.Message, path, value string) error {
	head, rest, nested := strings.Cut(path, ".")
	fields := m.Descriptor().Fields()
	if head == "key" && fields.ByName("public_key") != nil {
		k := p.names.key(value)
		m.Set(fields.ByName("kind"), protoreflect.ValueOfEnum(protoreflect.EnumNumber(k.Kind)))
		m.Set(fields.ByName("public_key"), protoreflect.ValueOfBytes(k.Public))
		return nil
	}
	if a, ok := m.Interface().(*streamv1.Anchor); ok && head == "read" {
		return p.read(a, value)
	}
	if schema, ok := m.Interface().(*identityv1.RegisterSchema); ok && head == "field" {
		f, err := schemaField(value)
		schema.Fields = append(schema.Fields, f)
		return err
	}
	field := fields.ByName(protoreflect.Name(head))
	switch {
	case field == nil:
		return fmt.Errorf("no field %s in %s", head, m.Descriptor().Name())
	case nested:
		return p.set(m.Mutable(field).Message(), rest, value)
	case field.Kind() == protoreflect.MessageKind && field.IsList():
		return p.add(m.Mutable(field).List(), value)
	case field.Kind() == protoreflect.MessageKind:
		m.Mutable(field) // field=- : there, but empty
		return nil
	}
	v, err := p.value(field, value)
	if err != nil {
		return err
	}
	if field.IsList() {
		m.Mutable(field).List().Append(v)
	} else {
		m.Set(field, v)
	}
	return nil
}

// add appends a message that is written in one word: its fields with commas between.
func (p *player) add(list protoreflect.List, word string) error {
	element := list.NewElement()
	for _, part := range strings.Split(word, ",") {
		path, value, ok := strings.Cut(part, "=")
		if !ok {
			return fmt.Errorf("want FIELD=VALUE,… not %q", word)
		}
		if err := p.set(element.Message(), path, value); err != nil {
			return err
		}
	}
	list.Append(element)
	return nil
}

func (p *player) value(field protoreflect.FieldDescriptor, word string) (v protoreflect.Value, err error) {
	switch field.Kind() {
	case protoreflect.StringKind:
		s, err := unquote(word)
		return protoreflect.ValueOfString(s), err
	case protoreflect.BytesKind:
		b, err := p.bytes(string(field.Name()), word)
		return protoreflect.ValueOfBytes(b), err
	case protoreflect.EnumKind, protoreflect.Uint32Kind:
		n, err := strconv.ParseUint(word, 10, 32)
		if field.Kind() == protoreflect.EnumKind {
			return protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), err
		}
		return protoreflect.ValueOfUint32(uint32(n)), err
	case protoreflect.Uint64Kind:
		n, err := strconv.ParseUint(word, 10, 64)
		return protoreflect.ValueOfUint64(n), err
	case protoreflect.Sint64Kind:
		n, err := strconv.ParseInt(word, 10, 64)
		return protoreflect.ValueOfInt64(n), err
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(word == "true"), nil
	case protoreflect.Int64Kind:
		if after, ok := strings.CutPrefix(word, "+"); ok {
			d, err := duration(after)
			return protoreflect.ValueOfInt64(p.Now + d), err
		}
		n, err := strconv.ParseInt(word, 10, 64)
		return protoreflect.ValueOfInt64(n), err
	}
	return v, fmt.Errorf("scripts cannot write a %s", field.Kind())
}

func (p *player) bytes(field, word string) ([]byte, error) {
	if digits, ok := strings.CutPrefix(word, "hex:"); ok {
		return hex.DecodeString(digits)
	}
	switch field {
	case "digest", "old_digest", "firmware", "pcr_digest":
		sum := sha256.Sum256([]byte(word))
		return p.names.remember(sum[:], word), nil
	case "indexes":
		return indexes(word)
	case "hold":
		return p.names.made("hold", word, 16)
	case "command":
		return p.names.made("command", word, 16)
	case "payload":
		s, err := unquote(word)
		return []byte(s), err
	case "actions":
		return p.proposed(word)
	case "nonce":
		return p.names.made("nonce", word, 32)
	case "evidence":
		return p.token(word)
	case "quote":
		return p.quote(word)
	case "signature":
		return QuoteSignature(word, p.quoted), nil
	case "public_key":
		return p.names.remember(Attester(word).Key().Public, word), nil
	case "node_key", "validator_key":
		return p.names.remember(Key(word).Public, word), nil
	}
	a := p.names.add(word)
	return a[:], nil
}

// indexes reads the indexes of entries of a status list: 1,5,4096.
func indexes(word string) ([]byte, error) {
	var out []byte
	for _, text := range strings.Split(word, ",") {
		n, err := strconv.ParseUint(text, 10, 24)
		if err != nil {
			return nil, err
		}
		out = statuslist.AppendIndexes(out, uint32(n))
	}
	return out, nil
}

// proposed reads an action that a proposal has, written as a line of a script in quotes.
func (p *player) proposed(word string) ([]byte, error) {
	line, err := unquote(word)
	if err != nil {
		return nil, err
	}
	words, err := split(line)
	if err != nil || len(words) < 2 {
		return nil, fmt.Errorf("want \"ACTOR MODULE.ACTION ARGUMENTS\", not %s", word)
	}
	action, err := p.parse(words)
	if err != nil {
		return nil, err
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(action)
}

// unquote reads text, quoted or not, and "text"*N.
func unquote(word string) (string, error) {
	if !strings.HasPrefix(word, `"`) {
		return word, nil
	}
	quoted, err := strconv.QuotedPrefix(word)
	if err != nil {
		return "", err
	}
	s, err := strconv.Unquote(quoted)
	if rest := word[len(quoted):]; err == nil && rest != "" {
		var n int
		n, err = strconv.Atoi(strings.TrimPrefix(rest, "*"))
		s = strings.Repeat(s, n)
	}
	return s, err
}
