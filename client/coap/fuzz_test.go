package coap

import (
	"bytes"
	"testing"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"
	"github.com/plgd-dev/go-coap/v3/message/pool"
)

// Whatever blocks come, a body is what was sent in a row from its beginning, and no longer than it may be; and a body that is cut is whole again
// when its blocks are put together.
func FuzzBlocks(f *testing.F) {
	f.Add(uint32(0x08), []byte("0123456789abcdef"), uint32(0x10), []byte("end"), uint8(0))
	f.Add(uint32(0x0e), []byte("short"), uint32(0x17), []byte{}, uint8(3))
	f.Fuzz(func(t *testing.T, first uint32, a []byte, second uint32, b []byte, szx uint8) {
		const most = 1500
		u := &upload{path: "/reading"}
		var sent []byte
		for _, s := range []struct {
			value   uint32
			payload []byte
		}{{first, a}, {second, b}} {
			bl, err := readBlock(s.value)
			if err != nil {
				return
			}
			if bl.value() != s.value {
				t.Fatalf("%x became %x", s.value, bl.value())
			}
			r, whole, ok := u.add("/reading", bl, s.payload, most)
			if !ok {
				if r.Code < 128 {
					t.Fatal(r.Code)
				}
				return
			}
			sent = append(sent, s.payload...)
			if len(u.body) > most || !bl.more && !bytes.Equal(whole, sent) || bl.more && r.Code != codes.Continue {
				t.Fatal(len(u.body), r.Code)
			}
			if !bl.more {
				break
			}
		}
		want := bl(t, uint32(szx%7))
		var back []byte
		for {
			r := cut(sent, message.AppOctets, want)
			if r.Code != codes.Content {
				t.Fatal(r.Code)
			}
			m := pool.New(0, 0).AcquireMessage(t.Context())
			r.fill(m)
			back = append(back, r.Body...)
			value, err := m.GetOptionUint32(message.Block2)
			if err != nil || value&8 == 0 {
				break
			}
			want.num++
		}
		if !bytes.Equal(back, sent) {
			t.Fatalf("%d bytes became %d", len(sent), len(back))
		}
	})
}

func bl(t *testing.T, value uint32) block {
	t.Helper()
	b, err := readBlock(value)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
