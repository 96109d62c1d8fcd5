package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/proto"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// agreementFormat names the file format; a change that old readers would misread gets another number.
const agreementFormat = "dure-agreement-1"

// maxAgreement bounds an agreement file, in bytes.
const maxAgreement = 1 << 20

// agreementFile is an agreement as it is passed along. Only Network, Body and Signatures count; the rest is for people
// who open the file, and is made anew from the body whenever it is written.
type agreementFile struct {
	Format     string   `json:"format"`
	Network    string   `json:"network"`
	ID         string   `json:"id"`
	ValidUntil string   `json:"validUntil"`
	Summary    []string `json:"summary"`
	// Body is the serialised dure.tx.v1.Body that everybody signs.
	Body       []byte               `json:"body"`
	Signatures []agreementSignature `json:"signatures"`
}

// agreementSignature is one witness. Key is the address of its key, for people.
type agreementSignature struct {
	Key string `json:"key"`
	// Witness is a serialised dure.tx.v1.Witness.
	Witness []byte `json:"witness"`
}

// agreement is a checked agreement: the body is in the format, and every signature is good.
type agreement struct {
	network string
	tx      *tx.Tx
	// stored is the summary that stood in the file.
	stored []string
}

var errNotAgreement = errors.New("not an agreement file of dure agree")

// decodeAgreement reads an agreement file and checks everything that needs no ledger.
func decodeAgreement(content []byte) (*agreement, error) {
	if len(content) > maxAgreement {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", errNotAgreement, len(content), maxAgreement)
	}
	var f agreementFile
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotAgreement, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something follows it", errNotAgreement)
	}
	if f.Format != agreementFormat {
		return nil, fmt.Errorf("%w: format %q, this version reads %q", errNotAgreement, f.Format, agreementFormat)
	}
	raw, err := proto.Marshal(&txv1.Transaction{Kind: &txv1.Transaction_Native{Native: &txv1.Native{Body: f.Body}}})
	if err != nil {
		return nil, err
	}
	for i, s := range f.Signatures {
		var w txv1.Witness
		if err := proto.Unmarshal(s.Witness, &w); err != nil {
			return nil, fmt.Errorf("signature %d: %w", i+1, err)
		}
		if raw, err = tx.Attach(f.Network, raw, &w); err != nil {
			return nil, fmt.Errorf("signature %d: %w", i+1, err)
		}
	}
	t, err := tx.Decode(f.Network, raw, maxAgreement)
	if err != nil {
		return nil, err
	}
	if id := hex.EncodeToString(t.ID[:]); f.ID != id {
		return nil, fmt.Errorf("the file says it is agreement %.64s, but its body is %s: it was changed", f.ID, id)
	}
	return &agreement{network: f.Network, tx: t, stored: f.Summary}, nil
}

// encode writes the file, with a summary made from the body.
func (g *agreement) encode(summary []string) ([]byte, error) {
	body, err := bodyBytes(g.tx.Raw)
	if err != nil {
		return nil, err
	}
	f := agreementFile{
		Format: agreementFormat, Network: g.network, ID: g.id(), ValidUntil: clockTime(g.validUntil()), Summary: summary,
		Body: body, Signatures: []agreementSignature{},
	}
	for i, w := range g.tx.Witnesses {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(w)
		if err != nil {
			return nil, err
		}
		f.Signatures = append(f.Signatures, agreementSignature{Key: g.tx.Keys()[i].Address().String(), Witness: raw})
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(f)
	return out.Bytes(), err
}

func bodyBytes(raw []byte) ([]byte, error) {
	var t txv1.Transaction
	if err := proto.Unmarshal(raw, &t); err != nil {
		return nil, err
	}
	return t.GetNative().GetBody(), nil
}

func (g *agreement) id() string { return hex.EncodeToString(g.tx.ID[:]) }

func (g *agreement) validUntil() time.Time { return time.UnixMilli(g.tx.Body.GetNotAfter()) }

// signedBy says whether a key has signed.
func (g *agreement) signedBy(key tx.Address) bool {
	for _, k := range g.tx.Keys() {
		if k.Address() == key {
			return true
		}
	}
	return false
}

// actors are the accounts that act, each once, in order.
func (g *agreement) actors() []tx.Address {
	var out []tx.Address
	seen := map[tx.Address]bool{}
	for _, action := range g.tx.Body.GetActions() {
		actor := tx.Address(action.GetActor())
		if !seen[actor] {
			seen[actor] = true
			out = append(out, actor)
		}
	}
	return out
}

// with returns the agreement with other transaction bytes of the same body.
func (g *agreement) with(raw []byte) (*agreement, error) {
	t, err := tx.Decode(g.network, raw, maxAgreement)
	if err != nil {
		return nil, err
	}
	return &agreement{network: g.network, tx: t, stored: g.stored}, nil
}

// merge adds the signatures of another copy of the same agreement.
func (g *agreement) merge(other *agreement) (*agreement, error) {
	if other.network != g.network || other.tx.ID != g.tx.ID {
		return nil, fmt.Errorf("they are two agreements: %s and %s", g.id(), other.id())
	}
	raw := g.tx.Raw
	for i, w := range other.tx.Witnesses {
		if g.signedBy(other.tx.Keys()[i].Address()) {
			continue
		}
		var err error
		if raw, err = tx.Attach(g.network, raw, w); err != nil {
			return nil, err
		}
	}
	return g.with(raw)
}

// summary says in words what the agreement does, for any reader: addresses, not names of keys.
func (a *app) summary(ctx context.Context, g *agreement) []string {
	out := make([]string, 0, len(g.tx.Body.GetActions()))
	plain := *a
	plain.listed, plain.nameless = nil, true
	for _, action := range g.tx.Body.GetActions() {
		out = append(out, plain.actionText(ctx, actionOf(action)))
	}
	return out
}
