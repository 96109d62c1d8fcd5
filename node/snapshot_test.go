package node

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/dureledger/dure/consensus"
	ledgerv1 "github.com/dureledger/dure/gen/dure/ledger/v1"
	"github.com/dureledger/dure/internal/store"
	"github.com/dureledger/dure/ledger/exec"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/state"
)

// minuteApart is how far apart the blocks of longLedger are: 40 of them reach beyond what can be replayed.
const minuteApart = 60_000

// emptyStore is a store with its snapshots, in a folder of its own.
func emptyStore(t testing.TB) *snapshots {
	t.Helper()
	home := Home(t.TempDir())
	s, err := openStorage(home.data("ledger"), store.Options{HistoryRoot: proof.HistoryRoot})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	out, err := newSnapshots(home, 2, s, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// version is a tip with its state.
type version struct {
	*consensus.Tip
	tree *state.Tree
}

// longLedger fills a store with 40 blocks, every third without outcomes, and returns its tip.
func longLedger(t testing.TB, s *snapshots) version {
	t.Helper()
	history, err := exec.NewHistory(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	tree, seq := state.NewTree(), uint64(0)
	if err := s.store.State().Put(0, nil); err != nil {
		t.Fatal(err)
	}
	var tip version
	for h := int64(1); h <= 40; h++ {
		b := store.Block{Height: h, Time: 1_700_000_000_000 + h*minuteApart, FirstSeq: seq}
		for p := range (h % 3) * 2 {
			raw := binary.BigEndian.AppendUint64([]byte{0x1a, 8}, seq) // an unknown field of a transaction: eight bytes
			hash, id := sha256.Sum256(raw), sha256.Sum256(append(raw, 'x'))
			leaf, err := proto.Marshal(&ledgerv1.Outcome{Id: id[:], TxHash: hash[:], Seq: seq, Height: h, Position: uint32(p), Time: b.Time})
			if err != nil {
				t.Fatal(err)
			}
			if err := history.Append(leaf); err != nil {
				t.Fatal(err)
			}
			b.Entries = append(b.Entries, store.Entry{Outcome: leaf, Raw: raw})
			seq++
		}
		change := []state.Change{{Key: binary.BigEndian.AppendUint64([]byte("k"), uint64(h)), Value: []byte("value")}}
		tree = tree.Apply(change)
		b.HistorySize, b.HistoryRoot, b.StateRoot = seq, history.Root(), tree.Root()
		b.AppHash = proof.AppHash(b.StateRoot, b.HistoryRoot)
		if err := s.store.Append(b); err != nil {
			t.Fatal(err)
		}
		if err := s.store.State().Put(h, change); err != nil {
			t.Fatal(err)
		}
		tip = version{&consensus.Tip{Height: h, Time: b.Time, HistorySize: seq, StateRoot: b.StateRoot, HistoryRoot: b.HistoryRoot, AppHash: b.AppHash}, tree}
	}
	return tip
}

// chunksOf makes a snapshot and returns its chunks.
func chunksOf(t testing.TB, s *snapshots, tip version) [][]byte {
	t.Helper()
	if err := s.write(tip.Tip, tip.tree); err != nil {
		t.Fatal(err)
	}
	list, err := s.List()
	if err != nil || len(list) != 1 || list[0].Height != tip.Height {
		t.Fatalf("listed %+v, %v", list, err)
	}
	var out [][]byte
	for i := range list[0].Chunks {
		c, err := s.Chunk(tip.Height, i)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// receive gives chunks to an empty store, as a peer does that announces just these.
func receive(t testing.TB, to *snapshots, tip version, chunks [][]byte) (*exec.Ledger, error) {
	t.Helper()
	var meta []byte
	for _, c := range chunks {
		sum := sha256.Sum256(c)
		meta = append(meta, sum[:]...)
	}
	sum := sha256.Sum256(meta)
	offer := consensus.Snapshot{Height: tip.Height, Format: snapshotFormat, Chunks: uint32(len(chunks)), Hash: sum[:], Metadata: meta}
	if err := to.Begin(offer); err != nil {
		t.Fatal(err)
	}
	for i, c := range chunks {
		if err := to.Take(uint32(i), append(c[:len(c)-1:len(c)-1], c[len(c)-1]^1)); err == nil {
			t.Fatal("a chunk that was not announced was taken")
		}
		if err := to.Take(uint32(i), c); err != nil {
			t.Fatal(err)
		}
	}
	return to.Finish(tip.Height, tip.Time, tip.AppHash)
}

// What is received has the same roots, the recent outcomes with their proofs, and no older ones, which it says.
func TestSnapshotCarriesWhatCanBeReplayed(t *testing.T) {
	from, to := emptyStore(t), emptyStore(t)
	tip := longLedger(t, from)
	l, err := receive(t, to, tip, chunksOf(t, from, tip))
	if err != nil {
		t.Fatal(err)
	}
	if l.AppHash() != tip.AppHash || l.Height() != tip.Height || l.Time() != tip.Time {
		t.Errorf("the ledger is at block %d", l.Height())
	}
	first := to.store.FirstSeq()
	if first == 0 || first >= tip.HistorySize {
		t.Fatalf("the first outcome held is %d of %d", first, tip.HistorySize)
	}
	for seq := first; seq < tip.HistorySize; seq++ {
		got, err := to.store.Entry(seq)
		if err != nil {
			t.Fatal(err)
		}
		if want, err := from.store.Entry(seq); err != nil || string(want.Outcome) != string(got.Outcome) || string(want.Raw) != string(got.Raw) {
			t.Errorf("outcome %d differs: %v", seq, err)
		}
		a, errA := from.store.History().Inclusion(seq, tip.HistorySize)
		b, errB := to.store.History().Inclusion(seq, tip.HistorySize)
		if errA != nil || errB != nil || len(a) != len(b) || string(a[0]) != string(b[0]) {
			t.Errorf("proof of %d: %v, %v", seq, errA, errB)
		}
	}
	if _, err := to.store.Entry(first - 1); fault.Code(err) != store.CodeUnknownOutcome {
		t.Errorf("an older outcome: %v", err)
	}
	if err := (&ledger{store: to.store}).pruned([32]byte{}); fault.Code(err) != "tx.pruned" || !strings.Contains(err.Error(), "ask another") {
		t.Errorf("what it says of older transactions: %v", err)
	}
}

// Nothing false is stored, wherever it is, though the peer announces it.
func TestSnapshotLies(t *testing.T) {
	from, to := emptyStore(t), emptyStore(t)
	tip := longLedger(t, from)
	good := chunksOf(t, from, tip)
	base, outcomes, values := good[0], good[1], good[2]
	for name, chunks := range map[string][][]byte{
		"no state":                 {base, outcomes},
		"no outcomes":              {base, values},
		"no base":                  {outcomes, values},
		"state before outcomes":    {base, values, outcomes},
		"outcomes twice":           {base, outcomes, outcomes, values},
		"state twice":              {base, outcomes, values, values},
		"an unknown kind":          {base, outcomes, values, {'x'}},
		"an empty chunk's content": {base, {chunkOutcomes}, values},
	} {
		refused(t, to, name, tip, chunks)
	}
	for i, chunk := range good {
		for at := 0; at < len(chunk); at += 1 + len(chunk)/40 {
			changed := append([]byte(nil), chunk...)
			changed[at] ^= 4
			bad := append([][]byte(nil), good...)
			bad[i] = changed
			refused(t, to, "a changed byte", tip, bad)
		}
	}
	t.Run("less than can be replayed", func(t *testing.T) {
		short := emptyStore(t)
		longLedger(t, short)
		b, err := short.store.BlockAt(tip.Height - 2)
		if err != nil {
			t.Fatal(err)
		}
		w := &snapshotWriter{dir: t.TempDir(), stop: short.stop, began: time.Now()}
		if err := writeFrom(short, w, tip, b); err != nil {
			t.Fatal(err)
		}
		late := [][]byte{read(t, w.dir, 0), read(t, w.dir, 1), values}
		_, err = receive(t, emptyStore(t), tip, late)
		if err == nil || !strings.Contains(err.Error(), "replayed") {
			t.Errorf("taken: %v", err)
		}
	})
}

// writeFrom writes the base and outcomes from a block on.
func writeFrom(s *snapshots, w *snapshotWriter, tip version, b *store.Block) error {
	return s.writeSince(w, tip.Tip, b.Height-1, b.FirstSeq)
}

func read(t *testing.T, dir string, n int) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, chunkName(n)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func refused(t *testing.T, to *snapshots, what string, tip version, chunks [][]byte) {
	t.Helper()
	if _, err := receive(t, to, tip, chunks); err == nil {
		t.Errorf("%s: taken", what)
	}
	if to.store.LastHeight() != 0 || to.store.State().LastHeight() >= 0 {
		t.Errorf("%s: something was stored", what)
	}
}

func FuzzSnapshotChunk(f *testing.F) {
	from := emptyStore(f)
	tip := longLedger(f, from)
	chunks := chunksOf(f, from, tip)
	for _, c := range chunks {
		f.Add(c)
	}
	f.Fuzz(func(_ *testing.T, chunk []byte) {
		p := &parsed{height: tip.Height, time: tip.Time, tree: state.NewTree(), sink: func(*store.Block) error { return nil }}
		if p.chunk(0, chunk) != nil {
			p = &parsed{height: tip.Height, time: tip.Time, tree: state.NewTree(), sink: func(*store.Block) error { return nil }}
			_ = p.chunk(0, chunks[0])
			_ = p.chunk(1, chunk) // what it says of foreign bytes does not matter, that it ends does
		}
	})
}
