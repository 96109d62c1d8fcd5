package cbor

import "encoding/binary"

// Major is a major type (RFC 8949, section 3.1).
type Major byte

// The major types of what is written here.
const (
	Unsigned Major = iota
	Negative
	Bytes
	Text
	Array
	Map
	Tag
)

var majors = [...]string{"an unsigned integer", "a negative integer", "a byte string", "a text", "an array", "a map", "a tag", "a simple value"}

// String names the type with its article, such as "a map".
func (m Major) String() string { return majors[m&7] }

// AppendHead writes the head of an item in its shortest form.
func AppendHead(b []byte, major Major, argument uint64) []byte {
	first := byte(major) << 5
	switch {
	case argument < 24:
		return append(b, first|byte(argument))
	case argument < 1<<8:
		return append(b, first|24, byte(argument))
	case argument < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, first|25), uint16(argument))
	case argument < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, first|26), uint32(argument))
	}
	return binary.BigEndian.AppendUint64(append(b, first|27), argument)
}

// AppendInteger writes an integer.
func AppendInteger(b []byte, n int64) []byte {
	if n < 0 {
		return AppendHead(b, Negative, uint64(-1-n))
	}
	return AppendHead(b, Unsigned, uint64(n))
}

// AppendBytes writes a byte string.
func AppendBytes(b, s []byte) []byte { return append(AppendHead(b, Bytes, uint64(len(s))), s...) }

// AppendText writes a text, which has to be UTF-8.
func AppendText(b []byte, s string) []byte { return append(AppendHead(b, Text, uint64(len(s))), s...) }
