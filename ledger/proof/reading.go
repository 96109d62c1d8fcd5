package proof

import (
	"bytes"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/merkle"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// Limits of a file that proves a reading, in bytes and readings.
const (
	MaxReadingProof = MaxReceipt + 4096
	MaxReadings     = 256 // in an anchor
	maxPublicKey    = 128
)

// The first five bytes of the file: what it is and the version of its layout.
const (
	readingMagic   = "DURR"
	readingVersion = 1
)

// Reading proves what a device said and what the ledger found of it. Decoding one shows only that its parts fit together; whether
// the receipt holds is for client/light to say.
type Reading struct {
	Device tx.Address
	// Verdict is Verdict * 16 + Reason of dure.stream.v1, Level and Firmware what the device's evidence had shown.
	Verdict, Level byte
	Firmware       uint64
	// Message is the reading as the device signed it, Key the key that it gave for that.
	Message []byte
	Key     tx.Key
	// Action is the index of the anchor in its transaction; the reading is at Index of its Size readings.
	Action, Index, Size uint32
	// Path from the reading's leaf to the anchor's root, lowest sibling first.
	Path [][32]byte
	// Receipt is the receipt file of the transaction.
	Receipt []byte
}

// Leaf is what the anchor's root commits to.
func (r *Reading) Leaf() []byte {
	return reading.LeafData(r.Device, r.Verdict, r.Level, r.Firmware, r.Message)
}

// Root is the anchor's root as the leaf and the path have it. Code proof.bad_path.
func (r *Reading) Root() ([32]byte, error) {
	return PathRoot(merkle.LeafHash(r.Leaf()), uint64(r.Index), uint64(r.Size), r.Path)
}

// Encode gives the file. It refuses what DecodeReading would refuse.
func (r *Reading) Encode() ([]byte, error) {
	w := &writer{}
	w.raw([]byte(readingMagic))
	w.u8(readingVersion)
	w.raw(r.Device[:])
	w.u8(r.Verdict)
	w.u8(r.Level)
	w.u64(r.Firmware)
	w.u32(uint32(len(r.Message)))
	w.raw(r.Message)
	w.u8(uint8(r.Key.Kind))
	w.u8(uint8(min(len(r.Key.Public), 0xff)))
	w.raw(r.Key.Public)
	w.u32(r.Action)
	w.u32(r.Index)
	w.u32(r.Size)
	w.u8(uint8(min(len(r.Path), 0xff)))
	for _, h := range r.Path {
		w.hash(h)
	}
	w.u32(uint32(len(r.Receipt)))
	w.raw(r.Receipt)
	if _, err := DecodeReading(w.b); err != nil {
		return nil, err
	}
	return w.b, nil
}

// DecodeReading reads the file that proves a reading. It verifies no signature, and of the receipt only that there is one.
//
// Error codes: proof.too_large, proof.not_a_reading, proof.unsupported_version, proof.malformed, proof.bad_path.
func DecodeReading(file []byte) (*Reading, error) {
	if len(file) > MaxReadingProof {
		return nil, fault.New("proof.too_large", "a file that proves a reading is at most 1 MiB and 4 KiB", "bytes", len(file))
	}
	rd := &reader{b: bytes.Clone(file)} // what it returns must not change with the caller's buffer
	if string(rd.take(4, "the beginning")) != readingMagic {
		return nil, fault.New("proof.not_a_reading", "this file proves no reading: such a file begins with DURR")
	}
	if v := rd.u8("version"); v != readingVersion && rd.err == nil {
		return nil, fault.New("proof.unsupported_version", "this file has a newer layout; a newer version of the software can read it", "version", v)
	}
	r := &Reading{}
	copy(r.Device[:], rd.take(len(r.Device), "device"))
	r.Verdict, r.Level, r.Firmware = rd.u8("verdict"), rd.u8("level"), rd.u64("firmware")
	if r.Message = rd.bytes("reading"); len(r.Message) > reading.MaxBytes {
		rd.fail("the reading has more than 1,024 bytes")
	}
	r.Key.Kind = accountv1.KeyKind(rd.u8("kind of key"))
	n := int(rd.u8("public key"))
	if n > maxPublicKey {
		rd.fail("the public key has more than 128 bytes")
	}
	r.Key.Public = rd.take(n, "public key")
	r.Action, r.Index, r.Size = rd.u32("action"), rd.u32("index"), rd.u32("size")
	if r.Size > MaxReadings {
		rd.fail("an anchor holds at most 256 readings")
	}
	for range rd.u8("path") {
		r.Path = append(r.Path, rd.hash("path"))
	}
	r.Receipt = rd.bytes("receipt")
	if rd.err == nil && len(rd.b) > 0 {
		rd.fail("there are bytes after its end")
	}
	if rd.err != nil {
		return nil, rd.err
	}
	if _, err := r.Root(); err != nil {
		return nil, err
	}
	return r, nil
}
