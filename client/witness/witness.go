package witness

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/dureledger/dure/client"
	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

// Node is where checkpoints come from and cosignatures go to. A *client.Client for one address is one.
type Node interface {
	// CheckpointToCosign gives the checkpoint that witnesses are to sign now, for a verifier who trusts the header of a
	// height, and a consistency proof from the log of fromSize to its log.
	CheckpointToCosign(ctx context.Context, trusted int64, fromSize uint64) (file []byte, consistency [][]byte, err error)
	// AddCosignature hands in what follows the key id in the witness's signature line.
	AddCosignature(ctx context.Context, height int64, w proof.Witness, signature []byte) error
}

var _ Node = (*client.Client)(nil)

// Witness cosigns the checkpoints of one network. Its fields do not change once it is in use; one goroutine uses it.
type Witness struct {
	// Name of the witness, such as auditor.example, and its Ed25519 key.
	Name string
	Key  crypto.Signer
	// File keeps the last checkpoint that was cosigned. No two witnesses may share a key without sharing the file.
	File string
	// Anchor is what is trusted as long as there is no file.
	Anchor *light.Anchor
	// Nodes are asked every time, all of them: one that shows another history than the others is found out.
	Nodes []Node
	// Now is the clock.
	Now func() time.Time
}

// Round is what came of asking the nodes once.
type Round struct {
	// Height, Time and Size (of the history) of the checkpoint that is cosigned last; 0 when there is none.
	Height int64
	Time   time.Time
	Size   uint64
	// Signed says that a new checkpoint was cosigned in this round; Sent to how many nodes a cosignature was handed in.
	Signed bool
	Sent   int
	// Failed are the nodes that did not answer or could not be believed.
	Failed []error
}

// Verifier is the witness as others name it: its verifier key is Verifier().String().
func (w *Witness) Verifier() proof.Witness {
	public, _ := w.Key.Public().(ed25519.PublicKey)
	return proof.Witness{Name: w.Name, Key: public}
}

func (w *Witness) memory() Memory { return Memory{File: w.File, Anchor: w.Anchor} }

// Once asks every node for the checkpoint to cosign, verifies the answers from the last one cosigned, signs the newest and
// hands the signature to every node that does not have it.
//
// Error codes: witness.second_history, after which the witness must not be used until people have looked at it;
// witness.no_node when nobody gave a checkpoint that holds; witness.busy when another process uses the file; witness.no_anchor.
func (w *Witness) Once(ctx context.Context) (*Round, error) {
	unlock, err := Lock(w.File)
	if err != nil {
		return nil, err
	}
	defer unlock()
	last, err := w.memory().Load()
	if err != nil {
		return nil, err
	}
	round := &Round{}
	shown, err := w.ask(ctx, last, round)
	if err != nil {
		return round, err
	}
	newest := last.Checkpoint
	for _, s := range shown {
		if newest == nil || s.checkpoint.Height > newest.Height {
			newest = s.checkpoint
		}
	}
	if newest == nil {
		return round, fault.New("witness.no_node", "no node showed a checkpoint that holds: "+errors.Join(round.Failed...).Error())
	}
	round.Height, round.Time, round.Size = newest.Height, time.Unix(0, newest.Time).UTC(), newest.Size
	if len(shown) == 0 {
		return round, nil // every node is behind or silent
	}
	if round.Signed = last.Checkpoint == nil || newest.Height > last.Checkpoint.Height; round.Signed {
		bare := *newest
		bare.Lines = nil
		if err := w.memory().Keep(&bare); err != nil { // before it is signed
			return round, err
		}
	}
	return round, w.send(ctx, newest, shown, round)
}

// shown is a checkpoint that a node gave and that holds.
type shown struct {
	node       Node
	checkpoint *proof.Checkpoint
}

// ask asks every node. What does not hold is a failure of that node; a second history ends it all.
func (w *Witness) ask(ctx context.Context, last *Seen, round *Round) ([]shown, error) {
	var out []shown
	for _, n := range w.Nodes {
		file, consistency, err := n.CheckpointToCosign(ctx, last.Anchor.Height(), last.Size())
		if isBehind(err) && last.Checkpoint != nil {
			continue // what was said stands
		}
		var c *proof.Checkpoint
		if err == nil {
			c, err = last.Follow(file, consistency)
		}
		for _, other := range out {
			if err == nil && other.checkpoint.Height == c.Height && !bytes.Equal(other.checkpoint.Text(), c.Text()) {
				err = w.disagree(other.checkpoint, c.Height)
			}
		}
		if fault.Code(err) == "witness.second_history" {
			return nil, w.memory().Alarm(file, err)
		}
		if err != nil {
			round.Failed = append(round.Failed, err)
			continue
		}
		out = append(out, shown{n, c})
	}
	return out, nil
}

// isBehind says that a node has nothing to cosign that is newer than what is cosigned.
func isBehind(err error) bool {
	refusal := (*client.Refusal)(nil)
	return errors.As(err, &refusal) && (refusal.Code == "proof.before_anchor" || refusal.Code == "checkpoint.not_yet")
}

// send signs a checkpoint and hands the signature to the nodes that show it without. A node that showed an older one may
// have this one as well.
func (w *Witness) send(ctx context.Context, c *proof.Checkpoint, to []shown, round *Round) error {
	line, err := c.Cosign(w.Name, w.Key, w.Now().Unix())
	if err != nil {
		return err
	}
	for _, s := range to {
		if s.checkpoint.Height == c.Height && w.signed(s.checkpoint) {
			continue
		}
		if err := s.node.AddCosignature(ctx, c.Height, w.Verifier(), line.Signature); err != nil {
			round.Failed = append(round.Failed, fmt.Errorf("handing in the cosignature: %w", err))
			continue
		}
		round.Sent++
	}
	return nil
}

// signed says that a checkpoint has a good cosignature of this witness.
func (w *Witness) signed(c *proof.Checkpoint) bool {
	good, err := c.VerifyCosignatures(proof.Policy{Witnesses: []proof.Witness{w.Verifier()}})
	return err == nil && len(good) == 1
}

// Run goes on with Once every so often until ctx ends, and tells report how each round went. It ends by itself, with the
// error, when a second history is shown or the file cannot be used.
func (w *Witness) Run(ctx context.Context, every time.Duration, report func(*Round, error)) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		round, err := w.Once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && fault.Code(err) != "witness.no_node" {
			return err
		}
		report(round, err)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
