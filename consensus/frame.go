package consensus

import (
	"errors"
	"fmt"

	cmtproto "github.com/cosmos/gogoproto/proto"
)

// Kinds of frame.
const (
	framePush     = 1 // a serialised batch
	frameAnnounce = 2 // 32-byte hashes of batches the sender holds
	frameFetch    = 3 // 32-byte hashes of batches the sender wants
	framePulse    = 4 // a sign of life: one byte 0
)

// maxHashes bounds one announcement or request.
const maxHashes = 256

// frame is a message of the reactor: one kind byte and a payload. It satisfies what CometBFT's p2p asks of a message.
type frame struct{ bytes []byte }

var _ cmtproto.Message = (*frame)(nil)

func (f *frame) Reset()                     { f.bytes = nil }
func (f *frame) String() string             { return fmt.Sprintf("dure frame of %d bytes", len(f.bytes)) }
func (*frame) ProtoMessage()                {}
func (f *frame) Marshal() ([]byte, error)   { return f.bytes, nil }
func (f *frame) Unmarshal(raw []byte) error { f.bytes = append([]byte(nil), raw...); return nil }
func (f *frame) Size() int                  { return len(f.bytes) }

// Merge lets the p2p layer clone its (empty) prototype.
func (f *frame) Merge(src cmtproto.Message) {
	if other, ok := src.(*frame); ok {
		f.bytes = append([]byte(nil), other.bytes...)
	}
}

func pushFrame(raw []byte) *frame {
	return &frame{append(append(make([]byte, 0, len(raw)+1), framePush), raw...)}
}

func pulseFrame() *frame { return &frame{[]byte{framePulse, 0}} }

func hashesFrame(kind byte, hashes []Hash) *frame {
	out := append(make([]byte, 0, 1+32*len(hashes)), kind)
	for _, h := range hashes {
		out = append(out, h[:]...)
	}
	return &frame{out}
}

// parseFrame returns the kind and either a batch or hashes.
func parseFrame(b []byte) (kind byte, raw []byte, hashes []Hash, err error) {
	if len(b) < 2 {
		return 0, nil, nil, errors.New("frame: empty")
	}
	kind, payload := b[0], b[1:]
	switch kind {
	case framePulse:
		if len(payload) != 1 || payload[0] != 0 {
			return 0, nil, nil, errors.New("frame: a pulse that is none")
		}
		return kind, nil, nil, nil
	case framePush:
		if len(payload) > maxBatchWire {
			return 0, nil, nil, fmt.Errorf("frame: batch of %d bytes", len(payload))
		}
		return kind, payload, nil, nil
	case frameAnnounce, frameFetch:
		if len(payload)%32 != 0 || len(payload) > 32*maxHashes {
			return 0, nil, nil, fmt.Errorf("frame: hashes of %d bytes", len(payload))
		}
		for ; len(payload) > 0; payload = payload[32:] {
			hashes = append(hashes, Hash(payload[:32]))
		}
		return kind, nil, hashes, nil
	}
	return 0, nil, nil, fmt.Errorf("frame: kind %d", kind)
}
