package coap_test

import (
	"testing"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
	"github.com/plgd-dev/go-coap/v3/net/blockwise"
)

func block1(t *testing.T, num int64, more bool) func(*pool.Message) {
	t.Helper()
	value, err := blockwise.EncodeBlockOption(blockwise.SZX64, num, more)
	if err != nil {
		t.Fatal(err)
	}
	return func(m *pool.Message) { m.SetOptionUint32(message.Block1, value) }
}

// A reading may come in blocks of 64 bytes; what does not fit together, or is too long, is refused on the way.
func TestBlocks(t *testing.T) {
	p := newPlace(t)
	p.Open()
	car := p.Device(1)
	p.Feed(car)
	c := p.raw(car)
	id := int32(0)
	put := func(num int64, more bool, payload []byte) *pool.Message {
		t.Helper()
		id++
		c.send(message.Confirmable, id, codes.POST, "/reading", payload, block1(t, num, more))
		m := c.next()
		if m.MessageID() != id {
			t.Fatal(m)
		}
		return m
	}
	send := func(body []byte) *pool.Message {
		t.Helper()
		for num := int64(0); ; num++ {
			if len(body) <= 64 {
				return put(num, false, body)
			}
			m := put(num, true, body[:64])
			if m.Code() != codes.Continue {
				return m
			}
			if value, err := m.GetOptionUint32(message.Block1); err != nil || value>>4 != uint32(num) {
				t.Fatal(m, err)
			}
			body = body[64:]
		}
	}
	m := send(p.Reading(car, 1, 1, "52.3", 0))
	if value, err := m.GetOptionUint32(message.Block1); m.Code() != codes.Changed || err != nil || value&8 != 0 {
		t.Errorf("%v %v %s", m, err, bodyOf(t, m))
	}
	if m := send(make([]byte, 2000)); m.Code() != codes.RequestEntityTooLarge {
		t.Errorf("too long: %v", m)
	} else if most, err := m.GetOptionUint32(message.Size1); err != nil || most != 1024 {
		t.Errorf("%d %v", most, err)
	}
	if m := put(1, true, make([]byte, 64)); m.Code() != codes.RequestEntityIncomplete {
		t.Errorf("without a first: %v", m)
	}
	put(0, true, make([]byte, 64))
	if m := put(2, false, make([]byte, 64)); m.Code() != codes.RequestEntityIncomplete {
		t.Errorf("with a gap: %v", m)
	}
	if m := put(0, true, make([]byte, 63)); m.Code() != codes.BadRequest {
		t.Errorf("too short a block: %v", m)
	}
	if got := p.committed(car); len(got) != 1 {
		t.Errorf("on the ledger: %s", got)
	}
}
