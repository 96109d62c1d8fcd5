package consensus

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"

	"github.com/dureledger/dure/ledger/exec"
)

// strictSnapshots takes only chunks that say "good" and finds fault with the whole.
type strictSnapshots struct{}

func (strictSnapshots) List() ([]Snapshot, error)           { return nil, nil }
func (strictSnapshots) Chunk(int64, uint32) ([]byte, error) { return nil, nil }
func (strictSnapshots) Begin(Snapshot) error                { return nil }
func (strictSnapshots) Take(_ uint32, chunk []byte) error {
	if string(chunk) != "good" {
		return errors.New("not announced")
	}
	return nil
}

func (strictSnapshots) Finish(int64, int64, [32]byte) (*exec.Ledger, error) {
	return nil, errors.New("another app hash")
}

// Whoever sends a false piece is named and asked no more; so are all who sent of a snapshot that is false as a whole.
func TestLiarsAreNamed(t *testing.T) {
	var log bytes.Buffer
	a := &app{log: slog.New(slog.NewTextHandler(io.MultiWriter(&log), nil)), snapshots: strictSnapshots{}, provider: &provider{}}
	offer := &abci.RequestOfferSnapshot{Snapshot: &abci.Snapshot{Height: 9, Format: 1, Chunks: 2}, AppHash: make([]byte, 32)}
	if r, err := a.OfferSnapshot(t.Context(), offer); err != nil || r.Result != abci.ResponseOfferSnapshot_ACCEPT {
		t.Fatalf("offered: %v, %v", r, err)
	}
	apply := func(index uint32, chunk, sender string) *abci.ResponseApplySnapshotChunk {
		t.Helper()
		r, err := a.ApplySnapshotChunk(t.Context(), &abci.RequestApplySnapshotChunk{Index: index, Chunk: []byte(chunk), Sender: sender})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := apply(0, "bad", "liar"); !slices.Equal(r.RejectSenders, []string{"liar"}) || !slices.Equal(r.RefetchChunks, []uint32{0}) {
		t.Errorf("a false piece: %v", r)
	}
	if !strings.Contains(log.String(), "peer=liar") {
		t.Errorf("the log does not name the liar: %s", log.String())
	}
	if r := apply(0, "good", "one"); len(r.RejectSenders) > 0 || r.Result != abci.ResponseApplySnapshotChunk_ACCEPT {
		t.Errorf("a good piece: %v", r)
	}
	r := apply(1, "good", "two")
	if r.Result != abci.ResponseApplySnapshotChunk_REJECT_SNAPSHOT || !slices.Equal(r.RejectSenders, []string{"one", "two"}) {
		t.Errorf("a false whole: %v", r)
	}
	if a.tip.Load() != nil {
		t.Error("it became the ledger")
	}
}
