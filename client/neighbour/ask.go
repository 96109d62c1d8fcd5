package neighbour

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/client/witness"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/proof"
)

// Asker asks sources that it does not trust, and keeps the newest checkpoint that it has verified.
type Asker struct {
	// Memory is the newest checkpoint, and what is trusted in the beginning. One process uses its file.
	Memory witness.Memory
	// Policy says which witnesses must have cosigned what is taken; with none it need not be cosigned.
	Policy proof.Policy
}

// Checkpoint asks for a newer checkpoint than the one that is kept, verifies that it goes on from that, and keeps it. nil without an error: the
// source has none that is newer.
//
// Codes: neighbour.behind when the source shows an older one, neighbour.not_shown when it does not show that its history begins with the one that is
// known, witness.second_history when validators have signed another, those of light.Anchor.VerifyCheckpoint and of the source.
func (a *Asker) Checkpoint(ctx context.Context, s Source) (*light.VerifiedCheckpoint, error) {
	unlock, err := witness.Lock(a.Memory.File)
	if err != nil {
		return nil, err
	}
	defer unlock()
	seen, err := a.Memory.Load()
	if err != nil {
		return nil, err
	}
	e, err := s.Checkpoint(ctx, Want{Trusted: seen.Anchor.Height(), Size: seen.Size(), Witnessed: len(a.Policy.Witnesses) > 0})
	if fault.Code(err) == "proof.before_anchor" && seen.Checkpoint != nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := a.check(seen, e)
	if err != nil || seen.Checkpoint != nil && v.Checkpoint.Height == seen.Checkpoint.Height {
		return nil, err
	}
	return v, a.Memory.Keep(v.Checkpoint)
}

// check verifies a checkpoint from what was seen.
func (a *Asker) check(seen *witness.Seen, e *proof.Extension) (*light.VerifiedCheckpoint, error) {
	v, err := seen.Check(e.Checkpoint, a.Policy)
	switch code := fault.Code(err); {
	case code == "witness.second_history" && proves(seen, e.Checkpoint):
		return nil, a.Memory.Alarm(e.Checkpoint, err)
	case code == "witness.second_history":
		return nil, fault.New("proof.wrong_header", "The checkpoint has another header than the one that is known at its height, and the validators have not signed it. It is forged.")
	case code == "proof.before_anchor" && seen.Checkpoint != nil:
		return nil, fault.New("neighbour.behind", fmt.Sprintf("The checkpoint that is shown is older than the one of height %d that is known, or its proof begins before. Whoever shows it is behind, "+
			"or hides what is newer. It is not taken.", seen.Checkpoint.Height), "height", seen.Checkpoint.Height)
	case err != nil:
		return nil, err
	}
	if err := seen.Extends(v.Checkpoint, e.Path); err != nil {
		return nil, fault.New("neighbour.not_shown", fmt.Sprintf("The checkpoint of height %d is signed, but it is not shown that its history begins with the one of height %d that is known. "+
			"A neighbour without a gateway cannot show it. It is not taken: ask another. If nobody can show it, there are two histories.", v.Grounds.Height, seen.Checkpoint.Height),
			"height", v.Grounds.Height, "known", seen.Checkpoint.Height)
	}
	return v, nil
}

// proves says whether a file that contradicts a known checkpoint is signed by validators, and not only written by whoever shows it.
func proves(seen *witness.Seen, file []byte) bool {
	if _, err := seen.Anchor.VerifyCheckpoint(file, proof.Policy{}); err == nil {
		return true
	}
	c, err := proof.DecodeCheckpoint(file)
	if err != nil || seen.Checkpoint == nil || c.Height != seen.Checkpoint.Height || !slices.EqualFunc(c.Validators, seen.Checkpoint.Validators, proof.Validator.Equal) {
		return false
	}
	_, err = light.FromCheckpoint(file, proof.Policy{}) // another header, signed by the same
	return err == nil
}

// Receipt asks for the receipt of a transaction, 64 hex digits, and verifies it from the newest checkpoint that is kept, or what is trusted in the
// beginning. Codes: neighbour.other_receipt, those of light.Anchor.VerifyWitnessed and of the source.
func (a *Asker) Receipt(ctx context.Context, s Source, transaction string) (file []byte, v *light.Verified, err error) {
	seen, err := a.Memory.Load()
	if err != nil {
		return nil, nil, err
	}
	if file, err = s.Receipt(ctx, transaction, seen.Anchor.Height()); err != nil {
		return nil, nil, err
	}
	if v, err = seen.Anchor.VerifyWitnessed(file, a.Policy); err != nil {
		return nil, nil, err
	}
	if got := hex.EncodeToString(v.ID[:]); got != transaction {
		return nil, nil, fault.New("neighbour.other_receipt", "The receipt that is shown is good, but of the transaction "+got+", not of the one that was asked for.", "shown", got)
	}
	return file, v, nil
}
