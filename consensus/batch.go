package consensus

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	consensusv1 "github.com/dureledger/dure/gen/dure/consensus/v1"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits of one batch.
const (
	MaxBatchTxs   = 1000
	MaxBatchBytes = 512 << 10
	// MaxBatchWork is signature work: no more than the least that a network can allow a sealer in a block, so that no
	// batch is too large for every block, and no less than one transaction may have.
	MaxBatchWork = tx.MaxSignatureWork
	// maxBatchWire is MaxBatchBytes of transactions and what frames them.
	maxBatchWire = MaxBatchBytes + 8*MaxBatchTxs + 512
	// batchLifeMS is how long after sealing a batch may be decided, unix milliseconds of block time.
	batchLifeMS = 60_000
	// MaxBatchLifeMS bounds what others may ask for, so that the memory of decided batches is bounded.
	MaxBatchLifeMS = 180_000
)

// Hash names a batch: SHA-256 of its serialised bytes.
type Hash = [32]byte

// batch is a decoded batch. Its transactions are well-formed; whether signatures are good is the Verifier's word.
type batch struct {
	hash   Hash
	raw    []byte
	header *consensusv1.Header
	sealer tx.Address
	// key is the node key the seal was checked with.
	key []byte
	txs []*tx.Tx
}

// BatchRef remembers a decided batch until it would be refused as expired.
type BatchRef struct {
	Hash      Hash
	ExpiresAt int64
}

// errRelay is a fault of whoever sent the bytes: the sealer did not sign this.
var errRelay = errors.New("not sealed by a member")

// claimedSealer reads who a batch says has sealed it, without checking anything.
func claimedSealer(raw []byte) (tx.Address, bool) {
	header := &consensusv1.Header{}
	if written, _, ok := field(raw, headerTag); !ok || proto.Unmarshal(written, header) != nil {
		return tx.Address{}, false
	}
	sealer, err := tx.ToAddress(header.GetSealer())
	return sealer, err == nil
}

var canonical = proto.MarshalOptions{Deterministic: true}

// decodeBatch reads a batch and checks the sealer's signature and that header and contents agree. It shares the memory of raw.
// nodeKey gives a member's node key, nil if the sealer is no member.
func decodeBatch(networkID string, raw []byte, nodeKey func(tx.Address) []byte) (*batch, error) {
	if len(raw) > maxBatchWire {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", errRelay, len(raw), maxBatchWire)
	}
	// The seal does not cover how the message is written. One sealed batch must have one hash, or a relay could make many
	// of it, fill the sealer's quota with them and have its transactions decided again, void.
	p, ok := split(raw)
	if !ok {
		return nil, fmt.Errorf("%w: not written as it is sealed", errRelay)
	}
	header := &consensusv1.Header{}
	if err := strictUnmarshal(p.header, header); err != nil {
		return nil, fmt.Errorf("%w: header: %w", errRelay, err)
	}
	sealer, err := tx.ToAddress(header.GetSealer())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRelay, err)
	}
	key := nodeKey(sealer)
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, batchDigest(networkID, p.header), p.signature) {
		return nil, fmt.Errorf("%w: sealer %v", errRelay, sealer)
	}
	b := &batch{hash: sha256.Sum256(raw), raw: raw, header: header, sealer: sealer, key: key}
	return b, b.open(networkID, p.transactions)
}

// open decodes the transactions. That they are not those of the header is the fault of whoever passed them on, since
// the seal covers their hashes; that they are bad is the sealer's.
func (b *batch) open(networkID string, raws [][]byte) error {
	if len(raws) == 0 || len(raws) > MaxBatchTxs {
		return fmt.Errorf("%w: %d transactions, want 1 to %d", errRelay, len(raws), MaxBatchTxs)
	}
	network, err := tx.NewNetwork(networkID)
	if err != nil {
		return err
	}
	b.txs = make([]*tx.Tx, len(raws))
	hashes, work := sha256.New(), uint64(0)
	var bad error
	for i, raw := range raws {
		t, err := network.Decode(raw, tx.MaxBytes)
		if err != nil {
			hash := sha256.Sum256(raw)
			hashes.Write(hash[:])
			bad = cmp.Or(bad, fmt.Errorf("batch: transaction %d: %w", i, err))
			continue
		}
		hashes.Write(t.Hash[:])
		work += t.SignatureWork()
		b.txs[i] = t
	}
	switch {
	case !bytes.Equal(hashes.Sum(nil), b.header.GetTransactionsHash()):
		return fmt.Errorf("%w: the transactions are not those of the header", errRelay)
	case bad != nil:
		return bad
	case work > MaxBatchWork:
		return fmt.Errorf("batch: signature work %d, at most %d", work, MaxBatchWork)
	case work != b.header.GetSignatures():
		return fmt.Errorf("batch: header says signature work %d, it is %d", b.header.GetSignatures(), work)
	}
	return nil
}

// sealBatch makes and signs a batch of well-formed, verified transactions.
func sealBatch(networkID string, sealer tx.Address, key ed25519.PrivateKey, txs []*tx.Tx, expiresAt int64, salt uint64) (*batch, error) {
	header := &consensusv1.Header{
		Sealer: sealer[:], ExpiresAt: expiresAt, Salt: salt, TransactionsHash: transactionsHash(txs),
	}
	msg := &consensusv1.Batch{Transactions: make([][]byte, len(txs))}
	for i, t := range txs {
		header.Signatures += t.SignatureWork()
		msg.Transactions[i] = t.Raw
	}
	var err error
	if msg.Header, err = proto.Marshal(header); err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	msg.Signature = ed25519.Sign(key, batchDigest(networkID, msg.Header))
	raw, err := canonical.Marshal(msg)
	if err != nil {
		return nil, fmt.Errorf("batch: %w", err)
	}
	return &batch{hash: sha256.Sum256(raw), raw: raw, header: header, sealer: sealer, key: key.Public().(ed25519.PublicKey), txs: txs}, nil
}

func batchDigest(networkID string, header []byte) []byte {
	h := sha256.New()
	h.Write([]byte("dure/batch/v1\n" + networkID + "\n"))
	h.Write(header)
	return h.Sum(nil)
}

func transactionsHash(txs []*tx.Tx) []byte {
	h := sha256.New()
	for _, t := range txs {
		h.Write(t.Hash[:])
	}
	return h.Sum(nil)
}

// strictUnmarshal refuses fields the message does not have.
func strictUnmarshal(raw []byte, m proto.Message) error {
	if err := proto.Unmarshal(raw, m); err != nil {
		return err
	}
	if len(m.ProtoReflect().GetUnknown()) > 0 {
		return errors.New("unknown field")
	}
	return nil
}
