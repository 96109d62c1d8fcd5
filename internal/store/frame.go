package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
)

// A segment file is a file header and records one after the other. All integers are big-endian.
//
//	file header  magic "dureseg1" 8 | marker 8 | first position 8 | first height 8 | CRC-32C of these 4 | zero 4
//	record       marker 8 | body length 4 | CRC-32C of the body 4 | height 8 | time 8 | first position 8 |
//	             number of entries 4 | CRC-32C of these 4 | body
//
// The marker is random, one per file. Whoever sends transactions does not know it, so no content of a body can pass for
// a record when a damaged file is searched for the next one.
const (
	fileHeaderLen   = 40
	recordHeaderLen = 48
	markerLen       = 8
)

var (
	segmentMagic = []byte("dureseg1")
	castagnoli   = crc32.MakeTable(crc32.Castagnoli)
	errHeader    = errors.New("no valid record starts here")
	errChecksum  = errors.New("the record's checksum is wrong")
)

type fileHeader struct {
	marker      [markerLen]byte
	firstSeq    uint64
	firstHeight int64
}

func (h fileHeader) encode() []byte {
	buf := append(make([]byte, 0, fileHeaderLen), segmentMagic...)
	buf = append(buf, h.marker[:]...)
	buf = binary.BigEndian.AppendUint64(buf, h.firstSeq)
	buf = binary.BigEndian.AppendUint64(buf, uint64(h.firstHeight))
	buf = binary.BigEndian.AppendUint32(buf, crc32.Checksum(buf, castagnoli))
	return append(buf, 0, 0, 0, 0)
}

func decodeFileHeader(buf []byte) (h fileHeader, ok bool) {
	if len(buf) < fileHeaderLen || !bytes.HasPrefix(buf, segmentMagic) ||
		binary.BigEndian.Uint32(buf[32:]) != crc32.Checksum(buf[:32], castagnoli) || binary.BigEndian.Uint32(buf[36:]) != 0 {
		return h, false
	}
	copy(h.marker[:], buf[8:])
	h.firstSeq = binary.BigEndian.Uint64(buf[16:])
	h.firstHeight = int64(binary.BigEndian.Uint64(buf[24:]))
	return h, true
}

type recordHeader struct {
	length   uint32 // of the body, in bytes
	checksum uint32 // of the body
	height   int64
	time     int64
	firstSeq uint64
	entries  uint32
}

// endSeq is the first position after the block.
func (h recordHeader) endSeq() uint64 { return h.firstSeq + uint64(h.entries) }

// appendRecord encodes b, which checkBlock has accepted, as a record.
func appendRecord(buf []byte, marker [markerLen]byte, b *Block) []byte {
	start := len(buf)
	buf = slices.Grow(buf, recordHeaderLen+bodySize(b))
	buf = append(buf, make([]byte, recordHeaderLen)...)
	buf = appendBody(buf, b)
	head, body := buf[start:start+recordHeaderLen], buf[start+recordHeaderLen:]
	copy(head, marker[:])
	binary.BigEndian.PutUint32(head[8:], uint32(len(body)))
	binary.BigEndian.PutUint32(head[12:], crc32.Checksum(body, castagnoli))
	binary.BigEndian.PutUint64(head[16:], uint64(b.Height))
	binary.BigEndian.PutUint64(head[24:], uint64(b.Time))
	binary.BigEndian.PutUint64(head[32:], b.FirstSeq)
	binary.BigEndian.PutUint32(head[40:], uint32(len(b.Entries)))
	binary.BigEndian.PutUint32(head[44:], crc32.Checksum(head[:44], castagnoli))
	return buf
}

func decodeRecordHeader(marker [markerLen]byte, buf []byte) (h recordHeader, err error) {
	if len(buf) < recordHeaderLen || !bytes.HasPrefix(buf, marker[:]) ||
		binary.BigEndian.Uint32(buf[44:]) != crc32.Checksum(buf[:44], castagnoli) {
		return h, errHeader
	}
	h = recordHeader{
		length:   binary.BigEndian.Uint32(buf[8:]),
		checksum: binary.BigEndian.Uint32(buf[12:]),
		height:   int64(binary.BigEndian.Uint64(buf[16:])),
		time:     int64(binary.BigEndian.Uint64(buf[24:])),
		firstSeq: binary.BigEndian.Uint64(buf[32:]),
		entries:  binary.BigEndian.Uint32(buf[40:]),
	}
	if h.length > MaxBlockBytes || h.height < 1 || h.endSeq() < h.firstSeq {
		return h, errHeader
	}
	return h, nil
}

// decodeRecord reads the record that buf is. The block shares memory with buf.
func decodeRecord(marker [markerLen]byte, buf []byte) (*Block, error) {
	h, err := decodeRecordHeader(marker, buf)
	if err != nil {
		return nil, err
	}
	body := buf[recordHeaderLen:]
	if uint64(len(body)) != uint64(h.length) || crc32.Checksum(body, castagnoli) != h.checksum {
		return nil, errChecksum
	}
	b := &Block{Height: h.height, Time: h.time, FirstSeq: h.firstSeq, HistorySize: h.endSeq()}
	if err := decodeBody(body, b); err != nil {
		return nil, err
	}
	if len(b.Entries) != int(h.entries) {
		return nil, errBody
	}
	return b, nil
}
