package devicec

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"testing"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// smallOrder are all encodings of the points of small order: eight canonical ones, and six that RFC 8032 does not allow.
var smallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// Signatures of validators hold by ZIP-215, those of witnesses as crypto/ed25519 has them: on strange keys and points too.
func TestEd25519TakesWhatGoTakes(t *testing.T) {
	c := newChecker(t)
	zip215 := &voi.Options{Verify: voi.VerifyOptionsZIP_215}
	both := func(key, signature, message []byte) {
		t.Helper()
		bit := map[bool]string{true: "1", false: "0"}
		want := bit[voi.VerifyWithOptions(key, message, signature, zip215)] + " " + bit[ed25519.Verify(key, message, signature)]
		code, rest := c.ask('e', key, signature, message)
		if got := code + " " + rest; got != want {
			t.Errorf("key %x, signature %x: C says %s, Go %s", key, signature, got, want)
		}
	}
	for _, a := range smallOrder {
		for _, r := range smallOrder {
			both(unhex(t, a), append(unhex(t, r), make([]byte, 32)...), []byte("Zcash"))
		}
	}
	random := rand.NewChaCha8([32]byte{1})
	order := unhex(t, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	for i := range 200 {
		seed, message := make([]byte, 32), make([]byte, i)
		random.Read(seed)
		random.Read(message)
		key := ed25519.NewKeyFromSeed(seed)
		public, signature := []byte(key.Public().(ed25519.PublicKey)), ed25519.Sign(key, message)
		both(public, signature, message)
		both(unhex(t, smallOrder[i%len(smallOrder)]), signature, message)
		// The same scalar with the order added is a second signature for those who do not look.
		second, carry := append([]byte{}, signature...), 0
		for j, b := range order {
			carry += int(second[32+j]) + int(b)
			second[32+j], carry = byte(carry), carry>>8
		}
		both(public, second, message)
		signature[i%64] ^= 1 << (i % 8)
		both(public, signature, message)
		signature[i%64] ^= 1 << (i % 8)
		public[i%32] ^= 1 << (i % 8)
		both(public, signature, message)
	}
	if code, rest := c.ask('e', unhex(t, smallOrder[1]), append(unhex(t, smallOrder[3]), make([]byte, 32)...), nil); code != "1" {
		t.Errorf("ZIP-215 takes every point of small order: %s", fmt.Sprint(code, rest))
	}
}
