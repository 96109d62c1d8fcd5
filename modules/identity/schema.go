package identity

import (
	"fmt"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/text"
)

// registerSchema registers a schema. That gives nobody the right to issue it, not even the registrar.
func (m *Module) registerSchema(c *exec.Context, call *identityv1.RegisterSchema) error {
	if err := m.mustBeOrganisation(c.View, c.Actor); err != nil {
		return err
	}
	s := &identityv1.Schema{
		Registrar: c.Actor[:], TitleKo: call.GetTitleKo(), TitleEn: call.GetTitleEn(), Digest: call.GetDigest(), Fact: call.GetFact(),
		Fields: call.GetFields(), RegisteredAt: c.Time,
	}
	if err := checkSchema(call.GetSchema(), s); err != nil {
		return err
	}
	if schemas.Has(c.View, call.GetSchema()) {
		return fault.New("identity.schema_exists", "There is a schema "+call.GetSchema()+" already. What is registered never changes: give the next version a name of its own.", "schema", call.GetSchema())
	}
	schemas.Set(c.View, call.GetSchema(), s)
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_IdentitySchemaRegistered{
		IdentitySchemaRegistered: &identityv1.SchemaRegistered{Schema: call.GetSchema(), Registrar: c.Actor[:]},
	}})
	return nil
}

// checkSchema checks a schema by itself.
func checkSchema(name string, s *identityv1.Schema) error {
	if !isName(name, MaxSchema, "-._") {
		return fault.New("identity.bad_schema", fmt.Sprintf("A schema is named by 1 to %d of a-z, 0-9, '-', '.' and '_', a letter first.", MaxSchema), "schema", name)
	}
	if err := checkTitles("schema", s.GetTitleKo(), s.GetTitleEn()); err != nil {
		return err
	}
	if _, err := toDigest(s.GetDigest()); err != nil {
		return err
	}
	if n := len(s.GetFields()); n > MaxFields {
		return badField("", fmt.Sprintf("A schema has at most %d fields, not %d.", MaxFields, n))
	}
	fields, choices := map[string]bool{}, map[string]bool{}
	for _, f := range s.GetFields() {
		if fields[f.GetName()] {
			return badField(f.GetName(), "Two fields of the schema have this name.")
		}
		fields[f.GetName()] = true
		if err := checkField(f, choices); err != nil {
			return err
		}
	}
	return nil
}

// checkField checks a field and adds its choices to those of the schema's facts before it.
func checkField(f *identityv1.Field, facts map[string]bool) error {
	if !isName(f.GetName(), MaxFieldName, "_") {
		return badField(f.GetName(), fmt.Sprintf("A field is named by 1 to %d of a-z, 0-9 and '_', a letter first.", MaxFieldName))
	}
	if err := checkTitles("field", f.GetTitleKo(), f.GetTitleEn()); err != nil {
		return err
	}
	choice := f.GetKind() == identityv1.FieldKind_FIELD_KIND_CHOICE
	_, known := identityv1.FieldKind_name[int32(f.GetKind())]
	switch {
	case !known || f.GetKind() == identityv1.FieldKind_FIELD_KIND_UNSPECIFIED:
		return badField(f.GetName(), "Say what it holds: text, a number, a date, a yes or no, or one of its choices.")
	case choice != (len(f.GetChoices()) > 0), len(f.GetChoices()) > MaxChoices:
		return badField(f.GetName(), fmt.Sprintf("A field of choices has 1 to %d of them, any other none.", MaxChoices))
	case f.GetFact() && !choice:
		return badField(f.GetName(), "Only a field of choices may be a fact on the ledger: anything else might be personal, and the ledger forgets nothing.")
	}
	own := map[string]bool{}
	for _, c := range f.GetChoices() {
		if !isName(c, MaxChoice, "-") || hasLongNumber(c) {
			return badField(f.GetName(), fmt.Sprintf("A choice is 1 to %d of a-z, 0-9 and '-', a letter first and no five digits in a row.", MaxChoice))
		}
		if own[c] || f.GetFact() && facts[c] {
			return badField(f.GetName(), "The choice "+c+" is there twice.")
		}
		own[c] = true
		if f.GetFact() {
			facts[c] = true
		}
	}
	return nil
}

func badField(name, what string) error {
	return fault.New("identity.bad_field", what, "field", name)
}

func checkTitles(what, ko, en string) error {
	if err := text.Check("identity.bad_text", "Korean title of a "+what, ko, 1, MaxTitle); err != nil {
		return err
	}
	return text.Check("identity.bad_text", "English title of a "+what, en, 1, MaxTitle)
}

// isName says whether s is 1 to most of a-z, 0-9 and others, a letter first.
func isName(s string, most int, others string) bool {
	for i := range len(s) {
		b := s[i]
		if b >= 'a' && b <= 'z' || i > 0 && b >= '0' && b <= '9' {
			continue
		}
		if i == 0 || !contains(others, b) {
			return false
		}
	}
	return s != "" && len(s) <= most
}

func contains(s string, b byte) bool {
	for i := range len(s) {
		if s[i] == b {
			return true
		}
	}
	return false
}

// hasLongNumber finds what could be part of a telephone or account number.
func hasLongNumber(s string) bool {
	run := 0
	for i := range len(s) {
		if run++; s[i] < '0' || s[i] > '9' {
			run = 0
		}
		if run == 5 {
			return true
		}
	}
	return false
}

// isFact says whether a value may be attested of a schema; the empty one stands for the schema itself.
func isFact(s *identityv1.Schema, value string) bool {
	if value == "" {
		return s.GetFact()
	}
	for _, f := range s.GetFields() {
		if !f.GetFact() {
			continue
		}
		for _, c := range f.GetChoices() {
			if c == value {
				return true
			}
		}
	}
	return false
}

func mustBeSchema(g state.Getter, name string) error {
	if !schemas.Has(g, name) {
		return unknownSchema(name)
	}
	return nil
}

func unknownSchema(name string) error {
	return fault.New("identity.unknown_schema", "There is no schema "+clipped(name)+". An organisation registers it first.", "schema", clipped(name))
}

// clipped keeps what a message repeats of a name that nobody checked short.
func clipped(name string) string {
	if !isName(name, MaxSchema, "-._") {
		return "of this name"
	}
	return name
}
