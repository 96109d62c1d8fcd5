package consensus

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/dureledger/dure/ledger/tx"
)

// alike is a key whose x-coordinate stands in the same line as that of others with the same number, and an x-coordinate to keep for it.
func alike(number uint64, which byte) (public [32]byte, x tx.X) {
	binary.LittleEndian.PutUint64(public[8:], number)
	public[0] = which
	for i := range x {
		x[i] = which
	}
	return public, x
}

func TestTheNewestTwoOfALineAreKept(t *testing.T) {
	table := newXTable()
	for which := byte(1); which < 5; which++ {
		public, x := alike(7, which)
		_, before := alike(7, which-1)
		table.keep(&public, x)
		if got := table.find(&public); got != [2]tx.X{x, before} {
			t.Errorf("%d: %x", which, got)
		}
	}
	if other, _ := alike(8, 4); table.find(&other) != [2]tx.X{} {
		t.Error("another line has something too")
	}
}

func TestTheTableOfCoordinatesGrowsToItsBound(t *testing.T) {
	table, chance := newXTable(), rand.New(rand.NewPCG(1, 1))
	sizes := map[int]bool{}
	for range 1_000_000 {
		public, x := alike(chance.Uint64(), 1)
		table.keep(&public, x)
		sizes[len(table.lines.Load().words)*8] = true
		if table.find(&public)[0] != x {
			t.Fatal("what was kept just now is not found")
		}
	}
	for size := 64 << 10; size <= 64<<20; size *= 2 {
		if !sizes[size] {
			t.Errorf("it never had %d bytes", size)
		}
		delete(sizes, size)
	}
	if len(sizes) > 0 {
		t.Errorf("it had %v bytes", sizes)
	}
}

// Growing forgets nothing: what a key alone in its line had is found in the larger table.
func TestAGrownTableHasWhatTheSmallOneHad(t *testing.T) {
	table := newXTable()
	var kept [][32]byte
	for lines := len(table.lines.Load().words); len(table.lines.Load().words) == lines; {
		public, x := alike(uint64(len(kept))*0x9e3779b97f4a7c15>>20, byte(len(kept)%250+1))
		table.keep(&public, x)
		kept = append(kept, public)
	}
	for i, public := range kept {
		if x := table.find(&public); x[0][0] != byte(i%250+1) && x[1][0] != byte(i%250+1) {
			t.Errorf("key %d of %d: %x", i, len(kept), x)
		}
	}
}

// Whatever the table holds, and whoever writes to it meanwhile, exactly the bad transactions are found.
func TestTheTableOfCoordinatesChangesNoAnswer(t *testing.T) {
	signers := newSigners(400)
	numbers := make([]int, len(signers))
	for i := range numbers {
		numbers[i] = i
	}
	v := NewVerifier(testNetwork)
	check := func(bad ...int) {
		t.Helper()
		txs, spoiled := signers.txs(numbers), map[int]bool{}
		for _, i := range bad {
			txs[i].Witnesses[0].Signature[33] ^= 1
			spoiled[i] = true
		}
		for i, err := range v.Signatures(txs) {
			if (err != nil) != spoiled[i] {
				t.Errorf("transaction %d: %v", i, err)
			}
		}
	}
	check()
	check(0, 250, 399)
	spoil := func(chance *rand.Rand) {
		words := v.keys.ed25519.lines.Load().words
		words[chance.IntN(len(words))].Store(chance.Uint64())
	}
	chance := rand.New(rand.NewPCG(1, 1))
	for range 4 * len(v.keys.ed25519.lines.Load().words) {
		spoil(chance)
	}
	check()
	check(17)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range 5 {
				check()
				check(3, 299)
			}
		})
		wg.Go(func() {
			chance := rand.New(rand.NewPCG(2, 2))
			for range 100_000 {
				spoil(chance)
			}
		})
	}
	wg.Wait()
}

// A key that has signed is unpacked no more: its x-coordinate is at hand.
func TestCoordinatesOfSignersAreKept(t *testing.T) {
	signers, v := newSigners(300), NewVerifier(testNetwork)
	for range 2 { // in the first round more than two share a line before the table grows
		signers.all(v, 0, len(signers))
	}
	for i := range signers {
		if v.keys.Ed25519(&signers[i].public) == [2]tx.X{} {
			t.Errorf("nothing is kept for signer %d", i)
		}
	}
}
