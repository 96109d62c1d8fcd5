package consensus

import (
	"bytes"
	"testing"

	cryptoenc "github.com/cometbft/cometbft/crypto/encoding"

	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/exec"
)

// A change of power reaches CometBFT for validators of either kind; a node that could not say it would stop, and all others with it.
func TestValidatorUpdate(t *testing.T) {
	for _, kind := range []accountv1.KeyKind{accountv1.KeyKind_KEY_KIND_ED25519, accountv1.KeyKind_KEY_KIND_ML_DSA_65} {
		key, err := NewValidatorKey(kind, bytes.Repeat([]byte{7}, 32))
		if err != nil {
			t.Fatal(err)
		}
		for _, power := range []int64{0, 9} {
			update, err := validatorUpdate(exec.ValidatorUpdate{Key: key.Public(), Power: power})
			if err != nil {
				t.Fatal(err)
			}
			public, err := cryptoenc.PubKeyFromProto(update.PubKey)
			if err != nil || !bytes.Equal(public.Bytes(), key.Public()) || update.Power != power {
				t.Errorf("%v, power %d: %v", kind, update.Power, err)
			}
		}
	}
	if _, err := validatorUpdate(exec.ValidatorUpdate{Key: make([]byte, 33), Power: 1}); err == nil {
		t.Error("33 bytes are a validator's key")
	}
}
