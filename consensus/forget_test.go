package consensus

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	dbm "github.com/cometbft/cometbft-db"
	cmtcfg "github.com/cometbft/cometbft/config"
	cmtcons "github.com/cometbft/cometbft/consensus"
	cmtlog "github.com/cometbft/cometbft/libs/log"
	cmtstore "github.com/cometbft/cometbft/proto/tendermint/store"
	cmttypes "github.com/cometbft/cometbft/types"
)

// writtenLog is a write-ahead log over three files: the first ends height 1, the second height 2, and the head has a vote of height 3.
func writtenLog(t *testing.T) (home string, files []string) {
	t.Helper()
	home = t.TempDir()
	head := cometFolders(home).Consensus.WalFile()
	wal, err := cmtcons.NewWAL(head)
	if err != nil {
		t.Fatal(err)
	}
	wal.SetLogger(cmtlog.NewNopLogger())
	if err := wal.Start(); err != nil {
		t.Fatal(err)
	}
	for height := int64(1); height <= 3; height++ {
		for range 5 {
			if err := wal.Write(cmttypes.EventDataRoundState{Height: height, Round: 7, Step: "secret"}); err != nil {
				t.Fatal(err)
			}
		}
		if height == 3 {
			break
		}
		if err := wal.WriteSync(cmtcons.EndHeightMessage{Height: height}); err != nil {
			t.Fatal(err)
		}
		wal.Group().RotateFile()
		files = append(files, fmt.Sprintf("%s.%03d", head, height-1))
	}
	if err := wal.Stop(); err != nil {
		t.Fatal(err)
	}
	wal.Wait()
	return home, append(files, head)
}

// What is left of a log begins with the end of the last height, and CometBFT reads it.
func TestShortenLog(t *testing.T) {
	home, files := writtenLog(t)
	head := files[2]
	for range 2 { // a second time there is nothing to do
		if err := ShortenLog(home); err != nil {
			t.Fatal(err)
		}
		for _, f := range files[:2] {
			if _, err := os.Stat(f); !os.IsNotExist(err) {
				t.Errorf("%s is still there: %v", f, err)
			}
		}
		raw, err := os.ReadFile(head)
		if err != nil || bytes.Count(raw, []byte("secret")) != 5 {
			t.Errorf("%d messages are left, %v", bytes.Count(raw, []byte("secret")), err)
		}
	}
	wal, err := cmtcons.NewWAL(head)
	if err != nil {
		t.Fatal(err)
	}
	r, found, err := wal.SearchForEndHeight(2, &cmtcons.WALSearchOptions{})
	if err != nil || !found {
		t.Fatalf("height 2 has no end: %v", err)
	}
	n := 0
	for dec := cmtcons.NewWALDecoder(r); ; n++ {
		if _, err := dec.Decode(); err != nil {
			break
		}
	}
	if n != 5 {
		t.Errorf("%d messages after it", n)
	}
	_ = r.Close()
	wal.Group().Close()
}

// A torn end stays for CometBFT; a log that cannot be read before any height ends stays as it is; no log is no error.
func TestShortenDamagedLog(t *testing.T) {
	home, files := writtenLog(t)
	head := files[2]
	torn, err := os.ReadFile(head)
	if err != nil {
		t.Fatal(err)
	}
	torn = torn[:len(torn)-3]
	if err := os.WriteFile(head, torn, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := ShortenLog(home); err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(head); err != nil || !bytes.Equal(raw, torn) {
		t.Errorf("%d bytes of %d, %v", len(raw), len(torn), err)
	}
	if err := ShortenLog(t.TempDir()); err != nil {
		t.Error(err)
	}
}

func FuzzLastEnd(f *testing.F) {
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0}, 16))
	f.Add([]byte{1, 2, 3, 4, 0, 0, 0, 1, 5, 6})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if at, _ := lastEnd(raw); at >= len(raw) {
			t.Errorf("at %d of %d", at, len(raw))
		}
	})
}

// Old files of a running node's log go, but the newest stays.
func TestTrimLog(t *testing.T) {
	home, files := writtenLog(t)
	damaged := filepath.Join(filepath.Dir(files[2]), damagedLog)
	if err := os.WriteFile(damaged, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := &Engine{config: Config{Home: home}}
	for _, tc := range []struct {
		before time.Time
		left   int
	}{{time.Unix(1, 0), 4}, {time.Now().Add(time.Hour), 2}} {
		if err := e.TrimLog(tc.before); err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, f := range append(files, damaged) {
			if _, err := os.Stat(f); err == nil {
				left++
			}
		}
		if left != tc.left {
			t.Errorf("%d files are left, not %d", left, tc.left)
		}
	}
	if _, err := os.Stat(files[1]); err != nil {
		t.Error("the newest is gone")
	}
}

// After compaction no file has what was pruned, and what was not is there; the next goes on where the last ended.
func TestCompact(t *testing.T) {
	config := cmtcfg.DefaultConfig()
	config.SetRoot(t.TempDir())
	db := openBlocks(t, config)
	const base = compactBlocks*2 + 50
	name := func(height int) []byte { return fmt.Appendf(nil, "P:%d:0", height) }
	for height := 1; height < base; height++ {
		if err := db.Set(name(height), []byte("secret")); err != nil {
			t.Fatal(err)
		}
	}
	for height := 1; height < base; height++ {
		if err := db.Delete(name(height)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Set(name(base), []byte("kept")); err != nil {
		t.Fatal(err)
	}
	state := cmtstore.BlockStoreState{Base: base, Height: base}
	raw, err := state.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SetSync([]byte(stateName), raw); err != nil {
		t.Fatal(err)
	}
	e := &Engine{dbs: databases{open: map[string]dbm.DB{blockStoreDB: db}}}
	rests := 0
	rest := func(ctx context.Context, _ time.Duration) error { rests++; return ctx.Err() }
	for range 2 {
		if err := e.Compact(t.Context(), rest); err != nil || rests != 3 {
			t.Errorf("%d rests, %v", rests, err)
		}
	}
	if v, err := db.Get(name(base)); err != nil || string(v) != "kept" {
		t.Errorf("the first block that is kept: %q, %v", v, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(config.DBDir(), blockStoreDB+".db", "*"))
	if err != nil || len(names) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range names {
		if raw, err := os.ReadFile(name); err != nil || bytes.Contains(raw, []byte("secret")) {
			t.Errorf("%s has what was pruned, %v", name, err)
		}
	}
}
