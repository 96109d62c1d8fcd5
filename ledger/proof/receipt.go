package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"

	"google.golang.org/protobuf/proto"

	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
)

// Limits of a receipt file, in bytes.
const (
	MaxReceipt = 1 << 20
	MaxNetwork = 49
)

// The first five bytes of a receipt: what it is and the version of its layout. A receipt of which validators sign with ML-DSA-65 is of
// version 3, with or without cosignatures; of others one with cosignatures is of version 2, and one without of version 1.
const (
	receiptMagic     = "DURE"
	receiptVersion   = 1
	witnessedVersion = 2
	wideVersion      = 3
)

// Receipt proves that a transaction had an outcome. Decoding one shows only that its parts fit together; whether the
// header is the network's is for client/light to say.
type Receipt struct {
	// Network is the network id.
	Network string
	// Transaction is the transaction as executed; empty when left out. The outcome states its hash either way.
	Transaction []byte
	// Outcome is the serialised dure.ledger.v1.Outcome, a leaf of the history log at index Outcome.seq.
	Outcome []byte
	// Size of the history log that the header signs, in leaves.
	Size uint64
	// Path from the leaf to the log's RFC 6962 root, lowest sibling first.
	Path [][32]byte
	// StateRoot that the header signs, as of the block before it.
	StateRoot [32]byte
	Evidence  Evidence
	// Cosignatures on the checkpoint of the last header, see Checkpoint; in order of name and key id.
	Cosignatures []Line
}

// Parsed is the outcome as a message. Its values are the signed ones; fields this software does not know are kept in it.
func (r *Receipt) Parsed() (*ledgerv1.Outcome, error) {
	o := &ledgerv1.Outcome{}
	if err := proto.Unmarshal(r.Outcome, o); err != nil {
		return nil, fault.New("receipt.bad_outcome", "the receipt's outcome cannot be read: "+err.Error())
	}
	return o, nil
}

// check returns the app hash that the receipt's header must carry, once the parts fit together.
func (r *Receipt) check() ([32]byte, error) {
	o, err := r.Parsed()
	if err != nil {
		return [32]byte{}, err
	}
	if len(o.GetId()) != 32 || len(o.GetTxHash()) != 32 ||
		(o.GetStatus() != ledgerv1.Status_STATUS_OK && o.GetStatus() != ledgerv1.Status_STATUS_FAILED) {
		return [32]byte{}, fault.New("receipt.bad_outcome", "the receipt's outcome is not one a ledger's history can hold",
			"status", o.GetStatus())
	}
	if sum := sha256.Sum256(r.Transaction); len(r.Transaction) > 0 && !bytes.Equal(sum[:], o.GetTxHash()) {
		return [32]byte{}, fault.New("receipt.wrong_transaction", "the transaction in the receipt is not the one the outcome is about",
			"transaction", hex.EncodeToString(sum[:]), "outcome", hex.EncodeToString(o.GetTxHash()))
	}
	root, err := PathRoot(merkle.LeafHash(r.Outcome), o.GetSeq(), r.Size, r.Path)
	if err != nil {
		return [32]byte{}, err
	}
	return AppHash(r.StateRoot, HistoryRoot(r.Size, root)), nil
}

// Encode gives the receipt file. It refuses a receipt whose header does not carry the app hash of its outcome, path and
// state root (code receipt.wrong_app_hash), or that DecodeReceipt would refuse.
func (r *Receipt) Encode() ([]byte, error) {
	if n := len(r.Network); n == 0 || n > MaxNetwork {
		return nil, fault.New("receipt.malformed", "the network id must have 1 to 49 bytes", "bytes", n)
	}
	if len(r.Path) > MaxPath {
		return nil, fault.New("receipt.malformed", "the path has more than 64 hashes", "hashes", len(r.Path))
	}
	want, err := r.check()
	if err != nil {
		return nil, err
	}
	if r.Evidence.Header.AppHash != want {
		return nil, fault.New("receipt.wrong_app_hash", "the header does not sign this outcome: its app hash is another",
			"height", r.Evidence.Header.Height, "want", hex.EncodeToString(want[:]), "header", hex.EncodeToString(r.Evidence.Header.AppHash[:]))
	}
	if err := checkCosignatures(r.Network, r.Cosignatures); err != nil {
		return nil, err
	}
	version := uint8(receiptVersion)
	switch {
	case r.Evidence.wide():
		version = wideVersion
	case len(r.Cosignatures) > 0:
		version = witnessedVersion
	}
	w := &writer{}
	w.raw([]byte(receiptMagic))
	w.u8(version)
	w.u8(uint8(len(r.Network)))
	w.raw([]byte(r.Network))
	w.u32(uint32(len(r.Transaction)))
	w.raw(r.Transaction)
	w.u32(uint32(len(r.Outcome)))
	w.raw(r.Outcome)
	w.u64(r.Size)
	w.u8(uint8(len(r.Path)))
	for _, h := range r.Path {
		w.hash(h)
	}
	w.hash(r.StateRoot)
	if err := r.Evidence.encode(w); err != nil {
		return nil, err
	}
	if version != receiptVersion {
		encodeCosignatures(w, r.Cosignatures)
	}
	if len(w.b) > MaxReceipt {
		return nil, fault.New("receipt.too_large", "the receipt would be larger than 1 MiB; start from a newer checkpoint", "bytes", len(w.b))
	}
	if _, err := DecodeReceipt(w.b); err != nil { // a negative height, say: never hand out what nobody can read
		return nil, err
	}
	return w.b, nil
}

// DecodeReceipt reads a receipt file and checks that its parts fit together: the transaction is the outcome's, the path
// has the right length. The header's app hash is computed from the rest. It verifies no signature.
//
// Error codes: receipt.too_large, receipt.not_a_receipt, receipt.unsupported_version, receipt.bad_outcome,
// receipt.wrong_transaction, proof.malformed, proof.bad_path.
func DecodeReceipt(file []byte) (*Receipt, error) {
	if len(file) > MaxReceipt {
		return nil, fault.New("receipt.too_large", "a receipt is at most 1 MiB", "bytes", len(file))
	}
	rd := &reader{b: bytes.Clone(file)} // what it returns must not change with the caller's buffer
	if string(rd.take(4, "the beginning")) != receiptMagic {
		return nil, fault.New("receipt.not_a_receipt", "this is not a Dure receipt: such a file begins with DURE")
	}
	version := rd.u8("version")
	if (version < receiptVersion || version > wideVersion) && rd.err == nil {
		return nil, fault.New("receipt.unsupported_version", "this receipt has a newer layout; a newer version of the software can read it", "version", version)
	}
	r := &Receipt{}
	n := int(rd.u8("network id"))
	if n == 0 || n > MaxNetwork {
		rd.fail("the network id must have 1 to 49 bytes")
	}
	r.Network = string(rd.take(n, "network id"))
	r.Transaction = rd.bytes("transaction")
	r.Outcome = rd.bytes("outcome")
	r.Size = rd.u64("history size")
	path := int(rd.u8("path"))
	if path > MaxPath {
		rd.fail("the path has more than 64 hashes")
	}
	for range path {
		r.Path = append(r.Path, rd.hash("path"))
	}
	r.StateRoot = rd.hash("state root")
	if rd.err != nil {
		return nil, rd.err
	}
	appHash, err := r.check()
	if err != nil {
		return nil, err
	}
	rd.wide = version == wideVersion
	r.Evidence.decode(rd, appHash)
	if version != receiptVersion {
		r.Cosignatures = decodeCosignatures(rd, r.Network)
	}
	if version == witnessedVersion && len(r.Cosignatures) == 0 {
		rd.fail("a receipt of version 2 has at least one cosignature")
	}
	if rd.err == nil && len(rd.b) > 0 {
		rd.fail("there are bytes after its end")
	}
	if rd.err != nil {
		return nil, rd.err
	}
	return r, nil
}
