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

// seen is the last checkpoint that was cosigned; in the beginning only what is trusted.
type seen struct {
	anchor     *light.Anchor
	checkpoint *proof.Checkpoint
}

func (w *Witness) load() (*seen, error) {
	info, err := os.Stat(w.File)
	if errors.Is(err, os.ErrNotExist) {
		if w.Anchor == nil {
			return nil, fault.New("witness.no_anchor", "nothing has been cosigned yet; say what to trust in the beginning: a genesis file or a checkpoint", "file", w.File)
		}
		return &seen{anchor: w.Anchor}, nil
	}
	if err != nil {
		return nil, err
	}
	damaged := func(err error) error {
		return fault.New("witness.damaged", fmt.Sprintf("%s, the last checkpoint that was cosigned, cannot be used: %v. Without it this witness cannot know what it has said. "+
			"Restore it from a backup, or begin again with another key.", w.File, err), "file", w.File)
	}
	if info.Size() > proof.MaxCheckpoint {
		return nil, damaged(errors.New("it is too large"))
	}
	file, err := os.ReadFile(w.File)
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
	if w.Anchor != nil && w.Anchor.Network() != c.Network {
		return nil, fault.New("witness.other_network", "the last checkpoint that was cosigned is of another network than what you trust; each network needs a file of its own",
			"file", w.File, "cosigned", c.Network, "trusted", w.Anchor.Network())
	}
	return &seen{anchor: anchor, checkpoint: c}, nil
}

func (s *seen) size() uint64 {
	if s.checkpoint == nil {
		return 0
	}
	return s.checkpoint.Size
}

// follow verifies that a checkpoint goes on from what was seen. It returns it with the cosignatures it came with.
func (s *seen) follow(file []byte, consistency [][]byte) (*proof.Checkpoint, error) {
	v, err := s.anchor.VerifyCheckpoint(file, proof.Policy{})
	if fault.Code(err) == "proof.wrong_header" {
		return nil, secondHistory("a node shows another header than the cosigned one at height", s.anchor.Height())
	}
	if err != nil {
		return nil, err
	}
	c, last := v.Checkpoint, s.checkpoint
	if last == nil {
		return c, nil
	}
	if c.Height == last.Height {
		if !bytes.Equal(c.Text(), last.Text()) {
			return nil, secondHistory("a node shows another checkpoint than the cosigned one at height", c.Height)
		}
		return c, nil
	}
	if c.Time <= last.Time || c.Size < last.Size {
		return nil, secondHistory("validators have signed a header that goes back behind the cosigned checkpoint, at height", c.Height)
	}
	if err := proof.CheckConsistency(last.Size, last.Root, c.Size, c.Root, consistency); err != nil {
		return nil, secondHistory("validators have signed a history that is not shown to begin with the cosigned one, at height", c.Height)
	}
	return c, nil
}

func secondHistory(what string, height int64) *fault.Error {
	return fault.New("witness.second_history", fmt.Sprintf("SECOND HISTORY: %s %d. Nothing was signed, and nothing will be until you have looked at it. Keep the files of both histories and show them to the members of the network.", what, height),
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

// alarm keeps the file that shows a second history beside the one of the last cosigned checkpoint.
func (w *Witness) alarm(file []byte, what error) error {
	name := w.File + ".second"
	if err := replaceFile(name, file); err != nil {
		return errors.Join(what, err)
	}
	f := fault.As(what)
	return fault.New(f.Code, f.Message+" What was shown is kept as "+name+".", "file", name)
}

// keep puts a checkpoint on disk as the last one cosigned, before it is.
func (w *Witness) keep(c *proof.Checkpoint) error {
	bare := *c
	bare.Lines = nil
	file, err := bare.Encode()
	if err != nil {
		return err
	}
	return replaceFile(w.File, file)
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
