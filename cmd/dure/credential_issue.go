package main

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
	holderKey, err := a.publicKey(f.to)
	if err != nil {
		return err
	}
	holder, err := standardKey(holderKey)
	if err != nil {
		return err
	}
	c, err := a.ledger()
	if err != nil {
		return err
	}
	network, err := c.Network(ctx)
	if err != nil {
		return err
	}
	schema, err := c.Schema(ctx, f.schema)
	if err != nil {
		return err
	}
	terms := credential.Terms{Issuer: credential.ID{Network: network, Account: issuer.address}, Schema: f.schema, Holder: holder, Issued: a.now().Truncate(time.Second), List: f.list, Decoys: f.decoys}
	if terms.Claims, err = readClaims(schema, f.claims, f.open); err != nil {
		return err
	}
	if terms.NotBefore, err = a.moment("not-before", f.notBefore); err != nil {
		return err
	}
	if terms.Expires, err = a.moment("expires", f.expires); err != nil {
		return err
	}
	ledger := credential.Online(c)
	if _, err := ledger.Right(ctx, issuer.address, f.schema, terms.Issued, a.now()); err != nil {
		return err
	}
	if terms.Index, err = a.statusEntry(cmd, issuer.address, f); err != nil {
		return err
	}
	key, err := a.accountKey(ctx, issuer, f.key)
	if err != nil {
		return err
	}
	public, err := tx.KeyOf(key.Public())
	if err != nil {
		return err
	}
	if _, err := ledger.Key(ctx, issuer.address, public.Address(), terms.Issued); err != nil {
		return err
	}
	text, err := credential.Issue(key, terms, rand.Reader)
	if err != nil {
		return err
	}
	if err := writePrivate(f.out, text); err != nil {
		return err
	}
	return a.print(map[string]any{"file": f.out, "bytes": len(text), "issuer": issuer.address.String(), "schema": f.schema, "holder": holderKey.Address().String(),
		"status_list": terms.List, "status_index": terms.Index, "expires": clockTime(terms.Expires)}, func(w io.Writer) {
		fmt.Fprintf(w, "Issued a credential %s to the key %s.\n", f.schema, a.short(holderKey.Address().String()))
		status := "none: it cannot be revoked"
		if f.list > 0 {
			status = fmt.Sprintf("list %d, entry %d", terms.List, terms.Index)
		}
		printFacts(w, []fact{{"file", f.out + ", readable by you alone"}, {"issuer", issuer.String()}, {"status", status}, {"valid until", clockTime(terms.Expires)},
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

// statusEntry is the credential's entry in the status list: the one named, or one drawn at random of which this home folder does not know that it was used.
func (a *app) statusEntry(cmd *cobra.Command, issuer tx.Address, f issueFlags) (uint32, error) {
	if f.list == 0 {
		if f.index >= 0 {
			return 0, usage("--index is an entry of a list: give --status-list too")
		}
		return 0, nil
	}
	c, err := a.ledger()
	if err != nil {
		return 0, err
	}
	list, _, err := c.StatusList(cmd.Context(), issuer, f.list)
	if err != nil {
		return 0, err
	}
	size := int64(list.Len())
	if f.index >= size {
		return 0, usagef("--index %d: the list has the entries 0 to %d", f.index, size-1)
	}
	used := usedEntries{filepath.Join(a.home, fmt.Sprintf("status-%s-%d.txt", issuer, f.list))}
	if f.index >= 0 {
		return uint32(f.index), used.note(uint32(f.index))
	}
	return used.draw(size)
}

// usedEntries is a file of the entries of a status list that were given out: a line each, the entry and a random mark. It has nothing about holders.
type usedEntries struct{ file string }

// draw picks an entry at random and notes it. Of two that note the same at once, who comes second draws again.
func (u usedEntries) draw(size int64) (uint32, error) {
	taken, err := u.read()
	if err != nil {
		return 0, err
	}
	for range 1000 {
		n, err := rand.Int(rand.Reader, big.NewInt(size))
		if err != nil {
			return 0, err
		}
		index := uint32(n.Int64())
		if _, used := taken[index]; used {
			continue
		}
		if err := u.note(index); err == nil {
			return index, nil
		} else if !errors.Is(err, errEntryUsed) {
			return 0, err
		}
	}
	return 0, failed("The status list is nearly full.", "Open another list for new credentials, or name an entry with --index.")
}

var errEntryUsed = errors.New("the entry of the status list is used already; name another with --index")

// note writes an entry down, and makes sure that nobody did before.
func (u usedEntries) note(index uint32) error {
	mark := make([]byte, 8)
	if _, err := rand.Read(mark); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(u.file), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(u.file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%d %x\n", index, mark)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	taken, err := u.read()
	if err == nil && taken[index] != hex.EncodeToString(mark) {
		err = errEntryUsed
	}
	return err
}

// read lists the entries with the mark of who noted them first.
func (u usedEntries) read() (map[uint32]string, error) {
	file, err := os.Open(u.file)
	if errors.Is(err, os.ErrNotExist) {
		return map[uint32]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	out := map[uint32]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		entry, mark, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseUint(entry, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no entry of a status list", u.file, lines.Text())
		}
		if _, known := out[uint32(n)]; !known {
			out[uint32(n)] = mark
		}
	}
	return out, lines.Err()
}
