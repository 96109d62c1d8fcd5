package proof

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
)

// Limits of a checkpoint file.
const (
	MaxCheckpoint = 2 << 20 // bytes; its evidence is at most 1 MiB before base64
	maxLines      = 128     // signature lines
)

// evidenceType identifies the network's own signature line, see C2SP signed-note: 0xff and a name of ours. wideEvidenceType is that of
// evidence in the layout for ML-DSA-65.
const (
	evidenceType     = "\xffdure/evidence/v1"
	wideEvidenceType = "\xffdure/evidence/v2"
)

// Checkpoint states what a header signs: the history log, the state, and the validators who signed it. As a file it is a
// C2SP signed note whose text is a C2SP tlog-checkpoint. The network's signature line carries the evidence; other lines
// are cosignatures by outside witnesses.
type Checkpoint struct {
	// Network is the network id, the checkpoint's origin.
	Network string
	// Size and Root (RFC 6962) of the history log.
	Size uint64
	Root [32]byte
	// Height, Time (unix nanoseconds) and Header (its hash) of the header that signs them.
	Height int64
	Time   int64
	Header [32]byte
	// StateRoot as of the block before.
	StateRoot [32]byte
	// Validators of Height, in CometBFT's order: they sign this header and prove changes from it on.
	Validators []Validator
	// Evidence that the header is the network's, from the point that whoever asked for the checkpoint trusted.
	Evidence Evidence
	// Lines are the other signature lines, in the file's order.
	Lines []Line
}

// Line is a signature line of a C2SP signed note, not verified.
type Line struct {
	Name  string
	KeyID [4]byte
	// Signature is what follows the key id.
	Signature []byte
}

// Text is what cosignatures sign: the note's text, with its final newline.
func (c *Checkpoint) Text() []byte {
	var b strings.Builder
	line := func(words ...string) { b.WriteString(strings.Join(words, " ") + "\n") }
	line(c.Network)
	line(strconv.FormatUint(c.Size, 10))
	line(b64(c.Root[:]))
	line("height", strconv.FormatInt(c.Height, 10))
	line("time", strconv.FormatInt(c.Time, 10))
	line("header", b64(c.Header[:]))
	line("state", b64(c.StateRoot[:]))
	for _, v := range c.Validators {
		line("validator", strconv.FormatInt(v.Power, 10), b64(v.Key))
	}
	return []byte(b.String())
}

// Encode gives the checkpoint file. It refuses what DecodeCheckpoint would refuse.
func (c *Checkpoint) Encode() ([]byte, error) {
	w := &writer{}
	if err := c.Evidence.encode(w); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.Write(c.Text())
	b.WriteString("\n")
	for _, l := range append([]Line{{Name: c.Network, KeyID: evidenceKeyID(c.Network, w.wide), Signature: w.b}}, c.Lines...) {
		b.WriteString("— " + l.Name + " " + b64(append(l.KeyID[:], l.Signature...)) + "\n")
	}
	file := []byte(b.String())
	if len(file) > MaxCheckpoint {
		return nil, fault.New("checkpoint.too_large", "the checkpoint would be larger than 2 MiB; start from a newer one", "bytes", len(file))
	}
	d, err := DecodeCheckpoint(file)
	if err != nil {
		return nil, err
	}
	if d.Evidence.Header.AppHash != c.Evidence.Header.AppHash {
		return nil, fault.New("checkpoint.wrong_app_hash", "the header does not sign this log and state: its app hash is another", "height", c.Height)
	}
	return file, nil
}

// DecodeCheckpoint reads a checkpoint file strictly: there is one way to write each. It verifies no signature and no
// hash; the header's app hash in the evidence is computed from the text.
//
// Error codes: checkpoint.too_large, checkpoint.not_a_checkpoint, checkpoint.malformed, proof.malformed.
func DecodeCheckpoint(file []byte) (*Checkpoint, error) {
	if len(file) > MaxCheckpoint {
		return nil, fault.New("checkpoint.too_large", "a checkpoint is at most 2 MiB", "bytes", len(file))
	}
	text, signatures, found := strings.Cut(string(file), "\n\n")
	if !found {
		return nil, fault.New("checkpoint.not_a_checkpoint", "this is not a checkpoint: it has no signature lines after an empty line")
	}
	c := &Checkpoint{}
	if err := c.decodeText(text + "\n"); err != nil {
		return nil, err
	}
	lines, err := decodeLines(signatures)
	if err != nil {
		return nil, err
	}
	wide := lines[0].KeyID == evidenceKeyID(c.Network, true)
	if lines[0].Name != c.Network || !wide && lines[0].KeyID != evidenceKeyID(c.Network, false) {
		return nil, malformed("its first signature line must be the network's")
	}
	c.Lines = lines[1:]
	r := &reader{b: lines[0].Signature, wide: wide}
	c.Evidence.decode(r, AppHash(c.StateRoot, HistoryRoot(c.Size, c.Root)))
	if r.err == nil && len(r.b) > 0 {
		r.fail("there are bytes after the evidence")
	}
	if r.err != nil {
		return nil, r.err
	}
	if h := c.Evidence.Header; h.Height != c.Height || h.Time != c.Time {
		return nil, malformed("its text and its header name different heights or times")
	}
	return c, nil
}

func (c *Checkpoint) decodeText(text string) error {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 8 || len(lines) > 7+1<<16 {
		return fault.New("checkpoint.not_a_checkpoint", "this is not a checkpoint: it must have lines for the network, the log, the header, the state and the validators")
	}
	f := fields{lines: lines}
	c.Network = f.next("")
	c.Size, _ = strconv.ParseUint(f.next(""), 10, 64)
	c.Root = unb64(f.next(""))
	c.Height, _ = strconv.ParseInt(f.next("height "), 10, 64)
	c.Time, _ = strconv.ParseInt(f.next("time "), 10, 64)
	c.Header = unb64(f.next("header "))
	c.StateRoot = unb64(f.next("state "))
	for len(f.lines) > 0 {
		power, key, _ := strings.Cut(f.next("validator "), " ")
		v := Validator{Key: unb64Key(key)}
		v.Power, _ = strconv.ParseInt(power, 10, 64)
		c.Validators = append(c.Validators, v)
	}
	// Writing it again and comparing finds every mistake and every second way to write the same.
	if string(c.Text()) != text {
		return malformed("its text is not in the one form the format allows")
	}
	if n := len(c.Network); n == 0 || n > MaxNetwork || !validName(c.Network) {
		return malformed("its first line is not a network id")
	}
	if c.Height < 1 || c.Time < 0 {
		return malformed("its height or time is out of range")
	}
	return nil
}

// fields walks over the text's lines.
type fields struct{ lines []string }

func (f *fields) next(prefix string) string {
	line := f.lines[0]
	f.lines = f.lines[1:]
	return strings.TrimPrefix(line, prefix)
}

func decodeLines(s string) ([]Line, error) {
	rest, terminated := strings.CutSuffix(s, "\n")
	texts := strings.Split(rest, "\n")
	if !terminated || len(texts) > maxLines {
		return nil, malformed("it must end in 1 to 128 signature lines, each ended by a newline")
	}
	var lines []Line
	for _, text := range texts {
		body, dash := strings.CutPrefix(text, "— ")
		name, sig, space := strings.Cut(body, " ")
		b, err := base64.StdEncoding.Strict().DecodeString(sig)
		if !dash || !space || !validName(name) || err != nil || len(b) <= 4 || b64(b) != sig {
			return nil, malformed("a signature line is not in the form of a signed note")
		}
		l := Line{Name: name, KeyID: [4]byte(b), Signature: b[4:]}
		for _, other := range lines {
			if other.Name == l.Name && other.KeyID == l.KeyID {
				return nil, malformed("two signature lines are by the same key")
			}
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// validName is the rule of C2SP signed-note for key names, and no control characters.
func validName(name string) bool {
	bad := func(r rune) bool { return r <= ' ' || r == '+' || r == 0x7f || r == '\uFFFD' || r > 0x7f }
	return name != "" && len(name) <= 255 && !strings.ContainsFunc(name, bad)
}

func evidenceKeyID(network string, wide bool) [4]byte {
	if wide {
		return keyID(network, wideEvidenceType)
	}
	return keyID(network, evidenceType)
}

// keyID is C2SP signed-note's: SHA-256(name || "\n" || type and key)[:4].
func keyID(name, typeAndKey string) [4]byte {
	sum := sha256.Sum256([]byte(name + "\n" + typeAndKey))
	return [4]byte(sum[:4])
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// unb64 gives zeros for what is not 32 bytes in base64; comparing the text written again finds it.
func unb64(s string) (h [32]byte) {
	if b, err := base64.StdEncoding.Strict().DecodeString(s); err == nil && len(b) == 32 {
		h = [32]byte(b)
	}
	return h
}

// unb64Key gives a zero key for what is none in base64; comparing the text written again finds it.
func unb64Key(s string) []byte {
	if b, err := base64.StdEncoding.Strict().DecodeString(s); err == nil && SignatureSize(len(b)) > 0 {
		return b
	}
	return make([]byte, keySizes[0])
}

func malformed(what string) *fault.Error {
	return fault.New("checkpoint.malformed", "the checkpoint is damaged or not complete: "+what)
}

func be64(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }
