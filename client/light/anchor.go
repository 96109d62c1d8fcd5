package light

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/cometbft/cometbft/types"

	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
)

// Anchor is what a verifier trusts to begin with: the validators of one height of one network, and for a checkpoint also the
// header of that height. It does not change and is safe for concurrent use.
type Anchor struct {
	network string
	height  int64
	// header is the hash of the header of height; nil for genesis, which has none.
	header *[32]byte
	set    *validators
	basis  Basis
}

// Basis says where an anchor comes from.
type Basis struct {
	// Genesis is true for the genesis file, false for a checkpoint.
	Genesis bool
	// Height of the checkpoint; 1 for genesis.
	Height int64
	// Time of the checkpoint's header. Zero for genesis.
	Time time.Time
	// Validators and Power of the set that the anchor trusts.
	Validators int
	Power      int64
	// Cosignatures on the checkpoint that were asked for and are good.
	Cosignatures []proof.Cosignature
	// Through is what the checkpoint itself was verified from, when it was verified by [Anchor.VerifyCheckpoint].
	Through *Basis
}

// Network is the network id.
func (a *Anchor) Network() string { return a.network }

// Height is the height to give a node as trusted when asking it for a receipt or checkpoint.
func (a *Anchor) Height() int64 { return a.height }

// Basis says where the anchor comes from.
func (a *Anchor) Basis() Basis { return a.basis }

// FromGenesis trusts a genesis file: its validators are the members with voting power.
// Error codes: genesis.malformed, proof.bad_validators.
func FromGenesis(file []byte) (*Anchor, error) {
	g, err := genesis.Parse(file)
	if err != nil {
		return nil, fault.New("genesis.malformed", err.Error())
	}
	var set []proof.Validator
	for _, m := range g.GetNetwork().GetMembers() {
		if m.GetPower() == 0 {
			continue
		}
		if proof.SignatureSize(len(m.GetValidatorKey())) == 0 {
			return nil, fault.New("genesis.malformed", "a validator's key must have the 32 bytes of Ed25519 or the 1952 of ML-DSA-65", "member", m.GetName())
		}
		set = append(set, proof.Validator{Key: m.GetValidatorKey(), Power: m.GetPower()})
	}
	sortValidators(set)
	v, err := newValidators(set)
	if err != nil {
		return nil, err
	}
	return &Anchor{
		network: g.NetworkID, height: 1, set: v,
		basis: Basis{Genesis: true, Height: 1, Validators: len(v.list), Power: v.total},
	}, nil
}

// FromCheckpoint trusts a checkpoint file as it is, if the policy's witnesses have cosigned it; with the zero policy
// because the caller does. It checks that the file's validators signed its header, which finds damage, but takes their
// word for being the network's validators: to verify that from an older anchor, use [Anchor.VerifyCheckpoint].
//
// Error codes: those of [proof.DecodeCheckpoint] and [proof.Checkpoint.VerifyCosignatures], checkpoint.wrong_header,
// proof.bad_validators, proof.bad_signature, proof.bad_signer, proof.too_little_power.
func FromCheckpoint(file []byte, policy proof.Policy) (*Anchor, error) {
	c, err := proof.DecodeCheckpoint(file)
	if err != nil {
		return nil, err
	}
	cosignatures, err := c.VerifyCosignatures(policy)
	if err != nil {
		return nil, err
	}
	v, err := newValidators(c.Validators)
	if err != nil {
		return nil, err
	}
	if err := matchHeader(c, headerHash(c.Network, v, &c.Evidence.Header)); err != nil {
		return nil, err
	}
	if _, err := verifyCommit(c.Network, v, c.Header, c.Height, &c.Evidence.Commit); err != nil {
		return nil, err
	}
	return anchorAt(c, v, cosignatures), nil
}

func anchorAt(c *proof.Checkpoint, v *validators, cosignatures []proof.Cosignature) *Anchor {
	return &Anchor{
		network: c.Network, height: c.Height, header: &c.Header, set: v,
		basis: Basis{
			Height: c.Height, Time: unixNano(c.Time), Validators: len(v.list), Power: v.total, Cosignatures: cosignatures,
		},
	}
}

func matchHeader(c *proof.Checkpoint, hash [32]byte) error {
	if hash != c.Header {
		return fault.New("checkpoint.wrong_header", "the checkpoint's text and the header that validators signed do not agree; the file is damaged or forged",
			"text", hex.EncodeToString(c.Header[:]), "header", hex.EncodeToString(hash[:]))
	}
	return nil
}

// sortValidators puts a set into CometBFT's order.
func sortValidators(set []proof.Validator) {
	slices.SortFunc(set, func(x, y proof.Validator) int {
		return compareValidators(&types.Validator{Address: address(x.Key), VotingPower: x.Power}, &types.Validator{Address: address(y.Key), VotingPower: y.Power})
	})
}

// trail is what following the evidence from an anchor to a header found.
type trail struct {
	set     *validators
	hash    [32]byte
	tally   tally
	changes int
}

// follow walks from the anchor over every change of validators to the evidence's header, verifying all of it.
func (a *Anchor) follow(e *proof.Evidence) (*trail, error) {
	t := &trail{set: a.set, changes: len(e.Changes)}
	lowest, after := a.height, int64(-1)
	for i := range e.Changes {
		c := &e.Changes[i]
		if err := a.step(t, &c.Header, &c.Commit, lowest, after); err != nil {
			return nil, err
		}
		next, err := newValidators(c.Next)
		if err != nil {
			return nil, err
		}
		if next.hash != c.Header.NextValidatorsHash {
			return nil, fault.New("proof.wrong_validators", "the new validators are not the ones that the validators before them signed",
				"height", c.Header.Height)
		}
		if next.hash == t.set.hash {
			return nil, fault.New("proof.no_change", "a change of validators changes nothing", "height", c.Header.Height)
		}
		t.set, lowest, after = next, c.Header.Height+1, c.Header.Time
	}
	if err := a.step(t, &e.Header, &e.Commit, lowest, after); err != nil {
		return nil, err
	}
	return t, nil
}

// step verifies one header by the set of the moment: at or above lowest, later than after.
func (a *Anchor) step(t *trail, h *proof.Header, c *proof.Commit, lowest, after int64) (err error) {
	if h.Height < a.height {
		return fault.New("proof.before_anchor", "the file's proof begins before the point you trust; ask a node for it again, from that height",
			"height", h.Height, "trusted", a.height)
	}
	if h.Height < lowest || h.Time <= after {
		return fault.New("proof.out_of_order", "the headers of a proof must go up in height and time", "height", h.Height)
	}
	t.hash = headerHash(a.network, t.set, h)
	if a.header != nil && h.Height == a.height && t.hash != *a.header {
		return fault.New("proof.wrong_header", "the header at the height of your checkpoint is another than the checkpoint's; do not trust this file",
			"height", h.Height, "header", hex.EncodeToString(t.hash[:]), "checkpoint", hex.EncodeToString(a.header[:]))
	}
	t.tally, err = verifyCommit(a.network, t.set, t.hash, h.Height, c)
	return err
}
