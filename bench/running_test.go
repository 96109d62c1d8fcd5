package bench_test

import (
	"crypto"
	"errors"
	"io"
	"testing"

	"github.com/dureledger/dure/bench"
	"github.com/dureledger/dure/client/device"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// lostKey is in a chip that is away.
type lostKey struct{ crypto.Signer }

var errAway = errors.New("away")

func (lostKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errAway }

// A device that has stopped by itself says why, to everybody who asks, and can be switched off still.
func TestRunningThatStops(t *testing.T) {
	secret := make([]byte, 32)
	secret[0] = 1
	signer, err := tx.NewSigner(accountv1.KeyKind_KEY_KIND_ED25519, secret)
	if err != nil {
		t.Fatal(err)
	}
	key, err := reading.Key(accountv1.KeyKind_KEY_KIND_ED25519, secret)
	if err != nil {
		t.Fatal(err)
	}
	r, err := bench.SwitchOn(device.Config{Dir: t.TempDir(), Network: "n", Address: signer.Key().Address(), Key: lostKey{key}, Signer: signer, Gateway: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		<-r.Ended()
		if !errors.Is(r.Err(), errAway) {
			t.Fatal(r.Err())
		}
	}
	if err := r.Off(); !errors.Is(err, errAway) {
		t.Fatal(err)
	}
}
