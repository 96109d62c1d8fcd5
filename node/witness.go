package node

import (
	"context"
	"sort"
	"time"

	"github.com/dureledger/dure/api"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
	"github.com/dureledger/dure/ledger/tx"
	"github.com/dureledger/dure/modules/network"
)

// ToCosign implements api.Witnesses: the newest header of before the last full period of the clock. Members whose clocks
// are right offer the same one, so that cosignatures given to different members meet.
func (l *ledger) ToCosign(ctx context.Context, trusted int64) ([]byte, error) {
	height, err := l.toCosign(ctx)
	if err != nil {
		return nil, err
	}
	return l.checkpointOf(trusted, height)
}

func (l *ledger) toCosign(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	newest, _, err := l.proven(ctx, 0)
	if err != nil {
		return 0, err
	}
	edge := l.now().Truncate(l.period)
	// A header that is gone is an old one.
	late := func(height int64) bool {
		h, err := l.engine.HeaderAt(height)
		return err == nil && !h.Time.Before(edge)
	}
	height := int64(sort.Search(int(newest), func(i int) bool { return late(int64(i) + 1) }))
	if _, err := l.engine.HeaderAt(height); height < 2 || err != nil {
		return 0, fault.New("checkpoint.not_yet", "no block is old enough to be offered to witnesses; ask again when the period is over", "period", l.period)
	}
	return height, nil
}

// checkpointOf is the checkpoint of a height below that of the newest header that can be proven, or of that.
func (l *ledger) checkpointOf(trusted, height int64) ([]byte, error) {
	block, err := l.store.BlockAt(height - 1)
	if err != nil {
		return nil, err
	}
	return l.checkpoint(trusted, height, block)
}

// withCosignatures adds what is kept of cosignatures to a checkpoint file.
func (l *ledger) withCosignatures(file []byte) ([]byte, error) {
	c, err := proof.DecodeCheckpoint(file)
	if err != nil {
		return nil, err
	}
	if c.Lines = l.cosigned.linesOf(c); len(c.Lines) == 0 {
		return file, nil
	}
	return c.Encode()
}

// Witnessed implements api.Witnesses.
func (l *ledger) Witnessed(_ context.Context, trusted int64, least int) ([]byte, error) {
	one, err := l.newestWitnessed(trusted, least)
	if err != nil {
		return nil, err
	}
	return l.checkpointOf(trusted, one.height)
}

// newestWitnessed is the newest checkpoint with enough cosignatures that is not below a height. For least 0 the network's
// parameters say what is enough, but one it must be.
func (l *ledger) newestWitnessed(from int64, least int) (cosignedCheckpoint, error) {
	known, asked := l.witnesses()
	one, ok := l.cosigned.newest(from, func(c *cosignedCheckpoint) bool {
		return len(c.lines) >= max(least, 1) && (least > 0 || c.known(known) >= asked)
	})
	if ok {
		if _, err := l.engine.HeaderAt(one.height); err == nil {
			return one, nil
		}
	}
	return one, fault.New("checkpoint.not_witnessed", "this node has no checkpoint since then with as many cosignatures as are asked for; "+
		"ask again when witnesses have signed, or another node", "from", from, "least", least, "network", asked)
}

// witnesses are those of the network's parameters, and how many cosignatures these ask for.
func (l *ledger) witnesses() ([]proof.Witness, int) {
	tree, _ := l.engine.State()
	return network.Witnesses(tree)
}

// WitnessedReceipt implements api.Witnesses.
func (l *ledger) WitnessedReceipt(ctx context.Context, id [32]byte, trusted int64, least int) ([]byte, error) {
	e, err := l.committed(ctx, id)
	if err != nil {
		return nil, err
	}
	one, err := l.newestWitnessed(max(e.Outcome.GetHeight()+1, trusted), least)
	if err != nil {
		return nil, err
	}
	block, err := l.store.BlockAt(one.height - 1)
	if err != nil {
		return nil, err
	}
	return l.receipt(e.Outcome.GetSeq(), trusted, one.height, block, true)
}

// AddCosignature implements api.Witnesses. A witness of the network's parameters may cosign any checkpoint; others only the
// one that is offered now and those that others have cosigned, so that nobody can crowd out the files of the former.
func (l *ledger) AddCosignature(ctx context.Context, height int64, w proof.Witness, signature []byte) (api.Witnessing, error) {
	known, _ := l.witnesses()
	if !isKnown(known, w) && !l.cosigned.kept(height) {
		offered, err := l.toCosign(ctx)
		if err != nil {
			return api.Witnessing{}, err
		}
		if height != offered {
			return api.Witnessing{}, fault.New("checkpoint.not_offered", "this checkpoint is not the one that is offered to witnesses now; fetch that one",
				"height", height, "offered", offered)
		}
	}
	newest, _, err := l.proven(ctx, 0)
	if err != nil {
		return api.Witnessing{}, err
	}
	if height < 2 || height > newest {
		return api.Witnessing{}, fault.New("checkpoint.unknown", "this node has no checkpoint of this height", "height", height)
	}
	file, err := l.checkpointOf(height, height)
	if err != nil {
		return api.Witnessing{}, err
	}
	c, err := proof.DecodeCheckpoint(file)
	if err != nil {
		return api.Witnessing{}, err
	}
	if _, err := c.CheckCosignature(w, signature); err != nil {
		return api.Witnessing{}, err
	}
	now, err := l.cosigned.add(c, newCosignature(w, signature), known)
	return api.Witnessing{Height: now.height, Cosignatures: len(now.lines), Known: now.known(known)}, err
}

// CosignedBy implements api.Witnesses.
func (l *ledger) CosignedBy(key tx.Address) (api.Cosigner, bool) { return l.cosigned.by(key) }

// Witnessing implements api.Witnesses.
func (l *ledger) Witnessing() (api.Witnessing, bool) {
	one, err := l.newestWitnessed(0, 0)
	if err != nil {
		return api.Witnessing{}, false
	}
	known, _ := l.witnesses()
	return api.Witnessing{Height: one.height, Cosignatures: len(one.lines), Known: one.known(known)}, true
}

// Consistency implements api.Witnesses.
func (l *ledger) Consistency(from, size uint64) ([][]byte, error) {
	if from > size {
		return nil, fault.New("checkpoint.not_yet", "this node's history is shorter than the one you know; ask again in a moment, or another node",
			"from", from, "size", size)
	}
	if from == 0 {
		return nil, nil // every history begins with the empty one
	}
	return l.store.History().Consistency(from, size)
}

func (c *cosigned) kept(height int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at(height) != nil
}

// now is the machine's time.
func (l *ledger) now() time.Time { return time.Now() }
