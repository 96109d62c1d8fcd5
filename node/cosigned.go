package node

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dureledger/dure/api"
	accountv1 "github.com/dureledger/dure/gen/dure/account/v1"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
)

// Bounds of what is kept of cosignatures.
const (
	// maxStrangers is how many witnesses may cosign a checkpoint here that the network's parameters do not name.
	maxStrangers = 32
	// keptWhole is how many of the newest cosigned checkpoints are all kept; of older ones one for each hour.
	keptWhole = 64
	// keptInAll is how many are kept together: those of about forty days.
	keptInAll = 1024

	maxCosignedFile = 64 << 10 // bytes; 96 cosignatures with long names
)

// cosignedHead is the first line of a file of cosignatures. The second is the time of the header in unix nanoseconds; then
// comes a line for each cosignature: the witness's verifier key, a space, and time and signature in base64.
const cosignedHead = "dure cosignatures 1"

// cosigned keeps cosignatures of checkpoints beside the ledger, a file data/witness/HEIGHT for each. Nothing depends on it:
// a node that loses a file loses these cosignatures and no more.
type cosigned struct {
	dir string
	log *slog.Logger

	mu  sync.Mutex
	all []*cosignedCheckpoint // ascending
}

// cosignedCheckpoint has the cosignatures of one checkpoint.
type cosignedCheckpoint struct {
	height int64
	time   int64 // of the header, unix nanoseconds
	lines  []cosignature
	// checked: the signatures have been verified since they were read from disk.
	checked bool
}

type cosignature struct {
	witness   proof.Witness
	signature []byte
	key       tx.Address // of the witness's
}

func newCosignature(w proof.Witness, signature []byte) cosignature {
	return cosignature{w, signature, tx.Key{Kind: accountv1.KeyKind_KEY_KIND_ED25519, Public: w.Key}.Address()}
}

func openCosigned(home Home, log *slog.Logger) (*cosigned, error) {
	c := &cosigned{dir: home.data("witness"), log: log}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, fmt.Errorf("cosignatures: %w", err)
	}
	names, err := os.ReadDir(c.dir)
	if err != nil {
		return nil, fmt.Errorf("cosignatures: %w", err)
	}
	for _, entry := range names {
		height, err := strconv.ParseInt(entry.Name(), 10, 64)
		if err != nil || height < 1 {
			continue
		}
		raw, err := readBounded(filepath.Join(c.dir, entry.Name()), maxCosignedFile)
		one := &cosignedCheckpoint{height: height}
		if err == nil {
			err = one.decode(raw)
		}
		if err != nil {
			log.Warn("a file of cosignatures is damaged and is left alone", "file", entry.Name(), "error", err)
			continue
		}
		c.all = append(c.all, one)
	}
	slices.SortFunc(c.all, func(a, b *cosignedCheckpoint) int { return int(min(1, max(-1, a.height-b.height))) })
	return c, nil
}

func readBounded(name string, most int64) ([]byte, error) {
	if info, err := os.Stat(name); err != nil || info.Size() > most {
		return nil, errors.Join(err, errors.New("it is too large or gone"))
	}
	return os.ReadFile(name)
}

func (c *cosignedCheckpoint) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n%d\n", cosignedHead, c.time)
	for _, l := range c.lines {
		fmt.Fprintf(&b, "%s %s\n", l.witness, base64.StdEncoding.EncodeToString(l.signature))
	}
	return b.Bytes()
}

func (c *cosignedCheckpoint) decode(raw []byte) (err error) {
	lines := bufio.NewScanner(bytes.NewReader(raw))
	if !lines.Scan() || lines.Text() != cosignedHead || !lines.Scan() {
		return errors.New("it does not begin as such a file does")
	}
	if c.time, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
		return err
	}
	for lines.Scan() {
		key, signature, _ := strings.Cut(lines.Text(), " ")
		w, err := proof.ParseWitness(key)
		if err != nil {
			return err
		}
		raw, err := base64.StdEncoding.Strict().DecodeString(signature)
		if err != nil {
			return err
		}
		c.lines = append(c.lines, newCosignature(w, raw))
	}
	return lines.Err()
}

func (c *cosignedCheckpoint) has(w proof.Witness) bool {
	return slices.ContainsFunc(c.lines, func(l cosignature) bool { return l.witness.Name == w.Name && l.witness.KeyID() == w.KeyID() })
}

// known is how many of the cosignatures are by these witnesses.
func (c *cosignedCheckpoint) known(list []proof.Witness) (n int) {
	for _, l := range c.lines {
		if isKnown(list, l.witness) {
			n++
		}
	}
	return n
}

func isKnown(list []proof.Witness, w proof.Witness) bool {
	return slices.ContainsFunc(list, func(k proof.Witness) bool { return k.Name == w.Name && k.Key.Equal(w.Key) })
}

// at is what is kept of a height, nil for nothing. The caller holds mu.
func (c *cosigned) at(height int64) *cosignedCheckpoint {
	i, ok := slices.BinarySearchFunc(c.all, height, func(one *cosignedCheckpoint, h int64) int { return int(min(1, max(-1, one.height-h))) })
	if !ok {
		return nil
	}
	return c.all[i]
}

// add keeps a verified cosignature of a checkpoint. A witness's first one of it stays: it says since when. Witnesses that
// are not among known share a bounded room. The answer is what is kept of the checkpoint now.
// Error code: checkpoint.full.
func (c *cosigned) add(on *proof.Checkpoint, one cosignature, known []proof.Witness) (cosignedCheckpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.at(on.Height)
	next := cosignedCheckpoint{height: on.Height, time: on.Time, checked: true}
	if kept != nil {
		kept.check(on, c.log)
		next.lines = slices.Clone(kept.lines)
	}
	if next.has(one.witness) {
		return next, nil
	}
	if !isKnown(known, one.witness) && len(next.lines)-next.known(known) >= maxStrangers {
		return next, fault.New("checkpoint.full", "this checkpoint has as many cosignatures by witnesses outside the network's parameters as the node keeps; "+
			"ask the members to name you, or cosign the next one", "most", maxStrangers)
	}
	next.lines = append(next.lines, one)
	if err := writeFile(c.file(on.Height), next.encode(), 0o600); err != nil {
		return next, err
	}
	if kept != nil {
		*kept = next
		return next, nil
	}
	i, _ := slices.BinarySearchFunc(c.all, on.Height, func(one *cosignedCheckpoint, h int64) int { return int(min(1, max(-1, one.height-h))) })
	c.all = slices.Insert(c.all, i, &next)
	c.thin()
	return next, nil
}

func (c *cosigned) file(height int64) string {
	return filepath.Join(c.dir, strconv.FormatInt(height, 10))
}

// thin lets go of what is beyond the bounds: of the checkpoints before the newest, all of an hour but the one with the most
// cosignatures; and the oldest. The caller holds mu.
func (c *cosigned) thin() {
	if len(c.all) <= keptWhole {
		return
	}
	old, fresh := c.all[:len(c.all)-keptWhole], c.all[len(c.all)-keptWhole:]
	var stay []*cosignedCheckpoint
	for _, one := range old {
		if last := len(stay) - 1; last >= 0 && one.time/int64(time.Hour) == stay[last].time/int64(time.Hour) {
			worse := stay[last]
			if len(one.lines) >= len(worse.lines) {
				stay[last] = one
			} else {
				worse = one
			}
			c.forget(worse)
			continue
		}
		stay = append(stay, one)
	}
	for ; len(stay)+len(fresh) > keptInAll; stay = stay[1:] {
		c.forget(stay[0])
	}
	c.all = slices.Concat(stay, fresh)
}

func (c *cosigned) forget(one *cosignedCheckpoint) {
	if err := os.Remove(c.file(one.height)); err != nil && !errors.Is(err, os.ErrNotExist) {
		c.log.Warn("old cosignatures could not be removed", "height", one.height, "error", err)
	}
}

// newest is the height of the newest checkpoint for which enough says yes, 0 for none. It asks no lower than least.
func (c *cosigned) newest(least int64, enough func(*cosignedCheckpoint) bool) (cosignedCheckpoint, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range slices.Backward(c.all) {
		if one.height < least {
			break
		}
		if enough(one) {
			return *one, true
		}
	}
	return cosignedCheckpoint{}, false
}

// by is what is kept of the cosignatures of a key.
func (c *cosigned) by(key tx.Address) (of api.Cosigner, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.all {
		i := slices.IndexFunc(one.lines, func(l cosignature) bool { return l.key == key })
		if i < 0 {
			continue
		}
		of.Name, of.Height, of.Time, of.Cosigned, ok = one.lines[i].witness.Name, one.height, time.Unix(0, one.time), of.Cosigned+1, true
	}
	of.Kept = len(c.all)
	return of, ok
}

// linesOf are the cosignatures of a checkpoint, verified, in the order of a receipt.
func (c *cosigned) linesOf(on *proof.Checkpoint) []proof.Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.at(on.Height)
	if kept == nil {
		return nil
	}
	kept.check(on, c.log)
	lines := make([]proof.Line, 0, len(kept.lines))
	for _, l := range kept.lines {
		lines = append(lines, proof.Line{Name: l.witness.Name, KeyID: l.witness.KeyID(), Signature: l.signature})
	}
	proof.SortLines(lines)
	return lines
}

// check drops what was read from disk and is not good.
func (c *cosignedCheckpoint) check(on *proof.Checkpoint, log *slog.Logger) {
	if c.checked {
		return
	}
	c.checked = true
	c.lines = slices.DeleteFunc(slices.Clone(c.lines), func(l cosignature) bool {
		_, err := on.CheckCosignature(l.witness, l.signature)
		if err != nil {
			log.Warn("a kept cosignature is damaged or of another history, and is left out", "height", on.Height, "witness", l.witness.Name)
		}
		return err != nil
	})
}
