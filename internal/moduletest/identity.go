package moduletest

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/modules/all"
	"github.com/dureledger/dure/modules/identity"
)

// schemaField reads NAME,KIND[,CHOICE|CHOICE…]; KIND is text, number, date, boolean, choice or fact, which is a choice that may be a fact.
func schemaField(word string) (*identityv1.Field, error) {
	parts := strings.Split(word, ",")
	if len(parts) < 2 {
		return nil, fmt.Errorf("want NAME,KIND,CHOICE|CHOICE, not %q", word)
	}
	f := &identityv1.Field{Name: parts[0], TitleKo: "항목 " + parts[0], TitleEn: "Field " + parts[0]}
	kind := strings.TrimSuffix(parts[1], "!")
	f.Fact = kind != parts[1]
	if kind == "fact" {
		kind, f.Fact = "choice", true
	}
	f.Kind = identityv1.FieldKind(identityv1.FieldKind_value["FIELD_KIND_"+strings.ToUpper(kind)])
	if len(parts) > 2 {
		f.Choices = strings.Split(parts[2], "|")
	}
	return f, nil
}

// identities answers which rights and facts hold.
var identities = all.Identity()

// showIdentity answers looks at what modules/identity keeps; ok is false for any other look.
func (p *player) showIdentity(arg func(int) string) (answer string, ok bool, err error) {
	var m proto.Message
	var found bool
	switch arg(0) {
	case "organisation":
		m, found = identity.GetOrganisation(p.View, p.names.add(arg(1)))
	case "schema":
		m, found = identity.GetSchema(p.View, arg(1))
	case "right":
		id := identity.RightID{Schema: arg(1), Holder: p.names.add(arg(2))}
		if m, found = identity.GetRight(p.View, id); found {
			return p.text(m.ProtoReflect()) + "\n" + p.holds(identities.RightAt(p.View, id, p.Now)), true, nil
		}
	case "fact":
		id := identity.FactID{Account: p.names.add(arg(1)), Schema: arg(2), Value: strings.TrimPrefix(arg(3), "-"), Issuer: p.names.add(arg(4))}
		a, there := identity.GetFact(p.View, id)
		if m, found = a, there; found {
			return p.text(m.ProtoReflect()) + "\n" + p.holds(identities.FactAt(p.View, id, a, p.Now)), true, nil
		}
	case "has":
		ago := int64(0)
		if arg(4) != "" {
			if ago, err = duration(arg(4)); err != nil {
				return "", true, err
			}
		}
		return strconv.FormatBool(identities.Has(p.View, p.names.add(arg(1)), arg(2), strings.TrimPrefix(arg(3), "-"), p.Now-ago)), true, nil
	case "list":
		answer, err := p.statusList(arg(1), arg(2))
		return answer, true, err
	case "consent":
		id := identity.ConsentID{Person: p.names.add(arg(1)), Recipient: p.names.add(arg(2)), Digest: sha256.Sum256([]byte(arg(3)))}
		consent, there := identity.GetConsent(p.View, id)
		if m, found = consent, there; found {
			return p.text(m.ProtoReflect()) + "\n" + identity.ConsentState(consent, p.Now), true, nil
		}
	case "service":
		s, err := identities.ServiceAt(p.View, p.names.add(arg(1)), p.Now)
		if err != nil {
			return p.inWords(fault.As(err).Message), true, nil
		}
		m, found = s, true
	default:
		return "", false, nil
	}
	if !found {
		return "none", true, nil
	}
	return p.text(m.ProtoReflect()), true, nil
}

func (p *player) holds(err error) string {
	if err == nil {
		return "holds"
	}
	return p.inWords(fault.As(err).Message)
}

// statusList shows a list and those of its entries that are not 0.
func (p *player) statusList(issuer, number string) (string, error) {
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return "", err
	}
	head, entries, ok := identity.StatusList(p.View, p.names.add(issuer), uint32(n))
	if !ok {
		return "none", nil
	}
	out := p.text(head.ProtoReflect())
	list := statuslist.List{Bits: head.GetBits(), Entries: entries}
	for i := range list.Len() {
		if status, _ := list.Get(i); status != 0 {
			out += fmt.Sprintf("\n  %d: %d", i, status)
			if one, _ := identity.Status(p.View, p.names.add(issuer), uint32(n), i); one != status {
				return "", fmt.Errorf("entry %d is %d by itself", i, one)
			}
		}
	}
	return out, nil
}
