package witness

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

// Memory is the newest checkpoint that somebody has taken, in a file, and what he trusts as long as there is none. Whoever goes on from it finds
// out who shows him another history.
type Memory struct {
	File   string
	Anchor *light.Anchor
}

// Seen is what was taken last; in the beginning only what is trusted, and Checkpoint is nil.
type Seen struct {
	Anchor     *light.Anchor
	Checkpoint *proof.Checkpoint
}

// Load reads the file. Codes witness.no_anchor, witness.damaged, witness.other_network.
func (m Memory) Load() (*Seen, error) {
	info, err := os.Stat(m.File)
	if errors.Is(err, os.ErrNotExist) {
		if m.Anchor == nil {
			return nil, fault.New("witness.no_anchor", "no checkpoint is kept yet; say what to trust in the beginning: a genesis file or a checkpoint", "file", m.File)
		}
		return &Seen{Anchor: m.Anchor}, nil
	}
	if err != nil {
		return nil, err
	}
	damaged := func(err error) error {
		return fault.New("witness.damaged", fmt.Sprintf("%s, the last checkpoint that was taken, cannot be used: %v. Without it nobody knows what was said before. "+
			"Restore it from a backup; a witness that has none begins again with another key.", m.File, err), "file", m.File)
	}
	if info.Size() > proof.MaxCheckpoint {
		return nil, damaged(errors.New("it is too large"))
	}
	file, err := os.ReadFile(m.File)
	if err != nil {
		return nil, err
	}
	c, err := proof.DecodeCheckpoint(file)
	if err != nil {
		return nil, damaged(err)
	}
	anchor, err := light.FromCheckpoint(file, proof.Policy{})
	if err != nil {
		return nil, damaged(err)
	}
	if m.Anchor != nil && m.Anchor.Network() != c.Network {
		return nil, fault.New("witness.other_network", "the last checkpoint that was taken is of another network than what you trust; each network needs a file of its own",
			"file", m.File, "taken", c.Network, "trusted", m.Anchor.Network())
	}
	return &Seen{Anchor: anchor, Checkpoint: c}, nil
}

// Size of the history that was seen, 0 in the beginning.
func (s *Seen) Size() uint64 {
	if s.Checkpoint == nil {
		return 0
	}
	return s.Checkpoint.Size
}

// Check verifies a checkpoint from what was seen, that the policy's witnesses have cosigned it, and that it does not contradict: all that Follow does but
// the consistency proof. Codes witness.second_history and those of light.Anchor.VerifyCheckpoint.
func (s *Seen) Check(file []byte, policy proof.Policy) (*light.VerifiedCheckpoint, error) {
	v, err := s.Anchor.VerifyCheckpoint(file, policy)
	if fault.Code(err) == "proof.wrong_header" {
		return nil, secondHistory("somebody shows another header than the one that was taken at height", s.Anchor.Height())
	}
	if err != nil {
		return nil, err
	}
	c, last := v.Checkpoint, s.Checkpoint
	switch {
	case last == nil:
	case c.Height == last.Height && !bytes.Equal(c.Text(), last.Text()):
		return nil, secondHistory("somebody shows another checkpoint than the one that was taken at height", c.Height)
	case c.Height != last.Height && (c.Time <= last.Time || c.Size < last.Size):
		return nil, secondHistory("validators have signed a header that goes back behind the checkpoint that was taken, at height", c.Height)
	}
	return v, nil
}

// Extends verifies that the history of a checkpoint that was checked begins with what was seen.
func (s *Seen) Extends(c *proof.Checkpoint, consistency [][]byte) error {
	last := s.Checkpoint
	if last == nil || c.Height == last.Height {
		return nil
	}
	return proof.CheckConsistency(last.Size, last.Root, c.Size, c.Root, consistency)
}

// Follow verifies that a checkpoint goes on from what was seen. It returns it with the cosignatures it came with.
func (s *Seen) Follow(file []byte, consistency [][]byte) (*proof.Checkpoint, error) {
	v, err := s.Check(file, proof.Policy{})
	if err != nil {
		return nil, err
	}
	if err := s.Extends(v.Checkpoint, consistency); err != nil {
		return nil, secondHistory("validators have signed a history that is not shown to begin with the one that was taken, at height", v.Checkpoint.Height)
	}
	return v.Checkpoint, nil
}

func secondHistory(what string, height int64) *fault.Error {
	return fault.New("witness.second_history", fmt.Sprintf("SECOND HISTORY: %s %d. Nothing of it was signed or taken, and nothing will be until you have looked at it. Keep the files of both histories and show them to the members of the network.", what, height),
		"height", height)
}

// disagree keeps the first of two checkpoints of one height that nodes show.
func (w *Witness) disagree(first *proof.Checkpoint, height int64) error {
	file, err := first.Encode()
	if err != nil {
		return err
	}
	return errors.Join(secondHistory("two nodes show different checkpoints of height", height), replaceFile(w.File+".first", file))
}

// Alarm keeps the file that shows a second history beside the one of the checkpoint that was taken, and says where.
func (m Memory) Alarm(file []byte, what error) error {
	name := m.File + ".second"
	if err := replaceFile(name, file); err != nil {
		return errors.Join(what, err)
	}
	f := fault.As(what)
	return fault.New(f.Code, f.Message+" What was shown is kept as "+name+".", "file", name)
}

// Keep puts a checkpoint on disk as the last one that was taken.
func (m Memory) Keep(c *proof.Checkpoint) error {
	file, err := c.Encode()
	if err != nil {
		return err
	}
	return replaceFile(m.File, file)
}

// replaceFile replaces a file in one step and has it on disk when it returns.
func replaceFile(name string, content []byte) error {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone when renamed
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	return syncFolder(dir)
}
