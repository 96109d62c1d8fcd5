package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/ledger/tx"
)

// statusEntry is the credential's entry in the status list: the one named, or one drawn at random of which this home folder does not know that it was used.
func (a *app) statusEntry(ctx context.Context, c *client.Client, issuer tx.Address, f issueFlags) (uint32, error) {
	if f.list == 0 {
		if f.index >= 0 {
			return 0, usage("--index is an entry of a list: give --status-list too")
		}
		return 0, nil
	}
	list, _, err := c.StatusList(ctx, issuer, f.list)
	if err != nil {
		return 0, err
	}
	size := int64(list.Len())
	if f.index >= size {
		return 0, usagef("--index %d: the list has the entries 0 to %d", f.index, size-1)
	}
	used := usedEntries{filepath.Join(a.home, fmt.Sprintf("status-%s-%d.txt", issuer, f.list))}
	if f.index >= 0 {
		return uint32(f.index), used.note(uint32(f.index))
	}
	return used.draw(size)
}

// usedEntries is a file of the entries of a status list that were given out: a line each, the entry and a random mark. It has nothing about holders.
type usedEntries struct{ file string }

// draw picks an entry at random and notes it. Of two that note the same at once, who comes second draws again.
func (u usedEntries) draw(size int64) (uint32, error) {
	taken, err := u.read()
	if err != nil {
		return 0, err
	}
	for range 1000 {
		n, err := rand.Int(rand.Reader, big.NewInt(size))
		if err != nil {
			return 0, err
		}
		index := uint32(n.Int64())
		if _, used := taken[index]; used {
			continue
		}
		if err := u.note(index); err == nil {
			return index, nil
		} else if !errors.Is(err, errEntryUsed) {
			return 0, err
		}
	}
	return 0, failed("The status list is nearly full.", "Open another list for new credentials, or name an entry with --index.")
}

var errEntryUsed = errors.New("the entry of the status list is used already; name another with --index")

// note writes an entry down, and makes sure that nobody did before.
func (u usedEntries) note(index uint32) error {
	mark := make([]byte, 8)
	if _, err := rand.Read(mark); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(u.file), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(u.file, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%d %x\n", index, mark)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	taken, err := u.read()
	if err == nil && taken[index] != hex.EncodeToString(mark) {
		err = errEntryUsed
	}
	return err
}

// read lists the entries with the mark of who noted them first.
func (u usedEntries) read() (map[uint32]string, error) {
	file, err := os.Open(u.file)
	if errors.Is(err, os.ErrNotExist) {
		return map[uint32]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	out := map[uint32]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		entry, mark, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseUint(entry, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no entry of a status list", u.file, lines.Text())
		}
		if _, known := out[uint32(n)]; !known {
			out[uint32(n)] = mark
		}
	}
	return out, lines.Err()
}
