package coap

import "encoding/binary"

// kind is what a datagram has, as far as that can be seen without a key.
type kind int

const (
	neither   kind = iota // no records
	hello                 // begins with a ClientHello in the clear
	handshake             // messages of a handshake in the clear, perhaps with sealed ones behind
	clear                 // other things in the clear, such as alerts, which anybody can write
	sealed                // sealed records alone
)

// Records of DTLS 1.2 (RFC 6347, section 4.3.1): type, version (2), epoch (2), number (6), length (2).
const (
	recordHead      = 13
	typeChange      = 20
	typeHandshake   = 22
	typeClientHello = 1
)

// look says what a datagram has.
func look(datagram []byte) kind {
	found := neither
	for first := true; len(datagram) > 0; first = false {
		if len(datagram) < recordHead {
			return neither
		}
		length := int(binary.BigEndian.Uint16(datagram[11:]))
		if len(datagram) < recordHead+length {
			return neither
		}
		open := binary.BigEndian.Uint16(datagram[3:]) == 0
		switch what := datagram[0]; {
		case !open && first:
			found = sealed
		case !open:
		case what != typeHandshake && what != typeChange:
			return clear
		case first && what == typeHandshake && length > 0 && datagram[recordHead] == typeClientHello:
			found = hello
		case first, found == sealed:
			found = handshake
		}
		datagram = datagram[recordHead+length:]
	}
	return found
}
