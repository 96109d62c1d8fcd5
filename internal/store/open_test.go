package store

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestInUse(t *testing.T) {
	dir := t.TempDir()
	if os.Getenv("STORE_TEST_DIR") != "" {
		_, err := Open(os.Getenv("STORE_TEST_DIR"), small())
		fmt.Println(err)
		return
	}
	s := open(t, dir, small())
	_, err := Open(dir, small())
	wantCode(t, err, CodeInUse)

	other := exec.Command(os.Args[0], "-test.run=^TestInUse$")
	other.Env = append(os.Environ(), "STORE_TEST_DIR="+dir)
	out, err := other.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "in use by another dure (pid "+strconv.Itoa(os.Getpid())+")") {
		t.Fatalf("another process said %q, %v", out, err)
	}
	closeStore(t, s)
	closeStore(t, open(t, dir, small()))
}

func TestClosed(t *testing.T) {
	s := open(t, t.TempDir(), small())
	c := &chain{}
	appendAll(t, s, c.blocks(5))
	closeStore(t, s)
	closeStore(t, s)
	wantCode(t, s.Append(c.next(1)), CodeClosed)
	wantCode(t, s.State().Put(0, nil), CodeClosed)
	_, err := s.State().At(0)
	wantCode(t, err, CodeClosed)
	_, err = s.BlockAt(3)
	wantCode(t, err, CodeClosed)
}

func TestMeta(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, small())
	if v, err := s.Meta("cursor"); v != nil || err != nil {
		t.Fatalf("got %q, %v", v, err)
	}
	for _, v := range []string{"one", "", "three"} {
		if err := s.SetMeta("cursor", []byte(v)); err != nil {
			t.Fatal(err)
		}
	}
	closeStore(t, s)
	s = open(t, dir, small())
	defer closeStore(t, s)
	if v, err := s.Meta("cursor"); string(v) != "three" || err != nil {
		t.Fatalf("got %q, %v", v, err)
	}
	path := filepath.Join(dir, "meta", "user-cursor")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[5] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = s.Meta("cursor")
	wantCode(t, err, CodeCorrupt)
}

func TestBegin(t *testing.T) {
	full := open(t, t.TempDir(), small())
	defer closeStore(t, full)
	c := &chain{}
	blocks := c.blocks(60)
	appendAll(t, full, blocks)
	for _, from := range []int{1, 7, 33} {
		before := blocks[from-1]
		frontier, err := full.History().Frontier(before.HistorySize)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		s := open(t, dir, small())
		if err := s.Begin(Base{before.Height, before.HistorySize, frontier}); err != nil {
			t.Fatal(err)
		}
		if err := s.State().Put(before.Height, changesOf(before.Height)); err != nil {
			t.Fatal(err)
		}
		appendAll(t, s, blocks[from:])
		checkHolds(t, s, blocks[from:])
		for range 2 {
			end := blocks[59].HistorySize
			for i := before.HistorySize; i < end; i++ {
				got, err := s.History().Inclusion(i, end)
				want, _ := full.History().Inclusion(i, end)
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("from block %d: path of %d differs (%v)", from, i, err)
				}
			}
			if before.HistorySize > 0 {
				_, err = s.History().Inclusion(before.HistorySize-1, end)
				wantCode(t, err, CodeUnknownOutcome)
			}
			closeStore(t, s)
			s = open(t, dir, small())
			checkHolds(t, s, blocks[from:])
		}
		if s.Begin(Base{}) == nil {
			t.Fatal("a base was set in a store that holds blocks")
		}
		closeStore(t, s)
	}
}

func TestCheckFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if err := CheckFolder(dir); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 0 {
		t.Fatalf("left %v behind", names)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if CheckFolder(file) == nil {
		t.Fatal("a file passed for a folder")
	}
}
