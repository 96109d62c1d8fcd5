package state_test

import (
	"bytes"
	"crypto/sha256"
	"strconv"
	"testing"

	"github.com/dureledger/dure/ledger/state"
)

// Whoever is shown a proof of presence can check a guess of what is beside it: the hash in its first step is that of a leaf, and there is
// nothing in a leaf that others do not know but its value. So nodes that keep accounts apart do not show them such proofs (decision 101).
func TestAProofOfPresenceLetsItsNeighbourBeGuessed(t *testing.T) {
	mine, theirs := []byte("Sbkrw\x00mine"), []byte("Sbkrw\x00name")
	tree := state.NewTree().Apply([]state.Change{{Key: mine, Value: []byte("1")}, {Key: theirs, Value: []byte("48113")}, {Key: []byte("X"), Value: []byte("elsewhere")}})
	shown := prove(t, tree, string(mine)).GetExist().GetPath()[0].GetSuffix()
	for amount := range 100_000 {
		value := sha256.Sum256(strconv.AppendInt(nil, int64(amount), 10))
		leaf := sha256.Sum256(append(append(append([]byte{0, byte(len(theirs))}, theirs...), 32), value[:]...))
		if bytes.Equal(shown, leaf[:]) {
			if amount != 48113 {
				t.Errorf("guessed %d", amount)
			}
			return
		}
	}
	t.Error("not guessed: say in docs/access.md what has changed")
}
