package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"strings"

	"github.com/spf13/cobra"

	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
)

// maxSchemaFile bounds a schema's files, in bytes.
const maxSchemaFile = 256 << 10

func idSchema(a *app) *cobra.Command {
	var by, register, jsonSchema string
	var limit int
	var f writeFlags
	cmd := &cobra.Command{
		Use: "schema [SCHEMA]", Short: "List schemas, show one, or register one", Args: cobra.MaximumNArgs(1),
		Long: `Without SCHEMA lists what is registered. With --register it registers a schema of your organisation from a file:

  {"title_ko": "가게", "title_en": "Shop", "fact": false, "fields": [
    {"name": "name", "title_ko": "이름", "title_en": "Name", "kind": "text"},
    {"name": "kind", "title_ko": "업종", "title_en": "Kind of shop", "kind": "choice", "fact": true, "choices": ["food", "books"]}]}

A kind is text, number, date, boolean or choice. Only a field of choices may be a fact on the ledger; "fact" of the schema says that it may be attested by itself,
without a value. What is registered is public and never changes. The digest is that of --json-schema, or else of the file.`,
		Example: "  dure id schema\n  dure id schema shop\n  dure id schema shop --register shop.json --json-schema shop.schema.json --by gimpo",
		RunE: func(cmd *cobra.Command, args []string) error {
			name := strings.Join(args, "")
			switch {
			case register == "" && jsonSchema != "":
				return usage("--json-schema goes with --register")
			case register == "" && name == "":
				return a.listSchemas(cmd, limit)
			case register == "":
				return a.showSchema(cmd, name)
			case name == "":
				return usage("say the name of the SCHEMA to be registered")
			}
			s, err := readSchema(name, register, jsonSchema)
			if err != nil {
				return err
			}
			w, err := a.begin(cmd.Context(), by)
			if err != nil {
				return err
			}
			w.draft.RegisterSchema(w.actor.address, s)
			w.done = "Registered the schema " + name
			w.after = func(out io.Writer, _ *apiv1.Outcome) {
				printFacts(out, []fact{{"next       ", "dure id licence give " + name + " ORGANISATION --until 365d --vote"}})
			}
			return a.finish(cmd.Context(), &f, w)
		},
	}
	a.actorFlag(cmd, &by, "by", "the organisation")
	cmd.Flags().StringVar(&register, "register", "", "register the schema that this file describes")
	cmd.Flags().StringVar(&jsonSchema, "json-schema", "", "the JSON schema of its credentials, whose digest is registered")
	for _, name := range []string{"register", "json-schema"} {
		must(cmd.MarkFlagFilename(name, "json"))
	}
	limitFlag(cmd, &limit)
	f.register(a, cmd)
	return cmd
}

// readSchema reads the file of a schema and the one whose digest it has.
func readSchema(name, path, jsonSchema string) (*identityv1.RegisterSchema, error) {
	raw, err := readSmall(path, maxSchemaFile)
	if err != nil {
		return nil, err
	}
	file := struct {
		TitleKo string `json:"title_ko"`
		TitleEn string `json:"title_en"`
		Fact    bool   `json:"fact"`
		Fields  []struct {
			Name    string   `json:"name"`
			TitleKo string   `json:"title_ko"`
			TitleEn string   `json:"title_en"`
			Kind    string   `json:"kind"`
			Fact    bool     `json:"fact"`
			Choices []string `json:"choices"`
		} `json:"fields"`
	}{}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, usage(path + ": " + err.Error())
	}
	if jsonSchema != "" {
		if raw, err = readSmall(jsonSchema, maxSchemaFile); err != nil {
			return nil, err
		}
	}
	digest := sha256.Sum256(raw)
	out := &identityv1.RegisterSchema{Schema: name, TitleKo: file.TitleKo, TitleEn: file.TitleEn, Fact: file.Fact, Digest: digest[:]}
	for _, f := range file.Fields {
		kind, ok := identityv1.FieldKind_value["FIELD_KIND_"+strings.ToUpper(f.Kind)]
		if !ok || kind == 0 {
			return nil, usage(path + ": field " + f.Name + ": a kind is text, number, date, boolean or choice")
		}
		out.Fields = append(out.Fields, &identityv1.Field{
			Name: f.Name, TitleKo: f.TitleKo, TitleEn: f.TitleEn, Kind: identityv1.FieldKind(kind), Fact: f.Fact, Choices: f.Choices})
	}
	return out, nil
}

func (a *app) listSchemas(cmd *cobra.Command, limit int) error {
	c, err := a.ledger()
	if err != nil {
		return err
	}
	return list[*apiv1.Schema]{
		heading: []string{"SCHEMA", "TITLE", "", "REGISTRAR", "REGISTERED"}, none: "No schemas.", limit: limit,
		row: func(s *apiv1.Schema) []string {
			return []string{clean(s.GetSchema()), clean(s.GetTitleKo()), clean(s.GetTitleEn()), a.short(s.GetRegistrar()), s.GetRegisteredAt()}
		},
	}.show(a, c.Schemas(cmd.Context()))
}

func (a *app) showSchema(cmd *cobra.Command, name string) error {
	c, err := a.ledger()
	if err != nil {
		return err
	}
	s, err := c.Schema(cmd.Context(), name)
	if err != nil {
		return err
	}
	return a.print(s, func(w io.Writer) {
		alone := ""
		if s.GetFact() {
			alone = "by itself"
		}
		facts := []fact{{"schema", clean(s.GetSchema())}, {"title", clean(s.GetTitleKo()) + " / " + clean(s.GetTitleEn())}, {"registrar", a.short(s.GetRegistrar())},
			{"registered", s.GetRegisteredAt()}, {"digest", s.GetDigest()}, {"may be a fact", alone}}
		for _, f := range s.GetFields() {
			facts = append(facts, fact{"field", fieldText(f)})
		}
		printFacts(w, facts)
	})
}

// fieldText is a field of a schema in one line.
func fieldText(f *apiv1.SchemaField) string {
	text := f.GetName() + ", " + f.GetTitleKo() + " / " + f.GetTitleEn() + ": " + f.GetKind()
	if len(f.GetChoices()) > 0 {
		text += " of " + strings.Join(f.GetChoices(), ", ")
	}
	if f.GetFact() {
		text += "; may be a fact"
	}
	return clean(text)
}
