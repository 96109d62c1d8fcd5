package credential

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// MaxEvidence is the largest file of proofs that is read, in bytes; one has about 3 KiB a proof.
const MaxEvidence = 1 << 20

// maxProofs is how many proofs a file has at most: an issuer's account, five rights with their holders, a list and a part of it.
const maxProofs = 32

const evidenceVersion = 1

// evidenceFile is how proofs are written.
type evidenceFile struct {
	Version int                `json:"version"`
	Network string             `json:"network"`
	Proofs  []light.StateProof `json:"proofs"`
	// Receipts are of changes of the issuer's key, when the credential is older than the last.
	Receipts [][]byte `json:"receipts,omitempty"`
}

// entry is a value of the state that was proven, or its absence.
type entry struct {
	value  []byte
	exists bool
}

// Evidence answers by proofs of the state, without a node. What it has no proof of it does not say.
type Evidence struct {
	network string
	state   map[string]entry
	// at is the time of the oldest proof, and basis what all rest on.
	at    time.Time
	basis light.Basis
	// fetch gets another proof; nil: those that are here are all.
	fetch  func(key []byte) (light.StateProof, error)
	anchor *light.Anchor
	proofs []light.StateProof

	changes  []provenChange
	receipts [][]byte
}

var _ Ledger = (*Evidence)(nil)

// ReadEvidence reads a file of proofs and verifies each from the anchor. Proofs of before oldest are refused; the zero time takes any.
// Code credential.no_evidence, credential.old_evidence and those of [light.Anchor.VerifyStateProof].
func ReadEvidence(file []byte, anchor *light.Anchor, oldest time.Time) (*Evidence, error) {
	if len(file) > MaxEvidence {
		return nil, fault.New("credential.no_evidence", fmt.Sprintf("The file of proofs has %d bytes, more than %d.", len(file), MaxEvidence))
	}
	var f evidenceFile
	if err := json.Unmarshal(file, &f); err != nil || f.Version != evidenceVersion || len(f.Proofs) == 0 || len(f.Proofs) > maxProofs || len(f.Receipts) > maxReceipts {
		return nil, fault.New("credential.no_evidence", "The file has no proofs that can be read, or more than there should be. Make it anew: dure credential prove.")
	}
	e := &Evidence{network: anchor.Network(), anchor: anchor, state: map[string]entry{}}
	for _, p := range f.Proofs {
		if err := e.add(p); err != nil {
			return nil, err
		}
	}
	for _, receipt := range f.Receipts {
		if err := e.addReceipt(receipt); err != nil {
			return nil, err
		}
	}
	if e.at.Before(oldest) {
		return nil, fault.New("credential.old_evidence", "The proofs are of "+clock(e.at)+", which is too long ago: what was revoked since, they do not say. Ask for newer ones.", "at", e.at.Unix())
	}
	return e, nil
}

// A proof is of the block before the newest, so Prove waits for one that says what the node says: so often, so long.
const (
	proveTries = 20
	proveWait  = 250 * time.Millisecond
)

// Prove asks a node for the proofs that a verifier of the credential needs, and returns them as a file. They are verified from the anchor.
// Codes of [Evidence.Key], [Evidence.Right], [Evidence.Status] and [light.Anchor.VerifyStateProof].
func Prove(ctx context.Context, c *client.Client, of *Credential, anchor *light.Anchor) ([]byte, *Evidence, error) {
	for try := 1; ; try++ {
		e, err := prove(ctx, c, of, anchor)
		if err != nil {
			return nil, nil, err
		}
		if current, err := e.current(ctx, c, of); err != nil {
			return nil, nil, err
		} else if current || try == proveTries {
			file, err := json.Marshal(evidenceFile{evidenceVersion, e.network, e.proofs, e.receipts})
			return file, e, err
		}
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-time.After(proveWait):
		}
	}
}

func prove(ctx context.Context, c *client.Client, of *Credential, anchor *light.Anchor) (*Evidence, error) {
	e := &Evidence{network: anchor.Network(), anchor: anchor, state: map[string]entry{}}
	e.fetch = func(key []byte) (light.StateProof, error) { return c.StateProof(ctx, key) }
	if err := e.proveKey(ctx, c, of); err != nil {
		return nil, err
	}
	if _, err := e.Right(ctx, of.Issuer.Account, of.Schema, of.Issued, of.Issued); err != nil {
		return nil, err
	}
	if of.List > 0 {
		if _, err := e.Status(ctx, of.Issuer.Account, of.List, of.Index); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// current says whether the proofs say of key and status what the node says now.
func (e *Evidence) current(ctx context.Context, c *client.Client, of *Credential) (bool, error) {
	a, err := c.Account(ctx, of.Issuer.Account)
	if err != nil {
		return false, err
	}
	proven := &accountv1.Account{}
	if _, err := e.read(accountKey(of.Issuer.Account), proven); err != nil {
		return false, err
	}
	if key, err := tx.ToAddress(proven.GetKey()); err != nil || key.String() != a.GetKey() || of.List == 0 {
		return err == nil && key.String() == a.GetKey(), nil
	}
	says, err := online{c}.Status(ctx, of.Issuer.Account, of.List, of.Index)
	if err != nil {
		return false, err
	}
	status, err := e.Status(ctx, of.Issuer.Account, of.List, of.Index)
	return status == says, err
}

func (e *Evidence) add(p light.StateProof) error {
	at, err := e.anchor.VerifyStateProof(p, proof.Policy{})
	if err != nil {
		return err
	}
	if e.at.IsZero() || at.Time.Before(e.at) {
		e.at = at.Time
	}
	e.basis = at.Basis
	e.state[string(p.Key)] = entry{p.Value, p.Exists}
	e.proofs = append(e.proofs, p)
	return nil
}

// get finds what is under a raw state key.
func (e *Evidence) get(key []byte) (entry, error) {
	if known, ok := e.state[string(key)]; ok {
		return known, nil
	}
	if e.fetch == nil {
		return entry{}, fault.New("credential.no_evidence", "The file of proofs does not say what is needed to verify this credential: it was made for another. Make one for it: dure credential prove.")
	}
	p, err := e.fetch(key)
	if err != nil {
		return entry{}, err
	}
	if string(p.Key) != string(key) {
		return entry{}, fault.New("credential.no_evidence", "The node proved something else than it was asked for.")
	}
	if err := e.add(p); err != nil {
		return entry{}, err
	}
	return e.state[string(key)], nil
}

// message is a protobuf message of the state.
type message interface{ UnmarshalVT([]byte) error }

// read reads a message of the state, and whether there is one.
func (e *Evidence) read(key []byte, m message) (bool, error) {
	found, err := e.get(key)
	if err != nil || !found.exists {
		return false, err
	}
	if err := m.UnmarshalVT(found.value); err != nil {
		return false, fmt.Errorf("credential: the ledger's state: %w", err)
	}
	return true, nil
}

// The raw state keys of accounts, members, organisations and rights (docs/state.md, modules/account, network and identity).
func accountKey(a tx.Address) []byte      { return append([]byte("Aa"), a[:]...) }
func memberKey(a tx.Address) []byte       { return append([]byte("Nm"), a[:]...) }
func organisationKey(a tx.Address) []byte { return append([]byte("Io"), a[:]...) }
func rightKey(schema string, holder tx.Address) []byte {
	return append(append([]byte("Ir"+schema), 0), holder[:]...)
}

// Network is the ledger's id.
func (e *Evidence) Network(context.Context) (string, error) { return e.network, nil }

// Grounds say from what the proofs were verified, and of when they are.
func (e *Evidence) Grounds() string {
	return fmt.Sprintf("proofs of the state of %s, from %s", e.at.UTC().Format("2006-01-02 15:04:05 UTC"), e.basis)
}

// Right judges by the rights up to the members', each proven.
func (e *Evidence) Right(_ context.Context, issuer tx.Address, schema string, at, now time.Time) (Right, error) {
	return judge(func(holder tx.Address) (*record, error) {
		r := &identityv1.Right{}
		known, err := e.read(rightKey(schema, holder), r)
		if err != nil || !known {
			return nil, err
		}
		out := &record{since: millis(r.GetSinceAt()), ends: millis(r.GetEndsAt()), revoked: millis(r.GetRevokedAt()), reason: reasonWord(r.GetReason()), depth: r.GetDepth()}
		copy(out.giver[:], r.GetGiver())
		return out, e.organisation(holder, out)
	}, issuer, schema, at, now)
}

// organisation ends a right with its holder's being an organisation, or a member.
func (e *Evidence) organisation(holder tx.Address, r *record) error {
	org := &identityv1.Organisation{}
	known, err := e.read(organisationKey(holder), org)
	if err != nil {
		return err
	}
	r.while(millis(org.GetSinceAt()), millis(org.GetDismissedAt()), reasonWord(org.GetDismissReason()))
	if known && org.GetSinceAt() != 0 {
		return nil
	}
	member, err := e.get(memberKey(holder))
	if err == nil && !member.exists {
		r.end(r.since, noOrganisation)
	}
	return err
}

// Status reads the entry from the part of the list that has it.
func (e *Evidence) Status(_ context.Context, issuer tx.Address, list, index uint32) (int, error) {
	head := &identityv1.StatusList{}
	known, err := e.read(statuslist.HeadKey(issuer, list), head)
	switch {
	case err != nil:
		return 0, err
	case !known || !statuslist.Bits(head.GetBits()):
		return 0, noList(issuer, list)
	case index >= head.GetSize():
		return 0, outOfRange(index, head.GetSize())
	}
	place, within := statuslist.PlaceOf(issuer, list, head.GetBits(), index)
	chunk, err := e.get(place.Key())
	if err != nil || !chunk.exists {
		return statuslist.Valid, err
	}
	status, ok := statuslist.List{Bits: head.GetBits(), Entries: chunk.value}.Get(within)
	if !ok {
		return 0, outOfRange(index, head.GetSize())
	}
	return int(status), nil
}

// millis reads a time of the state; 0 is the zero time.
func millis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// reasonWord is a reason as the API says it.
func reasonWord(r identityv1.Reason) string {
	switch r {
	case identityv1.Reason_REASON_ENDED:
		return "ended"
	case identityv1.Reason_REASON_REQUESTED:
		return "requested"
	case identityv1.Reason_REASON_MISTAKE:
		return "mistake"
	case identityv1.Reason_REASON_BREACH:
		return "breach"
	case identityv1.Reason_REASON_COMPROMISED:
		return "compromised"
	}
	return ""
}
