package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/credential"
	"github.com/dureledger/dure/client/credential/sdjwt"
	apiv1 "github.com/dureledger/dure/gen/dure/api/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// issueFlags are those of credential issue.
type issueFlags struct {
	schema, to, by, key, out string
	claims, open             []string
	list                     uint32
	index                    int64
	notBefore, expires       string
	decoys                   int
}

func credentialIssue(a *app) *cobra.Command {
	var f issueFlags
	cmd := &cobra.Command{
		Use: "issue", Short: "Issue a credential to a holder's key", Args: cobra.NoArgs,
		Long: `Issues a credential of a schema on the ledger, signed with the issuer's key, and writes it to a file for the holder, who is known by a key: the name of one here, or
KIND:HEX as dure key export --public prints it. The ledger is asked for the schema and the issuer's right, and told nothing.

Each claim can be withheld by the holder unless it is named with --open. A claim given twice becomes a list of which each element can be withheld. With --status-list the credential has an
entry in that list of the issuer's, drawn at random from those that were not used from this home folder, so that it can be revoked: keep list and entry, which are printed.
What the claims say is not printed.`,
		Example: `  dure credential issue --by city --schema resident --to alice --claim name=김하늘 --claim district=gimpo --status-list 1 --out alice.cred
  dure credential issue --by school --schema diploma --to ed25519:5f1c… --claim degree=bachelor --open degree --expires 2036-03-01 --out diploma.cred`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.issueCredential(cmd, f) },
	}
	cmd.Flags().StringVar(&f.schema, "schema", "", "what it is: the name of a schema on the ledger (required)")
	cmd.Flags().StringVar(&f.to, "to", "", "the holder's key: its name here, or KIND:HEX; Ed25519 or P-256 (required)")
	a.actorFlag(cmd, &f.by, "by", "the issuer")
	signingKeyFlag(a, cmd, &f.key)
	cmd.Flags().StringArrayVar(&f.claims, "claim", nil, "what it says: FIELD=VALUE; may be repeated")
	cmd.Flags().StringSliceVar(&f.open, "open", nil, "fields that the holder cannot withhold, separated by commas")
	cmd.Flags().Uint32Var(&f.list, "status-list", 0, "number of the issuer's status list that it has an entry in (default none: it can never be revoked)")
	cmd.Flags().Int64Var(&f.index, "index", -1, "its entry in the list (default drawn at random)")
	cmd.Flags().StringVar(&f.notBefore, "not-before", "", "valid from: a day, a time, or a span from now (default now)")
	cmd.Flags().StringVar(&f.expires, "expires", "365d", "valid until: a day, a time, or a span from now")
	cmd.Flags().IntVar(&f.decoys, "decoys", 2, "digests of nothing beside those of claims, so that their number tells less")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "file to write, readable by you alone; it must not exist (required)")
	for _, name := range []string{"schema", "to", "out"} {
		must(cmd.MarkFlagRequired(name))
	}
	must(cmd.RegisterFlagCompletionFunc("to", a.completeKeys))
	return cmd
}

func (a *app) issueCredential(cmd *cobra.Command, f issueFlags) error {
	ctx := cmd.Context()
	issuer, err := a.self(f.by)
	if err != nil {
		return err
	}
	c, err := a.ledger()
	if err != nil {
		return err
	}
	terms, err := a.issueTerms(ctx, c, issuer, f)
	if err != nil {
		return err
	}
	key, err := a.accountKey(ctx, issuer, f.key)
	if err != nil {
		return err
	}
	if err := mayIssue(ctx, c, key, terms); err != nil {
		return err
	}
	if terms.Index, err = a.statusEntry(ctx, c, issuer.address, f); err != nil {
		return err
	}
	text, err := credential.Issue(key, terms, rand.Reader)
	if err != nil {
		return err
	}
	if err := writePrivate(f.out, text); err != nil {
		return err
	}
	return a.printIssued(issuer, terms, f, len(text))
}

// issueTerms reads what the credential shall say, by its schema on the ledger.
func (a *app) issueTerms(ctx context.Context, c *client.Client, issuer party, f issueFlags) (t credential.Terms, err error) {
	holder, err := a.publicKey(f.to)
	if err != nil {
		return t, err
	}
	network, err := c.Network(ctx)
	if err != nil {
		return t, err
	}
	schema, err := c.Schema(ctx, f.schema)
	if err != nil {
		return t, err
	}
	t = credential.Terms{Issuer: credential.ID{Network: network, Account: issuer.address}, Schema: f.schema, Issued: a.now().Truncate(time.Second), List: f.list, Decoys: f.decoys}
	if t.Holder, err = standardKey(holder); err != nil {
		return t, err
	}
	if t.Claims, err = readClaims(schema, f.claims, f.open); err != nil {
		return t, err
	}
	if t.NotBefore, err = a.moment("not-before", f.notBefore); err != nil {
		return t, err
	}
	t.Expires, err = a.moment("expires", f.expires)
	return t, err
}

// mayIssue asks the ledger what a verifier would ask, so that nothing is issued that nobody will take.
func mayIssue(ctx context.Context, c *client.Client, key crypto.Signer, t credential.Terms) error {
	public, err := tx.KeyOf(key.Public())
	if err != nil {
		return err
	}
	ledger := credential.Online(c)
	if _, err := ledger.Right(ctx, t.Issuer.Account, t.Schema, t.Issued, t.Issued); err != nil {
		return err
	}
	_, err = ledger.Key(ctx, t.Issuer.Account, public.Address(), t.Issued)
	return err
}

func (a *app) printIssued(issuer party, t credential.Terms, f issueFlags, size int) error {
	holder, err := tx.KeyOf(t.Holder)
	if err != nil {
		return err
	}
	to := holder.Address().String()
	until, status := "no end", "none: it cannot be revoked"
	if !t.Expires.IsZero() {
		until = clockTime(t.Expires)
	}
	if t.List > 0 {
		status = fmt.Sprintf("list %d, entry %d", t.List, t.Index)
	}
	return a.print(map[string]any{"file": f.out, "bytes": size, "issuer": issuer.address.String(), "schema": t.Schema, "holder": to, "status_list": t.List, "status_index": t.Index, "expires": until},
		func(w io.Writer) {
			fmt.Fprintf(w, "Issued a credential %s to the key %s.\n", t.Schema, a.short(to))
			printFacts(w, []fact{{"file", f.out + ", readable by you alone"}, {"issuer", issuer.String()}, {"status", status}, {"valid until", until},
				{"next", "give the file to its holder; keep list and entry, by which you revoke it"}})
		})
}

// readClaims reads FIELD=VALUE by the kinds that the schema says. Whatever is not named open can be withheld.
func readClaims(schema *apiv1.Schema, given, open []string) (map[string]any, error) {
	claims := map[string]any{}
	lists := map[string][]any{}
	for _, text := range given {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return nil, usage("--claim: want FIELD=VALUE")
		}
		v, err := readClaim(schema, name, value)
		if err != nil {
			return nil, err
		}
		lists[name] = append(lists[name], v)
	}
	for name, values := range lists {
		visible := slices.Contains(open, name)
		switch {
		case len(values) == 1 && visible:
			claims[name] = values[0]
		case len(values) == 1:
			claims[name] = sdjwt.Hide(values[0])
		default:
			if !visible {
				for i := range values {
					values[i] = sdjwt.Hide(values[i])
				}
			}
			claims[name] = values
		}
	}
	for _, name := range open {
		if _, ok := claims[name]; !ok {
			return nil, usagef("--open %s: there is no such claim", name)
		}
	}
	return claims, nil
}

// readClaim reads a value by its field's kind. The value is not repeated in what is said about it: it may be personal.
func readClaim(schema *apiv1.Schema, name, value string) (any, error) {
	at := slices.IndexFunc(schema.GetFields(), func(f *apiv1.SchemaField) bool { return f.GetName() == name })
	if at < 0 {
		var names []string
		for _, f := range schema.GetFields() {
			names = append(names, f.GetName())
		}
		return nil, usagef("--claim %s: the schema %s has no such field; it has: %s", clean(name), schema.GetSchema(), strings.Join(names, ", "))
	}
	field := schema.GetFields()[at]
	bad := func(want string) (any, error) {
		return nil, usagef("--claim %s: the schema wants %s", name, want)
	}
	switch field.GetKind() {
	case "number":
		if n := json.Number(value); json.Valid([]byte(value)) {
			if _, err := n.Float64(); err == nil {
				return n, nil
			}
		}
		return bad("a number")
	case "boolean":
		b, err := strconv.ParseBool(value)
		if err != nil {
			return bad("true or false")
		}
		return b, nil
	case "date":
		if _, err := time.Parse(time.DateOnly, value); err != nil {
			return bad("a day such as 1990-03-31")
		}
	case "choice":
		if !slices.Contains(field.GetChoices(), value) {
			return bad("one of " + strings.Join(field.GetChoices(), ", "))
		}
	}
	return value, nil
}
