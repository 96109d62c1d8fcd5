package consensus

import (
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/dureledger/dure/ledger/tx"
)

// alike is a key whose x-coordinate stands in the same lines as that of others with the same number, and an x-coordinate to keep for it.
func alike(number uint64, which byte) (public [32]byte, x tx.X) {
	binary.LittleEndian.PutUint64(public[8:], number)
	binary.LittleEndian.PutUint64(public[16:], number*0x9e3779b97f4a7c15>>11)
	public[0] = which
	for i := range x {
		x[i] = which
	}
	return public, x
}

// has says whether one of a key's lines has an x-coordinate.
func (t *xTable) has(public *[32]byte, x tx.X) bool {
	first, second := t.find(public, 0), t.find(public, 1)
	return slices.Contains(append(first[:], second[:]...), x)
}

func TestWhatIsKeptIsPushedOutByTheFourthAfterIt(t *testing.T) {
	table := newXTable()
	for which := byte(1); which < 4; which++ { // fill both lines: two each
		public, x := alike(7, which)
		table.keep(&public, x)
	}
	for which := byte(4); which < 8; which++ {
		public, x := alike(7, which)
		table.keep(&public, x)
		if !table.has(&public, x) {
			t.Errorf("%d is not there", which)
		}
		public, x = alike(7, which-1)
		if !table.has(&public, x) {
			t.Errorf("%d is gone when %d comes", which-1, which)
		}
	}
	if public, x := alike(7, 1); table.has(&public, x) {
		t.Error("the oldest is still there")
	}
	if public, x := alike(7, 3); !table.has(&public, x) {
		t.Error("the second line has lost what it had")
	}
	if other, _ := alike(8, 4); table.find(&other, 0) != [2]tx.X{} || table.find(&other, 1) != [2]tx.X{} {
		t.Error("another line has something too")
	}
}

// The table of a million keys that sign at random is of its largest size and has nearly all of them.
func TestTheTableOfCoordinatesGrowsToItsBound(t *testing.T) {
	const keys = 1_000_000
	number := func(i int) uint64 { return rand.New(rand.NewPCG(1, uint64(i))).Uint64() }
	which := func(i int) byte { return byte(i%250 + 1) }
	table := newXTable()
	sizes := map[int]bool{}
	for i := range keys {
		public, x := alike(number(i), which(i))
		table.keep(&public, x)
		sizes[len(table.lines.Load().words)*8] = true
		if !table.has(&public, x) {
			t.Fatal("what was kept just now is not found")
		}
	}
	if want := map[int]bool{64 << 10: true, 4 << 20: true, 64 << 20: true}; !maps.Equal(sizes, want) {
		t.Errorf("it had %v bytes, want %v", sizes, want)
	}
	missing := 0
	for i := range keys {
		if public, x := alike(number(i), which(i)); !table.has(&public, x) {
			missing++
		}
	}
	if missing > keys/25 {
		t.Errorf("%d of %d keys are not found", missing, keys)
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
	for range 2 { // a table that grows forgets what it had
		signers.all(v, 0, len(signers))
	}
	for i := range signers {
		if public := &signers[i].public; v.keys.Ed25519(public, 0) == [2]tx.X{} && v.keys.Ed25519(public, 1) == [2]tx.X{} {
			t.Errorf("nothing is kept for signer %d", i)
		}
	}
}
