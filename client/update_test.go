package client_test

import (
	"bytes"
	"testing"

	"github.com/dureledger/dure/client"
)

func FuzzUpdate(f *testing.F) {
	f.Add(client.Update{Number: 7, Digest: [32]byte{1}}.Payload())
	f.Fuzz(func(t *testing.T, payload []byte) {
		if u, err := client.ParseUpdate(payload); err == nil && !bytes.Equal(u.Payload(), payload) {
			t.Errorf("%x is read as %+v", payload, u)
		}
	})
}
