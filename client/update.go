package client

import (
	"encoding/binary"

	"github.com/dureledger/dure/ledger/fault"
)

// KindUpdate is the kind of the commands whose payload is an Update.
const KindUpdate = "update"

// Update is what a device is told to run.
type Update struct {
	// Number of a registered firmware of its model, and the SHA-256 of the image.
	Number uint64
	Digest [32]byte
}

// Payload is an update as a command has it: the number, 8 bytes, big endian, and the digest.
func (u Update) Payload() []byte {
	return append(binary.BigEndian.AppendUint64(nil, u.Number), u.Digest[:]...)
}

// ParseUpdate reads a command's payload. Code update.malformed.
func ParseUpdate(payload []byte) (Update, error) {
	if len(payload) != 40 {
		return Update{}, fault.New("update.malformed", "The payload of an update is 40 bytes: the firmware's number and the SHA-256 of its image.", "bytes", len(payload))
	}
	return Update{binary.BigEndian.Uint64(payload), [32]byte(payload[8:])}, nil
}
