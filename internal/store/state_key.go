package store

import (
	"bytes"
	"encoding/binary"
)

// Pebble's keys are 's', the escaped state key, and the height's complement (8 bytes, big-endian), so that the versions
// of a key lie together, newest first, and keys in the order of the state's keys. Escaping turns 00 into 00 ff and ends a
// key with 00 01, so that no key's versions mix with those of a longer key. A value is 01 and the bytes; a deletion is
// empty. Keys that start with 'm' hold heights (8 bytes): see the names below.
const (
	stateSpace = 's'
	metaSpace  = 'm'

	metaFlushed = "flushed"
	metaFloor   = "floor"
	metaPruned  = "pruned"

	versionLen = 8
	liveValue  = 1
)

func metaKey(name string) []byte { return append([]byte{metaSpace}, name...) }

// appendKey appends the part of a Pebble key that all versions of key share.
func appendKey(buf, key []byte) []byte { return append(appendEscaped(buf, key), 0, 1) }

// appendEscaped appends the start of the Pebble keys of all state keys that start with key.
func appendEscaped(buf, key []byte) []byte {
	buf = append(buf, stateSpace)
	for {
		i := bytes.IndexByte(key, 0)
		if i < 0 {
			return append(buf, key...)
		}
		buf = append(append(buf, key[:i]...), 0, 0xff)
		key = key[i+1:]
	}
}

func appendVersion(buf []byte, height int64) []byte {
	return binary.BigEndian.AppendUint64(buf, ^uint64(height))
}

// appendEnd appends what comes after every version of the key that buf ends with.
func appendEnd(buf []byte) []byte {
	return append(buf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0)
}

// splitVersion takes a Pebble key apart. A key that was not made here gives false.
func splitVersion(pebbleKey []byte) (prefix []byte, height int64, ok bool) {
	n := len(pebbleKey) - versionLen
	if n < 3 || pebbleKey[0] != stateSpace || pebbleKey[n-2] != 0 || pebbleKey[n-1] != 1 {
		return nil, 0, false
	}
	return pebbleKey[:n], int64(^binary.BigEndian.Uint64(pebbleKey[n:])), true
}

// unescape gives the state key of a prefix from splitVersion, in memory of its own.
func unescape(prefix []byte) ([]byte, bool) {
	rest := prefix[1 : len(prefix)-2]
	key := make([]byte, 0, len(rest))
	for {
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			return append(key, rest...), true
		}
		if i+1 >= len(rest) || rest[i+1] != 0xff {
			return nil, false
		}
		key = append(append(key, rest[:i]...), 0)
		rest = rest[i+2:]
	}
}

func appendValue(buf, value []byte) []byte {
	if value == nil {
		return buf
	}
	return append(append(buf, liveValue), value...)
}
