package reading

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/dureledger/dure/ledger/cbor"
	"github.com/dureledger/dure/ledger/fault"
)

// usual is what most readings fit in, bytes.
const usual = 192

// Check refuses what Parse would refuse of an encoding of r. Code reading.malformed.
func (r *Reading) Check() error {
	why := ""
	switch {
	case r.Alg != EdDSA && r.Alg != ES256:
		why = fmt.Sprintf("the algorithm is %d; it may be -8 (EdDSA) or -7 (ES256)", r.Alg)
	case r.Boot == 0 || r.Boot > maxCount || r.Sequence == 0 || r.Sequence > maxCount:
		why = fmt.Sprintf("start %d, sequence %d: both count from 1 and are below 2^63", r.Boot, r.Sequence)
	case !ValidFeed(r.Feed):
		why = fmt.Sprintf("%.40q is no feed's name: a lower-case letter, then up to 31 of a-z, 0-9, '.' and '-'", r.Feed)
	case len(r.Unit) == 0 || len(r.Unit) > MaxUnit || !utf8.ValidString(r.Unit):
		why = fmt.Sprintf("the unit has %d bytes; it is 1 to %d of UTF-8", len(r.Unit), MaxUnit)
	case r.Value.Exponent > 0 || r.Value.Exponent < -MaxDecimals || r.Value.Exponent < 0 && r.Value.Mantissa%10 == 0:
		why = fmt.Sprintf("the value has mantissa %d and exponent %d; make it with NewDecimal", r.Value.Mantissa, r.Value.Exponent)
	case r.Time < MinTime:
		why = fmt.Sprintf("the time is %d ms; absolute times begin at 2^28 seconds", r.Time)
	case r.Time%1000 == 0 && r.Time/1000 > math.MaxInt64/1000:
		why = "the time is beyond 2^63 - 1 milliseconds"
	default:
		return nil
	}
	return fault.New("reading.malformed", "The reading cannot be written: "+why+".")
}

// Encode writes the signed message. Code reading.malformed.
func (r *Reading) Encode() ([]byte, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	var part [usual]byte
	b := cbor.AppendHead(make([]byte, 0, usual), cbor.Tag, 18)
	b = cbor.AppendHead(b, cbor.Array, 4)
	b = cbor.AppendBytes(b, r.appendProtected(part[:0]))
	b = cbor.AppendHead(b, cbor.Map, 0)
	b = cbor.AppendBytes(b, r.appendPayload(part[:0]))
	return cbor.AppendBytes(b, r.Signature[:]), nil
}

// SignedBytes is what a device signs: the Sig_structure of RFC 9052, section 4.4, with the network, the device and its start as
// external data. Ed25519 signs these bytes, ES256 their SHA-256.
func (r *Reading) SignedBytes(networkID string, device [20]byte) []byte {
	return r.AppendSigned(make([]byte, 0, 2*usual), networkID, device)
}

// AppendSigned is SignedBytes, appended to b.
func (r *Reading) AppendSigned(b []byte, networkID string, device [20]byte) []byte {
	var part [usual]byte
	b = cbor.AppendHead(b, cbor.Array, 4)
	b = cbor.AppendText(b, "Signature1")
	b = cbor.AppendBytes(b, r.appendProtected(part[:0]))
	b = cbor.AppendBytes(b, External(part[:0], networkID, device, r.Boot))
	return cbor.AppendBytes(b, r.appendPayload(part[:0]))
}

// External appends the external data of a signature to b: what a reading is bound to and does not carry.
func External(b []byte, networkID string, device [20]byte, boot uint64) []byte {
	b = append(append(b, "dure/reading/v1\n"...), networkID...)
	b = append(append(b, '\n'), device[:]...)
	return binary.BigEndian.AppendUint64(b, boot)
}

func (r *Reading) appendProtected(b []byte) []byte {
	b = cbor.AppendHead(b, cbor.Map, 3)
	b = cbor.AppendInteger(cbor.AppendInteger(b, keyAlg), int64(r.Alg))
	b = cbor.AppendHead(cbor.AppendInteger(b, keyBoot), cbor.Unsigned, r.Boot)
	return cbor.AppendHead(cbor.AppendInteger(b, keySequence), cbor.Unsigned, r.Sequence)
}

func (r *Reading) appendPayload(b []byte) []byte {
	b = cbor.AppendHead(b, cbor.Array, 1)
	b = cbor.AppendHead(b, cbor.Map, 4)
	b = cbor.AppendText(cbor.AppendInteger(b, keyName), r.Feed)
	b = cbor.AppendText(cbor.AppendInteger(b, keyUnit), r.Unit)
	b = appendNumber(cbor.AppendInteger(b, keyValue), r.Value)
	time := Decimal{r.Time, -3}
	if r.Time%1000 == 0 {
		time = Decimal{r.Time / 1000, 0}
	}
	return appendNumber(cbor.AppendInteger(b, keyTime), time)
}

func appendNumber(b []byte, d Decimal) []byte {
	if d.Exponent == 0 {
		return cbor.AppendInteger(b, d.Mantissa)
	}
	b = cbor.AppendHead(cbor.AppendHead(b, cbor.Tag, decimalFraction), cbor.Array, 2)
	return cbor.AppendInteger(cbor.AppendInteger(b, int64(d.Exponent)), d.Mantissa)
}
