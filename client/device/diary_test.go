package device

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/dureledger/dure/ledger/fault"
)

// keeper is a device that only keeps a diary, and counts what it does.
func keeper(t *testing.T, file string, now int64, done *int) *Device {
	t.Helper()
	diary, err := openDiary(file)
	if err != nil {
		t.Fatal(err)
	}
	return &Device{diary: diary, cfg: Config{
		Now: func() time.Time { return time.UnixMilli(now) }, Log: slog.New(slog.DiscardHandler),
		Command: func(context.Context, Command) (string, error) { *done++; return "", errors.New("no") },
	}}
}

// What was begun is never done again, whatever the clock says after a start.
func TestCommandsAreDoneOnce(t *testing.T) {
	file, done := filepath.Join(t.TempDir(), "commands"), 0
	first, second := Command{ID: [16]byte{1}, Expires: time.UnixMilli(1000)}, Command{ID: [16]byte{2}, Expires: time.UnixMilli(2000)}
	d := keeper(t, file, 500, &done)
	e, ok := d.do(t.Context(), first)
	if !ok || done != 1 || e.OK || e.Note != "no" {
		t.Fatalf("%+v, %t, done %d times", e, ok, done)
	}
	if e, ok := d.do(t.Context(), first); !ok || done != 1 || e.Note != "no" {
		t.Errorf("handed again before it was told: %+v, %t", e, ok)
	}
	e.Sent = true
	if err := d.diary.put(e); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.do(t.Context(), first); ok || done != 1 {
		t.Error("handed again: it is told or done again")
	}
	// A crash while the second is done, and a clock that begins anew.
	if err := d.diary.put(entry{Command: fmt.Sprintf("%x", second.ID), Expires: 2000}); err != nil {
		t.Fatal(err)
	}
	d = keeper(t, file, 1500, &done)
	if e, ok := d.do(t.Context(), second); !ok || e.OK || done != 1 || e.Note != errStopped.Error() {
		t.Errorf("after a crash: %+v, done %d times", e, done)
	}
	d = keeper(t, file, 1, &done)
	if _, ok := d.do(t.Context(), first); ok || done != 1 {
		t.Error("an old command is young again")
	}
}

// A command that a crash has cut off and nobody hands over again is told when its time is over.
func TestCommandsThatWereCutOff(t *testing.T) {
	d, err := openDiary(filepath.Join(t.TempDir(), "commands"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxDiary {
		if err := d.put(entry{Command: fmt.Sprint(i), Expires: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.put(entry{Command: "more"}); fault.Code(err) != "device.too_many_commands" {
		t.Errorf("one more than is kept: %v", err)
	}
	d.passed(9)
	cut := d.unsent()
	if len(cut) != 10 || cut[0].OK || cut[0].Note == "" {
		t.Fatalf("cut off are %v", cut)
	}
	for _, e := range cut {
		e.Sent = true
		if err := d.put(e); err != nil {
			t.Fatal(err)
		}
	}
	d.passed(10)
	if err := d.put(entry{Command: "more", Expires: 99}); err != nil {
		t.Errorf("there is room: %v", err)
	}
}
