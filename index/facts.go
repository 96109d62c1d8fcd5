package index

import (
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Entry is one committed transaction: its outcome and its bytes as executed.
type Entry struct {
	Outcome *ledgerv1.Outcome
	Raw     []byte // nothing if it was erased, as retention does with old anchors
	Rest    []byte // what is left of it then: the transaction without readings and signatures
}

// Erased says that what devices signed and who signed the transaction was erased.
func (e Entry) Erased() bool { return len(e.Raw) == 0 }

// Body is the decoded body of a native transaction, nil for any other kind; of one that was erased, what is left of it. It takes committed bytes, which the
// ledger has checked, and so checks nothing again, and shares their memory.
func (e Entry) Body() (*txv1.Body, []*txv1.Witness) {
	var t txv1.Transaction
	raw := e.Raw
	if e.Erased() {
		raw = e.Rest
	}
	if t.UnmarshalVTUnsafe(raw) != nil || t.GetNative() == nil {
		return nil, nil
	}
	body := &txv1.Body{}
	if body.UnmarshalVTUnsafe(t.GetNative().GetBody()) != nil {
		return nil, nil
	}
	return body, t.GetNative().GetWitnesses()
}

// Facts are what a transaction is found by. Each list is without duplicates, in order of first mention.
type Facts struct {
	Accounts []tx.Address
	Assets   []string
	Digests  [][32]byte
	// Text is every memo, reference, title, name, reason and plea in the actions.
	Text []string
}

// FactsOf collects what an entry names, in its actions whether or not they happened, and in its events.
func FactsOf(e Entry) Facts {
	body, _ := e.Body()
	return factsOf(e.Outcome, body)
}

func factsOf(o *ledgerv1.Outcome, body *txv1.Body) Facts {
	var f Facts
	for _, a := range body.GetActions() {
		f.collect(a.ProtoReflect(), true)
	}
	for _, ev := range o.GetEvents() {
		f.collect(ev.ProtoReflect(), false)
	}
	return f
}

// collect walks a message by the meaning its fields have everywhere on the ledger: 20 bytes are an address, "asset"
// is an asset, 32 bytes named for a digest are one. A new action is thereby indexed without a line here. Only verdicts
// are a byte for each reading, however many there are.
func (f *Facts) collect(m protoreflect.Message, text bool) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.IsMap() {
			return true
		}
		if fd.IsList() {
			for i := range v.List().Len() {
				f.field(fd, v.List().Get(i), text)
			}
			return true
		}
		f.field(fd, v, text)
		return true
	})
}

func (f *Facts) field(fd protoreflect.FieldDescriptor, v protoreflect.Value, text bool) {
	switch fd.Kind() {
	case protoreflect.MessageKind:
		f.collect(v.Message(), text)
	case protoreflect.BytesKind:
		switch b := v.Bytes(); {
		case len(b) == 20 && fd.Name() != "verdicts":
			f.Accounts = add(f.Accounts, tx.Address(b))
		case len(b) == 32 && isDigest(fd.Name()):
			f.Digests = add(f.Digests, [32]byte(b))
		case fd.Name() == "actions": // of a proposal
			if a, err := tx.DecodeAction(b); err == nil {
				f.collect(a.ProtoReflect(), true)
			}
		}
	case protoreflect.StringKind:
		s := v.String()
		switch {
		case s == "":
		case fd.Name() == "asset":
			f.Assets = add(f.Assets, s)
		case text && isText(fd.Name()):
			f.Text = add(f.Text, s)
		}
	}
}

func isDigest(name protoreflect.Name) bool {
	return name == "digest" || name == "old_digest" || name == "by"
}

func isText(name protoreflect.Name) bool {
	switch name {
	case "memo", "reference", "title", "name", "reason", "text":
		return true
	}
	return false
}

func add[T comparable](list []T, v T) []T {
	if slices.Contains(list, v) {
		return list
	}
	return append(list, v)
}
