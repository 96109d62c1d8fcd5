package record

import (
	"encoding/hex"
	"errors"

	recordv1 "github.com/dureledger/dure/gen/dure/record/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/state"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits, in bytes and count.
const (
	MaxTitle        = 200
	MaxName         = 200
	MaxMediaType    = 127
	MaxReason       = 256
	MaxCosignatures = 64
)

// Digest is the SHA-256 of a file.
type Digest [32]byte

// String is the digest in hex.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// id is a record's place: a digest as one account recorded it.
type id struct {
	digest   Digest
	recorder tx.Address
}

var (
	idCodec = state.Codec[id]{
		Append: func(b []byte, i id) []byte { return append(append(b, i.digest[:]...), i.recorder[:]...) },
		Decode: func(b []byte) (id, error) {
			if len(b) != 52 {
				return id{}, errors.New("want a digest of 32 and an address of 20 bytes")
			}
			return id{Digest(b[:32]), tx.Address(b[32:])}, nil
		},
	}
	records = state.NewMap("Rr", idCodec, state.Proto[recordv1.Record]())
)

// Module is the record module.
type Module struct{ accounts Accounts }

var _ exec.Module = (*Module)(nil)

// Accounts says who exists, for the audit.
type Accounts interface {
	// Exists says whether an account is open, frozen or not.
	Exists(g state.Getter, a tx.Address) bool
}

// New makes the module.
func New(accounts Accounts) *Module { return &Module{accounts} }

// Name is the module's name.
func (m *Module) Name() string { return "record" }

// Handlers lists the module's actions.
func (m *Module) Handlers() []exec.Handler {
	return []exec.Handler{
		exec.Handle("record.add", 1, func(c *txv1.Action_RecordAdd) *recordv1.Add { return c.RecordAdd }, m.add),
		exec.Handle("record.cosign", 1, func(c *txv1.Action_RecordCosign) *recordv1.Cosign { return c.RecordCosign }, m.cosign),
		exec.Handle("record.supersede", 1, func(c *txv1.Action_RecordSupersede) *recordv1.Supersede { return c.RecordSupersede }, m.supersede),
		exec.Handle("record.withdraw", 1, func(c *txv1.Action_RecordWithdraw) *recordv1.Withdraw { return c.RecordWithdraw }, m.withdraw),
	}
}

func toDigest(b []byte) (Digest, error) {
	if len(b) != 32 {
		return Digest{}, fault.New("record.bad_digest", "A digest is the SHA-256 of a file and has 32 bytes.", "bytes", len(b))
	}
	return Digest(b), nil
}

// find returns the record that an account made of a digest.
func find(g state.Getter, digest []byte, recorder tx.Address) (id, *recordv1.Record, error) {
	d, err := toDigest(digest)
	if err != nil {
		return id{}, nil, err
	}
	r, ok := records.Get(g, id{d, recorder})
	if !ok {
		return id{}, nil, fault.New("record.unknown", recorder.String()+" has no record of "+d.String()+".", "digest", d, "recorder", recorder)
	}
	return id{d, recorder}, r, nil
}
