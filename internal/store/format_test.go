package store

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/vfs"
)

// double is a migration: format 2 has the note twice, under another name.
func double(_ FS, _ string, m *meta, _ *slog.Logger) error {
	old, err := m.get("user-note")
	if err != nil {
		return err
	}
	return m.set("user-notes", append(append([]byte(nil), old...), old...))
}

// A crash or a failing disk at any moment of an upgrade leaves the old format or the new one, and the next start finishes
// it: the step's effect is there exactly once.
func TestMigrationSurvivesEveryCrash(t *testing.T) {
	dir := t.TempDir()
	before := newMemFS()
	first := inMemory(before, 1<<20)
	first.migrations = []migration{}
	s := open(t, dir, first)
	if err := s.SetMeta("note", []byte("ab")); err != nil {
		t.Fatal(err)
	}
	blocks := new(chain).blocks(3)
	appendAll(t, s, blocks)
	closeStore(t, s)

	newer := func(fs *memFS) Options {
		opts := inMemory(fs, 1<<20)
		opts.migrations = []migration{double}
		return opts
	}
	crashes := 0
	for at := 0; ; at++ {
		disk, ops := before.copy(), 0
		disk.setFault(func(string, string) error {
			if ops++; ops > at {
				return errors.New("the power fails")
			}
			return nil
		})
		s, err := Open(dir, newer(disk))
		if err == nil {
			disk.setFault(nil)
			closeStore(t, s)
			break
		}
		crashes++
		disk.setFault(nil)
		for _, left := range []*memFS{disk.powerCut(onlySynced), disk.copy()} {
			s := open(t, dir, newer(left))
			notes, err := s.Meta("notes")
			if err != nil || string(notes) != "abab" {
				t.Fatalf("crash at %d: %q %v", at, notes, err)
			}
			checkHolds(t, s, blocks)
			closeStore(t, s)
		}
	}
	if crashes < 5 {
		t.Errorf("only %d crashes", crashes)
	}
}

// Steps run once and in order; an older binary refuses what a newer one wrote and says what to do; a new folder has the
// newest format from the start.
func TestFormats(t *testing.T) {
	dir, fs := t.TempDir(), newMemFS()
	var ran []string
	step := func(name string) migration {
		return func(FS, string, *meta, *slog.Logger) error { ran = append(ran, name); return nil }
	}
	with := func(fs *memFS, steps ...migration) Options {
		opts := small()
		opts.FS, opts.StateFS, opts.migrations = fs, vfs.NewMem(), steps
		return opts
	}
	closeStore(t, open(t, dir, with(fs, []migration{}...)))
	for range 2 {
		closeStore(t, open(t, dir, with(fs, step("1 to 2"), step("2 to 3"))))
	}
	if got := strings.Join(ran, ", "); got != "1 to 2, 2 to 3" {
		t.Errorf("ran %s", got)
	}
	_, err := Open(dir, with(fs, step("again")))
	wantCode(t, err, CodeTooNew)
	if !strings.Contains(err.Error(), "format 3, written by a newer binary") {
		t.Error(err)
	}
	closeStore(t, open(t, t.TempDir(), with(newMemFS(), step("never"))))
	if len(ran) != 2 {
		t.Errorf("a new folder was migrated: %v", ran)
	}
	if Format != len(migrations)+1 {
		t.Errorf("Format is %d, the table has %d steps", Format, len(migrations))
	}
	for _, bad := range []string{"", "\x00\x00\x00\x00", "12345"} {
		if err := (&meta{fs: fs, dir: dir + "/meta"}).set(formatMeta, []byte(bad)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, with(fs, []migration{}...)); err == nil {
			t.Errorf("format %q was taken", bad)
		}
	}
}
