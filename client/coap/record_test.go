package coap

import "testing"

func record(kind byte, epoch byte, content ...byte) []byte {
	return append([]byte{kind, 254, 253, 0, epoch, 0, 0, 0, 0, 0, 1, 0, byte(len(content))}, content...)
}

func join(records ...[]byte) (all []byte) {
	for _, r := range records {
		all = append(all, r...)
	}
	return all
}

func TestLook(t *testing.T) {
	for name, c := range map[string]struct {
		datagram []byte
		want     kind
	}{
		"nothing":                        {nil, neither},
		"too short":                      {[]byte{22, 254, 253}, neither},
		"longer than it is":              {record(22, 0, 1)[:13], neither},
		"hello":                          {record(22, 0, 1, 0, 0), hello},
		"another message":                {record(22, 0, 11, 0, 0), handshake},
		"the client's last flight":       {join(record(22, 0, 11), record(20, 0, 1), record(22, 1, 9, 9)), handshake},
		"sealed":                         {join(record(23, 1, 9), record(21, 1, 9)), sealed},
		"sealed, with a hello behind":    {join(record(23, 1, 9), record(22, 0, 1)), handshake},
		"sealed, with an alert behind":   {join(record(23, 1, 9), record(21, 0, 2, 40)), clear},
		"hello, with an alert behind":    {join(record(22, 0, 1), record(21, 0, 2, 40)), clear},
		"data in the clear":              {record(23, 0, 1), clear},
		"hello, with less than a record": {join(record(22, 0, 1), []byte{1}), neither},
	} {
		if got := look(c.datagram); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// FuzzLook: no datagram with anything but a handshake in the clear is given to a connection whose handshake is through.
func FuzzLook(f *testing.F) {
	f.Add(join(record(22, 0, 1), record(21, 0, 2, 40)))
	f.Add(join(record(23, 1, 9), record(20, 0, 1)))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		what := look(datagram)
		if what != sealed && what != handshake {
			return
		}
		for rest := datagram; len(rest) > 0; rest = rest[recordHead+int(rest[11])<<8+int(rest[12]):] {
			if rest[3] == 0 && rest[4] == 0 && rest[0] != typeHandshake && rest[0] != typeChange {
				t.Fatalf("%x passes as %d", datagram, what)
			}
		}
	})
}
