package consensus

import (
	"errors"
	"log/slog"
	"testing"

	cmtcfg "github.com/cometbft/cometbft/config"
)

// What CometBFT's routines do while it stops must not end the process.
func TestClosedDatabaseIsCalm(t *testing.T) {
	config := cmtcfg.DefaultConfig()
	config.SetRoot(t.TempDir())
	db, err := openDB(&cmtcfg.DBContext{ID: "test", Config: config}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.SetSync([]byte("k"), []byte("v")); err != nil {
		t.Fatal(err)
	}
	if v, err := db.Get([]byte("k")); err != nil || string(v) != "v" {
		t.Errorf("open: %q, %v", v, err)
	}
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	if v, err := db.Get([]byte("k")); err != nil || v != nil {
		t.Errorf("closed: %q, %v", v, err)
	}
	if has, err := db.Has([]byte("k")); err != nil || has {
		t.Errorf("closed: %v, %v", has, err)
	}
	if err := db.Set([]byte("k"), []byte("w")); !errors.Is(err, errClosedDB) {
		t.Errorf("a write after close: %v", err)
	}
}
