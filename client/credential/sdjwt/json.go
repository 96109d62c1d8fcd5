package sdjwt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/dureledger/dure/ledger/fault"
)

// What is read at most. A credential of a person with a picture reference and fifty fields has about 10 KiB.
const (
	MaxText        = 64 << 10
	MaxDisclosures = 256
	MaxDepth       = 16
)

func malformed(what string) error {
	return fault.New("credential.malformed", "This is no credential as RFC 9901 says: "+what+".")
}

func tooLarge(what string) error {
	return fault.New("credential.too_large", "The credential has "+what+". It is not read.")
}

// DecodeObject reads a JSON object and refuses what two readers may read in two ways: members of the same name and anything after its end. Numbers
// are json.Number. Code credential.malformed, credential.too_large.
func DecodeObject(b []byte) (map[string]any, error) {
	v, err := decode(b)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, malformed("an object was expected")
	}
	return object, nil
}

func decode(b []byte) (any, error) {
	if len(b) > MaxText {
		return nil, tooLarge(fmt.Sprintf("a part of %d bytes, more than %d", len(b), MaxText))
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := decodeNext(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, malformed("something follows the end of the JSON")
	}
	return v, nil
}

func decodeNext(d *json.Decoder, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, tooLarge(fmt.Sprintf("objects and arrays nested more than %d deep", MaxDepth))
	}
	t, err := d.Token()
	if err != nil {
		return nil, malformed("it holds text that is not JSON")
	}
	switch t {
	case json.Delim('{'):
		return decodeMembers(d, depth)
	case json.Delim('['):
		out := []any{}
		for d.More() {
			v, err := decodeNext(d, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, closing(d)
	}
	return t, nil
}

func decodeMembers(d *json.Decoder, depth int) (any, error) {
	out := map[string]any{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil, malformed("it holds text that is not JSON")
		}
		if _, twice := out[name]; twice {
			return nil, malformed("a member is there twice in one object")
		}
		if out[name], err = decodeNext(d, depth+1); err != nil {
			return nil, err
		}
	}
	return out, closing(d)
}

func closing(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return malformed("it holds text that is not JSON")
	}
	return nil
}

// encode writes JSON without the escapes for HTML, which would lengthen names of people.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("sdjwt: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
