package device

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// countStart counts a start of the device in a file and returns its number. When it returns, the count is on the disk.
func countStart(file string) (uint64, error) {
	var last uint64
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return 0, fmt.Errorf("device: count of starts: %w", err)
	default:
		if last, err = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 63); err != nil {
			return 0, fmt.Errorf("device: count of starts: %s has no number. Write one that is higher than any start before", file)
		}
	}
	if err := replace(file, []byte(strconv.FormatUint(last+1, 10)+"\n")); err != nil {
		return 0, fmt.Errorf("device: count of starts: %w", err)
	}
	return last + 1, nil
}

// replace puts content in place of a file, whole or not at all, and has it on the disk when it returns.
func replace(file string, content []byte) error {
	temp := file + ".new"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
