package proof

import (
	"bytes"
	"math"

	"github.com/dureledger/dure/ledger/fault"
)

// Evidence shows that a header is the network's: every change of validators since the point the verifier trusts,
// then the header, each signed by more than two thirds of the validators of its height.
type Evidence struct {
	Changes []Change
	Header  Header
	Commit  Commit
}

// Change is a header whose next validators differ from its own, and those next validators.
type Change struct {
	Header Header
	Commit Commit
	Next   []Validator
}

// Header is a CometBFT block header without what the verifier has already: the chain id is the network's, and the
// validators hash follows from the validators that signed it.
type Header struct {
	BlockVersion uint64
	AppVersion   uint64
	Height       int64
	// Time is the block's time in unix nanoseconds.
	Time int64
	// LastBlock is the zero Block at height 1, where there is none and nothing is stored.
	LastBlock          Block
	LastCommitHash     [32]byte
	DataHash           [32]byte
	NextValidatorsHash [32]byte
	ConsensusHash      [32]byte
	// AppHash is stored in headers of changes. In the last header of Evidence it follows from the state root and the
	// history root, is not stored, and is filled in by decoding.
	AppHash         [32]byte
	LastResultsHash [32]byte
	EvidenceHash    [32]byte
	Proposer        [20]byte
}

// Block is a CometBFT block id.
type Block struct {
	Hash       [32]byte
	PartsTotal uint32
	PartsHash  [32]byte
}

// Commit holds precommits for a header: its height is the header's, its block hash the header's hash.
type Commit struct {
	Round      int32
	PartsTotal uint32
	PartsHash  [32]byte
	// Signatures are in ascending order of validator.
	Signatures []Signature
}

// Signature is one validator's precommit.
type Signature struct {
	// Validator is the index in the set of the header's height, in CometBFT's order.
	Validator uint16
	// Time the validator put into its vote, unix nanoseconds.
	Time int64
	// Bytes are 64 of Ed25519 or 3,309 of ML-DSA-65.
	Bytes []byte
}

// Validator is a public key and its voting power. 32 bytes are an Ed25519 key, 1,952 one of ML-DSA-65 (FIPS 204).
type Validator struct {
	Key   []byte
	Power int64
}

// Equal says whether two are the same.
func (v Validator) Equal(other Validator) bool {
	return v.Power == other.Power && bytes.Equal(v.Key, other.Key)
}

func (e *Evidence) encode(w *writer) error {
	w.wide = e.wide()
	if len(e.Changes) > math.MaxUint16 {
		return fault.New("proof.too_large", "too many changes of validators for one file; start from a newer checkpoint",
			"changes", len(e.Changes))
	}
	w.u16(uint16(len(e.Changes)))
	for i := range e.Changes {
		c := &e.Changes[i]
		c.Header.encode(w, true)
		c.Commit.encode(w)
		encodeValidators(w, c.Next)
	}
	e.Header.encode(w, false)
	e.Commit.encode(w)
	return e.checkCounts()
}

func (e *Evidence) checkCounts() error {
	n := len(e.Commit.Signatures)
	for i := range e.Changes {
		n = max(n, len(e.Changes[i].Commit.Signatures), len(e.Changes[i].Next))
	}
	if n > math.MaxUint16 {
		return fault.New("proof.too_large", "a commit or a set of validators has more members than the format can carry", "members", n)
	}
	return nil
}

func (e *Evidence) decode(r *reader, appHash [32]byte) {
	changes := int(r.u16("number of changes"))
	for range changes {
		var c Change
		c.Header.decode(r, true)
		c.Commit.decode(r)
		c.Next = decodeValidators(r)
		if r.err != nil {
			return
		}
		e.Changes = append(e.Changes, c)
	}
	e.Header.decode(r, false)
	e.Header.AppHash = appHash
	e.Commit.decode(r)
	if r.err == nil && r.wide && !e.wide() {
		r.fail("it is in the layout for ML-DSA-65 and has nothing of that")
	}
}

func (h *Header) encode(w *writer, withAppHash bool) {
	w.u64(h.BlockVersion)
	w.u64(h.AppVersion)
	w.u64(uint64(h.Height))
	w.u64(uint64(h.Time))
	if h.Height != 1 {
		w.hash(h.LastBlock.Hash)
		w.u32(h.LastBlock.PartsTotal)
		w.hash(h.LastBlock.PartsHash)
	}
	w.hash(h.LastCommitHash)
	w.hash(h.DataHash)
	w.hash(h.NextValidatorsHash)
	w.hash(h.ConsensusHash)
	if withAppHash {
		w.hash(h.AppHash)
	}
	w.hash(h.LastResultsHash)
	w.hash(h.EvidenceHash)
	w.raw(h.Proposer[:])
}

func (h *Header) decode(r *reader, withAppHash bool) {
	h.BlockVersion = r.u64("block version")
	h.AppVersion = r.u64("app version")
	if h.Height = r.i63("height"); h.Height == 0 {
		r.fail("a height is 0")
	}
	h.Time = r.i63("time")
	if h.Height != 1 {
		h.LastBlock.Hash = r.hash("last block")
		h.LastBlock.PartsTotal = r.u32("last block")
		h.LastBlock.PartsHash = r.hash("last block")
	}
	h.LastCommitHash = r.hash("last commit hash")
	h.DataHash = r.hash("data hash")
	h.NextValidatorsHash = r.hash("next validators hash")
	h.ConsensusHash = r.hash("consensus hash")
	if withAppHash {
		h.AppHash = r.hash("app hash")
	}
	h.LastResultsHash = r.hash("last results hash")
	h.EvidenceHash = r.hash("evidence hash")
	copy(h.Proposer[:], r.take(20, "proposer"))
}

func (c *Commit) encode(w *writer) {
	w.u32(uint32(c.Round))
	w.u32(c.PartsTotal)
	w.hash(c.PartsHash)
	w.u16(uint16(len(c.Signatures)))
	for i := range c.Signatures {
		s := &c.Signatures[i]
		w.u16(s.Validator)
		w.u64(uint64(s.Time))
		w.sized(s.Bytes)
	}
}

func (c *Commit) decode(r *reader) {
	round := r.u32("round")
	if round > math.MaxInt32 {
		r.fail("a round is out of range")
	}
	c.Round = int32(round)
	c.PartsTotal = r.u32("parts")
	c.PartsHash = r.hash("parts")
	n := int(r.u16("number of signatures"))
	for range n {
		var s Signature
		s.Validator = r.u16("signature")
		s.Time = r.i63("time of a signature")
		s.Bytes = r.sized(signatureSizes, "signature")
		if r.err != nil {
			return
		}
		c.Signatures = append(c.Signatures, s)
	}
}

func encodeValidators(w *writer, set []Validator) {
	w.u16(uint16(len(set)))
	for _, v := range set {
		w.sized(v.Key)
		w.u64(uint64(v.Power))
	}
}

func decodeValidators(r *reader) []Validator {
	var set []Validator
	n := int(r.u16("number of validators"))
	for range n {
		v := Validator{Key: r.sized(keySizes, "validator"), Power: r.i63("validator")}
		if r.err != nil {
			return nil
		}
		set = append(set, v)
	}
	return set
}
