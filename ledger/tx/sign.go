package tx

import (
	"google.golang.org/protobuf/proto"

	txv1 "github.com/dureledger/dure/gen/dure/tx/v1"
	"github.com/dureledger/dure/ledger/fault"
)

// Signer makes witnesses with one key. Implementations are NewSigner's, security modules, and passkeys.
type Signer interface {
	// Key is the public key.
	Key() Key
	// Sign makes a witness over a signing digest.
	Sign(digest [32]byte) (*txv1.Witness, error)
}

// Sign makes a transaction of a body, signed by each signer, ready to send. An empty body.Network is filled in; body itself
// is not changed. Without signers it makes a draft that AddWitness completes. It refuses what Decode would refuse.
func Sign(networkID string, body *txv1.Body, signers ...Signer) ([]byte, error) {
	n, err := NewNetwork(networkID)
	if err != nil {
		return nil, err
	}
	if len(body.GetNetwork()) == 0 {
		body = proto.Clone(body).(*txv1.Body)
		body.Network = n.Short()
	}
	bytes, err := canonical(body)
	if err != nil {
		return nil, err
	}
	witnesses := make([]*txv1.Witness, 0, len(signers))
	for _, s := range signers {
		w, err := s.Sign(n.Digest(bytes))
		if err != nil {
			return nil, err
		}
		witnesses = append(witnesses, w)
	}
	return n.assemble(bytes, witnesses)
}

// AddWitness adds a signer's witness to a transaction, signed by others or a draft. It refuses what Decode would refuse,
// such as a second witness by the same key.
func AddWitness(networkID string, raw []byte, s Signer) ([]byte, error) {
	t, err := Decode(networkID, raw, MaxBytes)
	if err != nil {
		return nil, err
	}
	w, err := s.Sign(t.ID)
	if err != nil {
		return nil, err
	}
	return Attach(networkID, raw, w)
}

// Attach adds a witness made elsewhere, such as by a passkey, over the id of the transaction. It refuses what Decode
// would refuse and, with code tx.bad_signature, a signature that is not good.
func Attach(networkID string, raw []byte, w *txv1.Witness) ([]byte, error) {
	n, err := NewNetwork(networkID)
	if err != nil {
		return nil, err
	}
	native, err := decodeNative(raw)
	if err != nil {
		return nil, err
	}
	i := len(native.Witnesses)
	if err := checkWitness(i, w); err != nil {
		return nil, err
	}
	if why := verifyWitness(w, n.Digest(native.Body), noKeys{}); why != "" {
		return nil, badSignature(i, w, why)
	}
	return n.assemble(native.Body, append(native.Witnesses, w))
}

// assemble makes the transaction and reads it back.
func (n Network) assemble(body []byte, ws []*txv1.Witness) ([]byte, error) {
	raw, err := canonical(&txv1.Transaction{Kind: &txv1.Transaction_Native{Native: &txv1.Native{Body: body, Witnesses: ws}}})
	if err != nil {
		return nil, err
	}
	if _, err := n.Decode(raw, MaxBytes); err != nil {
		return nil, err
	}
	return raw, nil
}

// canonical is the encoding the walker accepts.
func canonical(m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fault.New("tx.malformed", "The transaction cannot be written: "+err.Error()+". Texts must be UTF-8.")
	}
	return b, nil
}
