package consensus

import "google.golang.org/protobuf/encoding/protowire"

// Tags of the fields of a Batch, each a byte: field number and wire type (protobuf's encoding).
const (
	headerTag      = 1<<3 | byte(protowire.BytesType)
	signatureTag   = 2<<3 | byte(protowire.BytesType)
	transactionTag = 3<<3 | byte(protowire.BytesType)
)

// parts are the fields of a Batch, in the memory of its bytes.
type parts struct {
	header, signature []byte
	transactions      [][]byte
}

// split reads a Batch with a header and a signature that is written as canonical.Marshal writes it; false if it is written in any other way.
func split(raw []byte) (p parts, ok bool) {
	if p.header, raw, ok = field(raw, headerTag); !ok {
		return parts{}, false
	}
	if p.signature, raw, ok = field(raw, signatureTag); !ok {
		return parts{}, false
	}
	for len(raw) > 0 {
		var transaction []byte
		if transaction, raw, ok = field(raw, transactionTag); !ok {
			return parts{}, false
		}
		p.transactions = append(p.transactions, transaction)
	}
	return p, true
}

// field reads the field of bytes with which raw begins, its length in the shortest form, and what comes after it; false if there is none with this tag.
func field(raw []byte, tag byte) (content, rest []byte, ok bool) {
	if len(raw) == 0 || raw[0] != tag {
		return nil, nil, false
	}
	size, n := protowire.ConsumeVarint(raw[1:])
	if n < 0 || n != protowire.SizeVarint(size) || size > uint64(len(raw)-1-n) {
		return nil, nil, false
	}
	from, to := 1+n, 1+n+int(size)
	return raw[from:to:to], raw[to:], true
}
