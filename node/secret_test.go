package node

import (
	"fmt"
	"strings"
	"testing"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
)

// TestSecretText: a key is read back as it is written, of both kinds, and shows nothing of itself.
func TestSecretText(t *testing.T) {
	for kind, public := range map[accountv1.KeyKind]int{accountv1.KeyKind_KEY_KIND_ED25519: 32, accountv1.KeyKind_KEY_KIND_ML_DSA_65: 1952} {
		s, err := NewSecret(kind)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseSecret(s.Text() + "\n")
		if err != nil || !again.Equal(s) {
			t.Errorf("%v: %v", kind, err)
		}
		if key, err := s.Public(); err != nil || len(key) != public {
			t.Errorf("%v: a public key of %d bytes, %v", kind, len(key), err)
		}
		digits := s.Text()[len(s.Text())-64:]
		if shown := fmt.Sprintf("%v %+v %#v %s", s, s, s, s); strings.Contains(shown, digits[:8]) {
			t.Errorf("shown: %s", shown)
		}
		if _, err := s.Ed25519(); (err == nil) != (kind == accountv1.KeyKind_KEY_KIND_ED25519) {
			t.Errorf("%v as a node's key: %v", kind, err)
		}
	}
	a, b := strings.Repeat("ab", 32), "ml-dsa-65:"+strings.Repeat("ab", 32)
	one, err1 := ParseSecret(a)
	two, err2 := ParseSecret(b)
	if err1 != nil || err2 != nil || one.Equal(two) {
		t.Errorf("the same seed of two kinds: %v, %v", err1, err2)
	}
	for _, bad := range []string{"", a[1:], a + "00", "p256:" + a, "mldsa65:" + a, "ml-dsa-65:", b + b} {
		if _, err := ParseSecret(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if _, err := NewSecret(accountv1.KeyKind_KEY_KIND_P256); err == nil {
		t.Error("a P-256 key for a validator")
	}
}

// TestParseValidatorKey takes both kinds of public keys and says what else it wants.
func TestParseValidatorKey(t *testing.T) {
	for _, good := range []int{32, 1952} {
		if key, err := ParseValidatorKey(strings.Repeat("01", good) + "\n"); err != nil || len(key) != good {
			t.Errorf("%d bytes: %v", good, err)
		}
	}
	for _, bad := range []int{0, 31, 33, 1951, 1953} {
		if _, err := ParseValidatorKey(strings.Repeat("01", bad)); err == nil || !strings.Contains(err.Error(), "validator.pub") || len(err.Error()) > 300 {
			t.Errorf("%d bytes: %v", bad, err)
		}
	}
}
