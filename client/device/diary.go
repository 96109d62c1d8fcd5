package device

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/dureledger/dure/ledger/fault"
)

// maxDiary bounds the commands that are remembered: those whose time is not over.
const maxDiary = 256

// diary remembers on the disk which commands were begun and what became of them, until their time is over.
type diary struct {
	file string

	mu sync.Mutex
	// Latest is a time that has come for sure, unix milliseconds: a clock that was set back makes no command young again.
	Latest  int64   `json:"latest"`
	Entries []entry `json:"commands"`
}

// entry is a command that was begun.
type entry struct {
	Command string `json:"command"`
	Expires int64  `json:"expires"`
	// Done: what became of it is known. Sent: the ledger knows it too, or will never take it.
	Done bool   `json:"done"`
	Sent bool   `json:"sent"`
	OK   bool   `json:"ok"`
	Note string `json:"note"`
}

func openDiary(file string) (*diary, error) {
	d := &diary{file: file}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, fmt.Errorf("device: commands: %w", err)
	}
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("device: commands: %s cannot be read, so that commands could be done twice. Remove it when none can be open: %w", file, err)
	}
	return d, nil
}

// passed notes a time that has come, and returns the latest. Commands whose time is over are forgotten: they are refused for that.
func (d *diary) passed(now int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Latest = max(d.Latest, now)
	d.Entries = slices.DeleteFunc(d.Entries, func(e entry) bool { return e.Sent && e.Expires <= d.Latest })
	return d.Latest
}

func (d *diary) find(command string) (entry, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.Entries {
		if e.Command == command {
			return e, true
		}
	}
	return entry{}, false
}

// unsent are the commands whose answer the ledger may not have, also those that a start before this one has begun and whose time is over, which
// nobody hands over again.
func (d *diary) unsent() []entry {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []entry
	for _, e := range d.Entries {
		if !e.Done && e.Expires <= d.Latest {
			e.Done, e.Note = true, errStopped.Error()
		}
		if e.Done && !e.Sent {
			out = append(out, e)
		}
	}
	return out
}

var errStopped = errors.New("the device stopped while it did this; nobody knows how far it came")

// put adds or changes an entry, and returns when it is on the disk. Code device.too_many_commands.
func (d *diary) put(e entry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.Entries, func(o entry) bool { return o.Command == e.Command })
	switch {
	case i >= 0:
		d.Entries[i] = e
	case len(d.Entries) >= maxDiary:
		return fault.New("device.too_many_commands", fmt.Sprintf("%d commands are remembered whose time is not over, as many as are kept. Newer ones are not begun.", maxDiary))
	default:
		d.Entries = append(d.Entries, e)
	}
	text, err := json.Marshal(d)
	if err == nil {
		err = replace(d.file, text)
	}
	if err != nil {
		return fmt.Errorf("device: commands: %w", err)
	}
	return nil
}
