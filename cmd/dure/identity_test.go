package main

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
)

// A schema's file says what its fields are in words; the digest is that of the JSON schema, or else of the file itself.
func TestSchemaFile(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const good = `{"title_ko": "가게", "title_en": "Shop", "fields": [
		{"name": "owner", "title_ko": "대표자", "title_en": "Owner", "kind": "text"},
		{"name": "kind", "title_ko": "업종", "title_en": "Kind", "kind": "choice", "fact": true, "choices": ["food", "books"]}]}`
	file, form := write("shop.json", good), write("form.json", `{"type": "object"}`)
	s, err := readSchema("shop", file, "")
	if err != nil {
		t.Fatal(err)
	}
	own := sha256.Sum256([]byte(good))
	if f := s.GetFields(); s.GetTitleKo() != "가게" || len(f) != 2 || f[0].GetKind() != identityv1.FieldKind_FIELD_KIND_TEXT || f[0].GetFact() ||
		!f[1].GetFact() || len(f[1].GetChoices()) != 2 || string(s.GetDigest()) != string(own[:]) {
		t.Errorf("%v", s)
	}
	other := sha256.Sum256([]byte(`{"type": "object"}`))
	if s, err = readSchema("shop", file, form); err != nil || string(s.GetDigest()) != string(other[:]) {
		t.Errorf("with a JSON schema: %v, %v", s, err)
	}
	for what, text := range map[string]string{
		"no JSON": "shop", "an unknown name": `{"title": "Shop"}`, "an unknown kind": strings.Replace(good, `"text"`, `"photo"`, 1), "no kind": strings.Replace(good, `"text"`, `""`, 1),
		"the kind that is none": strings.Replace(good, `"text"`, `"unspecified"`, 1),
	} {
		if _, err := readSchema("shop", write("bad.json", text), ""); err == nil {
			t.Errorf("%s is read", what)
		}
	}
}

func TestIdentityWords(t *testing.T) {
	for word, want := range map[string]uint32{"valid": 0, "invalid": 1, "suspended": 2, "3": 3, "255": 255} {
		if got, err := parseStatus(word); err != nil || got != want {
			t.Errorf("%s: %d, %v", word, got, err)
		}
	}
	for _, word := range []string{"", "revoked", "256", "-1"} {
		if _, err := parseStatus(word); err == nil {
			t.Errorf("the status %q is read", word)
		}
	}
	if r, err := readReason("breach"); err != nil || r != identityv1.Reason_REASON_BREACH {
		t.Errorf("breach: %v, %v", r, err)
	}
	for _, word := range []string{"", "unspecified", "because"} {
		if _, err := readReason(word); err == nil {
			t.Errorf("the reason %q is read", word)
		}
	}
	if statusName(1) != "invalid" || statusName(7) != "7" {
		t.Errorf("%s, %s", statusName(1), statusName(7))
	}
}
