package tx

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
)

// Limits of the format. How large a whole transaction may be is a parameter of the network.
const (
	// MaxBytes of a serialised transaction, whatever a network's parameters say.
	MaxBytes             = 128 << 10
	MaxWitnesses         = 16
	MaxActions           = 100
	NetworkSize          = 16 // bytes of Body.network
	OnceSize             = 32 // bytes of Body.once, if there is one
	MinAuthenticatorData = 37
	// MaxSignatureWork bounds SignatureWork: what readings in a transaction may cost everybody.
	MaxSignatureWork     = 1000
	MaxAuthenticatorData = 1024
	MaxClientDataJSON    = 2048
)

// Tx is a decoded transaction. It must not be changed: Body, Witnesses and Sources share the memory of Raw.
type Tx struct {
	// Raw is the transaction as it travels.
	Raw []byte
	// Hash is SHA-256 of Raw: it differs between transactions that differ only in witnesses.
	Hash [32]byte
	// ID is the signing digest: it names the transaction, whoever witnessed it.
	ID [32]byte
	// Body is what was signed.
	Body *txv1.Body
	// Witnesses are the signatures, in the order they came.
	Witnesses []*txv1.Witness
	// Sources are the readings in its stream.anchor actions, in order; nil if there are none.
	Sources []Source

	network string // that it was made for
}

// Network is a network id made ready for decoding many transactions.
type Network struct {
	id    string
	short [NetworkSize]byte
}

// NewNetwork takes a network id, name-32hex. Code tx.wrong_network if it is none.
func NewNetwork(id string) (Network, error) {
	short, err := genesis.Short(id)
	if err != nil {
		return Network{}, fault.New("tx.wrong_network", fmt.Sprintf("%q is not a network id: it is a name, a dash and 32 hex "+
			"digits. Copy it from `dure status` or from the genesis file's owner.", id), "network", id)
	}
	return Network{id: id, short: [NetworkSize]byte(short)}, nil
}

// ID is the network id.
func (n Network) ID() string { return n.id }

// Short is what Body.network carries: the first 16 bytes of the genesis hash.
func (n Network) Short() []byte { return bytes.Clone(n.short[:]) }

// Digest is SHA-256("dure/tx/v1\n" || network id || "\n" || body): what witnesses sign, and the transaction's id.
func (n Network) Digest(body []byte) [32]byte { return Digest(n.id, body) }

// Digest is SHA-256("dure/tx/v1\n" || network id || "\n" || body): what witnesses sign, and the transaction's id.
func Digest(networkID string, body []byte) [32]byte {
	buf := make([]byte, 0, 512)
	buf = append(buf, "dure/tx/v1\n"...)
	buf = append(buf, networkID...)
	buf = append(buf, '\n')
	return sha256.Sum256(append(buf, body...))
}

// Decode reads a transaction made for the network, of at most maxBytes bytes. It checks the form of everything and
// no signature; see the package comment for codes. The result keeps raw, which must not be changed after.
func Decode(networkID string, raw []byte, maxBytes int) (*Tx, error) {
	n, err := NewNetwork(networkID)
	if err != nil {
		return nil, err
	}
	return n.Decode(raw, maxBytes)
}

// Decode is the function Decode for this network.
func (n Network) Decode(raw []byte, maxBytes int) (*Tx, error) {
	if len(raw) > maxBytes {
		return nil, fault.New("tx.too_large", fmt.Sprintf("The transaction has %d bytes; this network takes at most %d. "+
			"Split it into several.", len(raw), maxBytes), "bytes", len(raw), "limit", maxBytes)
	}
	native, err := decodeNative(raw)
	if err != nil {
		return nil, err
	}
	if err := checkWitnesses(native.Witnesses); err != nil {
		return nil, err
	}
	if err := walk(bodyTable, native.Body); err != nil {
		return nil, err
	}
	body := &txv1.Body{}
	if err := body.UnmarshalVTUnsafe(native.Body); err != nil {
		return nil, malformed(bodyTable, err.Error())
	}
	if err := n.checkBody(body); err != nil {
		return nil, err
	}
	sources, err := ReadSources(body.Actions)
	if err != nil {
		return nil, err
	}
	t := &Tx{
		Raw: raw, Hash: sha256.Sum256(raw), ID: n.Digest(native.Body), Body: body, Witnesses: native.Witnesses,
		Sources: sources, network: n.id,
	}
	if work := t.SignatureWork(); work > MaxSignatureWork {
		return nil, fault.New("tx.too_large", fmt.Sprintf("Checking the signatures in the transaction takes %d units of work; at most %d go together. "+
			"Split it: an Ed25519 signature takes 1, a P-256 signature 5.", work, MaxSignatureWork), "work", work, "limit", MaxSignatureWork)
	}
	return t, nil
}

func decodeNative(raw []byte) (*txv1.Native, error) {
	if err := walk(transactionTable, raw); err != nil {
		return nil, err
	}
	t := &txv1.Transaction{}
	if err := t.UnmarshalVTUnsafe(raw); err != nil {
		return nil, malformed(transactionTable, err.Error())
	}
	switch kind := t.Kind.(type) {
	case *txv1.Transaction_Native:
		return kind.Native, nil
	case *txv1.Transaction_Ethereum:
		return nil, fault.New("tx.unsupported", "This network does not take Ethereum transactions. "+
			"Send a native transaction; a secp256k1 key may sign it.", "kind", "ethereum")
	}
	return nil, malformed(transactionTable, "there is nothing inside")
}

// checkBody checks the limits of a body.
func (n Network) checkBody(b *txv1.Body) error {
	switch {
	case len(b.Network) != NetworkSize:
		return wrongSize("network", len(b.Network), "16 bytes, the first of the genesis hash")
	case !bytes.Equal(b.Network, n.short[:]):
		return fault.New("tx.wrong_network", fmt.Sprintf("The transaction is made for the network whose id ends in %x; this one "+
			"is %s. Build and sign it again for this network, or send it to the other.", b.Network, n.id),
			"network", fmt.Sprintf("%x", b.Network))
	case b.NotAfter <= 0:
		return fault.New("tx.malformed", "The transaction does not say until when it is valid. Set not_after to unix "+
			"milliseconds in the near future.", "field", "Body.not_after")
	case len(b.Once) != 0 && len(b.Once) != OnceSize:
		return wrongSize("once", len(b.Once), "empty or 32 bytes")
	case len(b.Actions) == 0:
		return fault.New("tx.no_action", "The transaction has no action, so there is nothing to do. Add at least one.")
	case len(b.Actions) > MaxActions:
		return fault.New("tx.too_large", fmt.Sprintf("The transaction has %d actions; at most %d may go together. Split it.",
			len(b.Actions), MaxActions), "actions", len(b.Actions), "limit", MaxActions)
	}
	for i, a := range b.Actions {
		if len(a.Actor) != len(Address{}) {
			return wrongSize(fmt.Sprintf("actor of action %d", i), len(a.Actor), "20 bytes, the address of the account that acts")
		}
		if a.Call == nil {
			return fault.New("tx.no_action", fmt.Sprintf("Action %d does not say what to do. Give it a call, or leave it out.", i),
				"action", i)
		}
	}
	return nil
}

func wrongSize(field string, got int, want string) error {
	return fault.New("tx.malformed", fmt.Sprintf("The transaction's %s has %d bytes; it must be %s.%s", field, got, want, advice),
		"field", field, "bytes", got)
}

// Keys are the keys of the witnesses, in order.
func (t *Tx) Keys() []Key {
	keys := make([]Key, len(t.Witnesses))
	for i, w := range t.Witnesses {
		keys[i] = witnessKey(w)
	}
	return keys
}

func witnessKey(w *txv1.Witness) Key { return Key{Kind: w.Kind, Public: w.PublicKey} }

// KindWork is what checking one signature costs, in units of about one Ed25519 check of a batch (20 µs): Ed25519 1, secp256k1 3,
// P-256 5, WebAuthn and ML-DSA-65 6.
func KindWork(kind accountv1.KeyKind) uint64 {
	switch kind {
	case accountv1.KeyKind_KEY_KIND_ED25519:
		return 1
	case accountv1.KeyKind_KEY_KIND_SECP256K1:
		return 3
	case accountv1.KeyKind_KEY_KIND_P256:
		return 5
	default:
		return 6
	}
}

// SignatureWork is what checking the signatures costs, by KindWork; a reading counts as a witness does. All nodes count the same.
func (t *Tx) SignatureWork() uint64 {
	work := uint64(0)
	for _, w := range t.Witnesses {
		work += KindWork(w.Kind)
	}
	for i := range t.Sources {
		work += t.Sources[i].signatureWork()
	}
	return work
}
