package record

import (
	"strings"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/text"
)

// add records a document.
func (m *Module) add(c *exec.Context, call *recordv1.Add) error {
	_, err := put(c, call, nil)
	return err
}

// put stores a new record of the actor; supersedes is the digest of the version before, or nil.
func put(c *exec.Context, call *recordv1.Add, supersedes []byte) (Digest, error) {
	digest, err := toDigest(call.GetDigest())
	if err != nil {
		return digest, err
	}
	if err := check(call); err != nil {
		return digest, err
	}
	place := id{digest, c.Actor}
	if records.Has(c.View, place) {
		return digest, fault.New("record.exists", c.Actor.String()+" has recorded "+digest.String()+" already.", "digest", digest, "recorder", c.Actor)
	}
	records.Set(c.View, place, &recordv1.Record{
		Size: call.GetSize(), MediaType: call.GetMediaType(), Title: call.GetTitle(), Name: call.GetName(),
		RecordedAt: c.Time, Tx: c.Tx[:], State: recordv1.State_STATE_ACTIVE, Supersedes: supersedes, ChangedAt: c.Time,
	})
	c.Emit(&ledgerv1.Event{Kind: &ledgerv1.Event_RecordAdded{
		RecordAdded: &recordv1.Added{Digest: digest[:], Recorder: c.Actor[:]},
	}})
	return digest, nil
}

// check looks at what the recorder says of the file.
func check(call *recordv1.Add) error {
	if err := text.Check("record.bad_text", "title", call.GetTitle(), 1, MaxTitle); err != nil {
		return err
	}
	if err := text.Check("record.bad_text", "name", call.GetName(), 0, MaxName); err != nil {
		return err
	}
	if name := call.GetName(); strings.ContainsAny(name, `/\`) || name == "." || name == ".." {
		return fault.New("record.bad_name", "The name is of a file alone, without folders.", "name", name)
	}
	if t := call.GetMediaType(); !validMediaType(t) {
		return fault.New("record.bad_media_type", "The media type is not of the form type/subtype (RFC 6838), such as application/pdf.", "media_type", t)
	}
	return nil
}

// validMediaType checks RFC 6838 section 4.2: two restricted names and a slash, without parameters.
func validMediaType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	return ok && len(s) <= MaxMediaType && restrictedName(kind) && restrictedName(sub)
}

func restrictedName(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alphanumeric && (i == 0 || !strings.ContainsRune("!#$&-^_.+", rune(c))) {
			return false
		}
	}
	return s != ""
}
