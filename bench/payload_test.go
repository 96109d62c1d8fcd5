package bench

import (
	"bytes"
	"testing"
	"time"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/reading"
	"github.com/dureledger/dure/ledger/tx"
)

// Every reading has a payload of 64 bytes, also the odd ones.
func TestPayload(t *testing.T) {
	secret := bytes.Repeat([]byte{7}, 32)
	signer, err := tx.NewEd25519Signer(secret)
	if err != nil {
		t.Fatal(err)
	}
	key, err := reading.Key(accountv1.KeyKind_KEY_KIND_ED25519, secret)
	if err != nil {
		t.Fatal(err)
	}
	d := &reporter{signer: signer, key: key, feed: feedName(0)}
	r := &crowd{}
	r.id = "test"
	s, err := r.signSource(d, 3*oddEvery, time.UnixMilli(1_790_000_000_000))
	if err != nil {
		t.Fatal(err)
	}
	for i, raw := range s.raw {
		// The empty unprotected header, then the payload: a byte string of 64, an array of one.
		if !bytes.Contains(raw, []byte{0xa0, 0x58, 64, 0x81}) {
			t.Fatalf("reading %d: % x", i, raw)
		}
	}
}

// The ledger keeps so many readings of a device in quarantine and refuses what comes while they wait.
func TestQuarantineIsFull(t *testing.T) {
	d := &reporter{began: []began{{0, 1}}}
	for n, want := range map[uint64]string{1: "accepted", oddEvery: "late", 2*oddEvery - 1: "quarantined", quarantine*2*oddEvery - 1: "quarantined", (quarantine+1)*2*oddEvery - 1: "refused"} {
		if _, _, got := d.of(n); got != want {
			t.Errorf("reading %d: %s, want %s", n, got, want)
		}
	}
}
