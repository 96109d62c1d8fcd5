package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/dureledger/dure/ledger/fault"
)

func TestNewKeepsItsLimits(t *testing.T) {
	kv := []any{"name", strings.Repeat("가", fault.MaxValue), strings.Repeat("n", 1000), 7, "odd"}
	for i := range fault.MaxFields {
		kv = append([]any{fmt.Sprint(i), i}, kv...)
	}
	for _, e := range []*fault.Error{
		fault.New("asset.unknown", strings.Repeat("원", fault.MaxMessage), kv...),
		fault.New("asset.unknown", "a\xffb", kv[2*fault.MaxFields:]...),
	} {
		if len(e.Message) > fault.MaxMessage || !utf8.ValidString(e.Message) || len(e.Fields) > fault.MaxFields {
			t.Errorf("message of %d bytes, %d fields", len(e.Message), len(e.Fields))
		}
		for _, f := range e.Fields {
			if len(f.Name) > fault.MaxValue || len(f.Value) > fault.MaxValue || !utf8.ValidString(f.Name+f.Value) {
				t.Errorf("field %q = %q", f.Name, f.Value)
			}
		}
	}
}

func TestNewPairsNamesAndValues(t *testing.T) {
	e := fault.New("asset.unknown", "There is no such asset.", "asset", "krw", "amount", 12, "left over")
	if len(e.Fields) != 2 || e.Fields[0] != (fault.Field{Name: "asset", Value: "krw"}) || e.Fields[1] != (fault.Field{Name: "amount", Value: "12"}) {
		t.Errorf("fields %v", e.Fields)
	}
	if want := "There is no such asset. [asset.unknown]"; e.Error() != want {
		t.Errorf("%q, want %q", e.Error(), want)
	}
}

func TestCodeAndAs(t *testing.T) {
	refusal := fault.New("asset.unknown", "There is no such asset.")
	var none *fault.Error
	for _, test := range []struct {
		name     string
		err      error
		code, as string
	}{
		{"a refusal", refusal, "asset.unknown", "asset.unknown"},
		{"a wrapped refusal", fmt.Errorf("outer: %w", refusal), "asset.unknown", "asset.unknown"},
		{"one of two joined", errors.Join(errors.New("other"), refusal), "asset.unknown", "asset.unknown"},
		{"another error", errors.New("disk on fire"), "", "internal"},
		{"a nil refusal in an error", none, "", "internal"},
		{"a nil refusal, wrapped", fmt.Errorf("outer: %w", none), "", "internal"},
	} {
		if got := fault.Code(test.err); got != test.code {
			t.Errorf("%s: code %q, want %q", test.name, got, test.code)
		}
		if got := fault.As(test.err); got == nil || got.Code != test.as || got.Message == "" {
			t.Errorf("%s: as %v, want code %q", test.name, got, test.as)
		}
	}
	if fault.Code(nil) != "" || fault.As(nil) != nil {
		t.Error("nil is a refusal")
	}
}
