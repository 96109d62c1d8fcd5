package proof

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
)

// cosignatureType is C2SP's signature type for timestamped Ed25519 cosignatures (tlog-cosignature).
const cosignatureType = "\x04"

// Witness is an outside party that cosigns checkpoints.
type Witness struct {
	// Name, such as auditor.example: no spaces, no plus sign.
	Name string
	Key  ed25519.PublicKey
}

// ParseWitness reads a C2SP verifier key: name+keyid+base64(type || key), with type 0x04.
// Error code: checkpoint.bad_witness.
func ParseWitness(s string) (Witness, error) {
	name, rest, _ := strings.Cut(s, "+")
	_, key, _ := strings.Cut(rest, "+")
	b, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(b) != 1+ed25519.PublicKeySize || b[0] != cosignatureType[0] || !validName(name) {
		return Witness{}, fault.New("checkpoint.bad_witness", "a witness key reads name+keyid+key, as made for cosigning", "key", s)
	}
	w := Witness{Name: name, Key: b[1:]}
	if w.String() != s {
		return Witness{}, fault.New("checkpoint.bad_witness", "the witness key's name and key id do not match; check for a typing mistake", "key", s)
	}
	return w, nil
}

// String is the witness as a C2SP verifier key.
func (w Witness) String() string {
	id := w.KeyID()
	return w.Name + "+" + hex.EncodeToString(id[:]) + "+" + b64(append([]byte(cosignatureType), w.Key...))
}

// KeyID names the witness's key in signature lines.
func (w Witness) KeyID() [4]byte { return keyID(w.Name, cosignatureType+string(w.Key)) }

// Policy says whose cosignatures a verifier asks for. The zero Policy asks for none.
type Policy struct {
	Witnesses []Witness
	// Threshold is how many of them must have signed, at least.
	Threshold int
}

// Cosignature is a verified one.
type Cosignature struct {
	Witness Witness
	// Time the witness says it signed, unix seconds.
	Time int64
}

// AddCosignature signs the checkpoint's text as C2SP cosignature/v1 at a time in unix seconds, replacing an earlier
// cosignature by the same key. Cosign only what has been verified from the last checkpoint you cosigned: a cosignature
// says that you saw no second history.
// Error code: checkpoint.bad_witness.
func (c *Checkpoint) AddCosignature(name string, key crypto.Signer, time int64) error {
	if private, ok := key.(ed25519.PrivateKey); key == nil || ok && len(private) != ed25519.PrivateKeySize {
		return badSigner(name)
	}
	line, err := c.Cosign(name, key, time)
	if err != nil {
		return err
	}
	for i, l := range c.Lines {
		if l.Name == line.Name && l.KeyID == line.KeyID {
			c.Lines[i] = line
			return nil
		}
	}
	c.Lines = append(c.Lines, line)
	return nil
}

// Cosign makes the line of a cosignature without adding it. The key may be one that never leaves a chip: its public key is
// Ed25519, and it signs messages, not their digests.
// Error codes: checkpoint.bad_witness, checkpoint.bad_cosignature: the key's signature does not verify.
func (c *Checkpoint) Cosign(name string, key crypto.Signer, time int64) (Line, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok || !validName(name) || name == c.Network || time < 0 {
		return Line{}, badSigner(name)
	}
	signature, err := key.Sign(nil, c.cosigned(time), crypto.Hash(0))
	if err != nil {
		return Line{}, fmt.Errorf("cosigning: %w", err)
	}
	w := Witness{Name: name, Key: public}
	line := Line{Name: name, KeyID: w.KeyID(), Signature: append(be64(time), signature...)}
	_, err = c.CheckCosignature(w, line.Signature)
	return line, err
}

func badSigner(name string) error {
	return fault.New("checkpoint.bad_witness", "a witness needs a name without spaces and plus signs, other than the network's, and an Ed25519 key", "name", name)
}

// cosigned is the message that cosignature/v1 signs.
func (c *Checkpoint) cosigned(time int64) []byte {
	return append([]byte("cosignature/v1\ntime "+strconv.FormatInt(time, 10)+"\n"), c.Text()...)
}

// VerifyCosignatures checks the lines of the policy's witnesses and returns those cosignatures in the file's order. A
// line by a known witness that does not verify is refused; lines by others are ignored, as signed notes ask.
// Error codes: checkpoint.bad_policy, checkpoint.bad_cosignature, checkpoint.too_few_cosignatures.
func (c *Checkpoint) VerifyCosignatures(p Policy) ([]Cosignature, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	var good []Cosignature
	for _, l := range c.Lines {
		for _, w := range p.Witnesses {
			if w.Name != l.Name || w.KeyID() != l.KeyID {
				continue
			}
			one, err := c.CheckCosignature(w, l.Signature)
			if err != nil {
				return nil, err
			}
			good = append(good, one)
		}
	}
	if len(good) < p.Threshold {
		return nil, fault.New("checkpoint.too_few_cosignatures", "fewer of the witnesses you named have cosigned than you ask for",
			"have", len(good), "want", p.Threshold)
	}
	return good, nil
}

// CheckCosignature checks what follows a witness's key id in its line: unix seconds and signature.
// Error code: checkpoint.bad_cosignature.
func (c *Checkpoint) CheckCosignature(w Witness, signature []byte) (Cosignature, error) {
	bad := fault.New("checkpoint.bad_cosignature", "the cosignature by "+w.Name+" is not good; it is damaged, forged or of another checkpoint", "witness", w)
	if len(signature) != cosignatureSize || len(w.Key) != ed25519.PublicKeySize || w.Name == c.Network {
		return Cosignature{}, bad
	}
	time := binary.BigEndian.Uint64(signature)
	if time > math.MaxInt64 || !ed25519.Verify(w.Key, c.cosigned(int64(time)), signature[8:]) {
		return Cosignature{}, bad
	}
	return Cosignature{Witness: w, Time: int64(time)}, nil
}

// check refuses a policy that could count one key twice or never be met.
func (p Policy) check() error {
	for i, w := range p.Witnesses {
		if len(w.Key) != ed25519.PublicKeySize || !validName(w.Name) {
			return fault.New("checkpoint.bad_policy", "a witness has no proper name or Ed25519 key", "witness", w.Name)
		}
		for _, other := range p.Witnesses[:i] {
			if w.Key.Equal(other.Key) {
				return fault.New("checkpoint.bad_policy", "two witnesses have the same key", "witness", w.Name, "other", other.Name)
			}
		}
	}
	if p.Threshold < 0 || p.Threshold > len(p.Witnesses) {
		return fault.New("checkpoint.bad_policy", "the number of cosignatures asked for must be from 0 to the number of witnesses",
			"threshold", p.Threshold, "witnesses", len(p.Witnesses))
	}
	return nil
}
