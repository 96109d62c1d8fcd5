package identity

import (
	"bytes"
	"encoding/binary"
	"errors"

	identityv1 "github.com/dureledger/dure/gen/dure/identity/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/statuslist"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits, in bytes, count and milliseconds.
const (
	MaxName      = 64
	MaxContact   = 200
	MaxTitle     = 200
	MaxSchema    = 64
	MaxFields    = 32
	MaxFieldName = 32
	MaxChoices   = 64
	MaxChoice    = 32
	// MaxDepth is how often a right that the members gave may be passed on.
	MaxDepth = 4
	// MaxFacts is how many facts of a schema an account may have, those that ended included.
	MaxFacts = 16
	// MaxIndexes is how many entries of a status list one action sets.
	MaxIndexes = 4096
	// MaxURIs is how many addresses of a kind a service has, MaxServiceKeys how many keys, MaxItems what it may ask for, each of MaxItem bytes.
	MaxURIs        = 8
	MaxServiceKeys = 2
	MaxItems       = 8
	MaxItem        = 32
	// MaxAheadMs is how far ahead rights, facts and consents may end: ten years of 365 days.
	MaxAheadMs = 10 * 365 * 24 * 60 * 60 * 1000
)

// RightID names a right to issue: of a schema, held by an organisation.
type RightID struct {
	Schema string
	Holder tx.Address
}

// FactID names a fact: what an issuer attests of an account.
type FactID struct {
	Account tx.Address
	Schema  string
	Value   string
	Issuer  tx.Address
}

// ListID names a status list of an issuer.
type ListID struct {
	Issuer tx.Address
	List   uint32
}

// ConsentID names what a person agreed to, and towards whom.
type ConsentID struct {
	Person    tx.Address
	Recipient tx.Address
	Digest    [32]byte
}

var (
	addresses = state.Codec[tx.Address]{
		Append: func(b []byte, a tx.Address) []byte { return append(b, a[:]...) },
		Decode: tx.ToAddress,
	}
	// Names end in a zero byte in keys, so that shop is no prefix of shop2.
	names = state.Codec[string]{
		Append: appendName,
		Decode: func(b []byte) (string, error) {
			name, rest, err := cutName(b)
			if err == nil && len(rest) > 0 {
				err = errors.New("something follows the name")
			}
			return name, err
		},
	}
	rightIDs = state.Codec[RightID]{
		Append: func(b []byte, r RightID) []byte { return append(appendName(b, r.Schema), r.Holder[:]...) },
		Decode: func(b []byte) (r RightID, err error) {
			var rest []byte
			if r.Schema, rest, err = cutName(b); err != nil {
				return r, err
			}
			r.Holder, err = tx.ToAddress(rest)
			return r, err
		},
	}
	factIDs = state.Codec[FactID]{
		Append: func(b []byte, f FactID) []byte {
			return append(appendName(appendName(append(b, f.Account[:]...), f.Schema), f.Value), f.Issuer[:]...)
		},
		Decode: func(b []byte) (f FactID, err error) {
			if len(b) < 20 {
				return f, errors.New("want an account")
			}
			f.Account = tx.Address(b[:20])
			rest := b[20:]
			if f.Schema, rest, err = cutName(rest); err != nil {
				return f, err
			}
			if f.Value, rest, err = cutName(rest); err != nil {
				return f, err
			}
			f.Issuer, err = tx.ToAddress(rest)
			return f, err
		},
	}
	listIDs = state.Codec[ListID]{
		Append: func(b []byte, l ListID) []byte {
			return binary.BigEndian.AppendUint32(append(b, l.Issuer[:]...), l.List)
		},
		Decode: func(b []byte) (ListID, error) {
			if len(b) != 24 {
				return ListID{}, errors.New("want an address and a list in 24 bytes")
			}
			return ListID{tx.Address(b[:20]), binary.BigEndian.Uint32(b[20:])}, nil
		},
	}
	places = state.Codec[statuslist.Place]{
		Append: func(b []byte, p statuslist.Place) []byte { return p.Append(b) },
		Decode: statuslist.ReadPlace,
	}
	consentIDs = state.Codec[ConsentID]{
		Append: func(b []byte, c ConsentID) []byte {
			return append(append(append(b, c.Person[:]...), c.Recipient[:]...), c.Digest[:]...)
		},
		Decode: func(b []byte) (ConsentID, error) {
			if len(b) != 72 {
				return ConsentID{}, errors.New("want two addresses and a digest in 72 bytes")
			}
			return ConsentID{tx.Address(b[:20]), tx.Address(b[20:40]), [32]byte(b[40:])}, nil
		},
	}

	organisations = state.NewMap("Io", addresses, state.Proto[identityv1.Organisation]())
	schemas       = state.NewMap("Is", names, state.Proto[identityv1.Schema]())
	rights        = state.NewMap("Ir", rightIDs, state.Proto[identityv1.Right]())
	facts         = state.NewMap("Ia", factIDs, state.Proto[identityv1.Attribute]())
	lists         = state.NewMap(statuslist.HeadPrefix, listIDs, state.Proto[identityv1.StatusList]())
	chunks        = state.NewMap(statuslist.ChunkPrefix, places, state.Bytes)
	consents      = state.NewMap("Ig", consentIDs, state.Proto[identityv1.Consent]())
	services      = state.NewMap("Iv", addresses, state.Proto[identityv1.StoredService]())
)

func appendName(b []byte, name string) []byte { return append(append(b, name...), 0) }

func cutName(b []byte) (name string, rest []byte, err error) {
	i := bytes.IndexByte(b, 0)
	if i < 0 {
		return "", nil, errors.New("want a name and a zero byte")
	}
	return string(b[:i]), b[i+1:], nil
}

// Accounts says which accounts there are.
type Accounts interface {
	// Exists says whether an account is open, frozen or not.
	Exists(g state.Getter, a tx.Address) bool
	// IsFrozen says whether an account is frozen at a time in unix milliseconds.
	IsFrozen(g state.Getter, a tx.Address, now int64) bool
	// AgreesOrSponsor says whether the transaction shows that an account, or the one that answers for it, wants what is done: it acts, or
	// enough of its keys have signed.
	AgreesOrSponsor(c *exec.Context, a tx.Address) bool
}

// Members says who the members of the network are.
type Members interface {
	// IsMember says whether the account is a member's now.
	IsMember(g state.Getter, a tx.Address) bool
}

// Module is the identity module.
type Module struct {
	accounts Accounts
	members  Members
}

var (
	_ exec.Module   = (*Module)(nil)
	_ exec.Screener = (*Module)(nil)
)

// New makes the module.
func New(accounts Accounts, members Members) *Module { return &Module{accounts, members} }

// Name is the module's name.
func (m *Module) Name() string { return "identity" }

// Handlers lists the module's actions.
func (m *Module) Handlers() []exec.Handler {
	return []exec.Handler{
		exec.Handle("identity.admit", 1, func(c *txv1.Action_IdentityAdmit) *identityv1.Admit { return c.IdentityAdmit }, m.admit),
		exec.Handle("identity.dismiss", 1, func(c *txv1.Action_IdentityDismiss) *identityv1.Dismiss { return c.IdentityDismiss }, m.dismiss),
		exec.Handle("identity.describe", 1, func(c *txv1.Action_IdentityDescribe) *identityv1.Describe { return c.IdentityDescribe }, m.describe),
		exec.Handle("identity.register_schema", 1, func(c *txv1.Action_IdentityRegisterSchema) *identityv1.RegisterSchema {
			return c.IdentityRegisterSchema
		}, m.registerSchema),
		exec.Handle("identity.delegate", 1, func(c *txv1.Action_IdentityDelegate) *identityv1.Delegate { return c.IdentityDelegate }, m.delegate),
		exec.Handle("identity.revoke", 1, func(c *txv1.Action_IdentityRevoke) *identityv1.Revoke { return c.IdentityRevoke }, m.revoke),
		exec.Handle("identity.attest", 1, func(c *txv1.Action_IdentityAttest) *identityv1.Attest { return c.IdentityAttest }, m.attest),
		exec.Handle("identity.withdraw", 1, func(c *txv1.Action_IdentityWithdraw) *identityv1.Withdraw { return c.IdentityWithdraw }, m.withdraw),
		exec.Handle("identity.open_list", 1, func(c *txv1.Action_IdentityOpenList) *identityv1.OpenList { return c.IdentityOpenList }, m.openList),
		exec.Handle("identity.set_status", 1, func(c *txv1.Action_IdentitySetStatus) *identityv1.SetStatus { return c.IdentitySetStatus }, m.setStatus),
		exec.Handle("identity.give_consent", 1, func(c *txv1.Action_IdentityGiveConsent) *identityv1.GiveConsent {
			return c.IdentityGiveConsent
		}, m.giveConsent),
		exec.Handle("identity.withdraw_consent", 1, func(c *txv1.Action_IdentityWithdrawConsent) *identityv1.WithdrawConsent {
			return c.IdentityWithdrawConsent
		}, m.withdrawConsent),
		exec.Handle("identity.set_service", 1, func(c *txv1.Action_IdentitySetService) *identityv1.SetService { return c.IdentitySetService }, m.setService),
		exec.Handle("identity.remove_service", 1, func(c *txv1.Action_IdentityRemoveService) *identityv1.RemoveService {
			return c.IdentityRemoveService
		}, m.removeService),
	}
}

func toAddress(field string, b []byte) (tx.Address, error) {
	a, err := tx.ToAddress(b)
	if err != nil {
		return a, fault.New("identity.bad_address", "The "+field+" is not a 20-byte address.", "field", field, "bytes", len(b))
	}
	return a, nil
}

// account reads the address of an account that is open.
func (m *Module) account(g state.Getter, field string, b []byte) (tx.Address, error) {
	a, err := toAddress(field, b)
	if err == nil && !m.accounts.Exists(g, a) {
		err = fault.New("identity.unknown_account", "There is no account "+a.String()+". Ask a member to open it.", "field", field, "account", a)
	}
	return a, err
}

func toDigest(b []byte) ([32]byte, error) {
	if len(b) != 32 {
		return [32]byte{}, fault.New("identity.bad_digest", "A digest is a SHA-256 and has 32 bytes.", "bytes", len(b))
	}
	return [32]byte(b), nil
}

// checkEnd refuses an end that is past, or too far ahead for anybody to promise.
func checkEnd(now, end int64) error {
	if end <= now || end > now+MaxAheadMs {
		return fault.New("identity.bad_end", "It must end after now and within ten years.", "ends_at", end, "now", now)
	}
	return nil
}

// checkReason refuses an end without a reason from the list.
func checkReason(r identityv1.Reason) error {
	if _, known := identityv1.Reason_name[int32(r)]; !known || r == identityv1.Reason_REASON_UNSPECIFIED {
		return fault.New("identity.bad_reason", "Say why: ended, requested, mistake, breach or compromised.", "reason", int32(r))
	}
	return nil
}
