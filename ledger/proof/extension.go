package proof

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/dureledger/dure/ledger/fault"
)

// Extension is a checkpoint with the proof that its history begins with an older one of a size, for who knows that one. It is laid out as what a
// log sends to a witness (C2SP tlog-witness, add-checkpoint): "old SIZE", a hash in base64 for each step of the proof, an empty line, the checkpoint.
type Extension struct {
	// Old is the size of the older history; 0 when there is none, or nothing is shown of it.
	Old uint64
	// Path is the consistency proof (RFC 9162, section 2.1.4), hashes of 32 bytes, at most maxPath.
	Path [][]byte
	// Checkpoint is the file.
	Checkpoint []byte
}

const (
	maxPath = 63 // C2SP tlog-witness
	// MaxExtension is how long an extension may be, bytes.
	MaxExtension = MaxCheckpoint + 4<<10
)

// Encode lays an extension out.
func (e *Extension) Encode() []byte {
	var b bytes.Buffer
	b.WriteString("old " + strconv.FormatUint(e.Old, 10) + "\n")
	for _, hash := range e.Path {
		b.WriteString(b64(hash) + "\n")
	}
	b.WriteString("\n")
	b.Write(e.Checkpoint)
	return b.Bytes()
}

// DecodeExtension reads one; the checkpoint in it is not looked at. Code checkpoint.malformed.
func DecodeExtension(raw []byte) (*Extension, error) {
	head, file, found := bytes.Cut(raw, []byte("\n\n"))
	lines := strings.Split(string(head[:min(len(head), 4<<10)]), "\n")
	size, named := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseUint(size, 10, 64)
	if !found || !named || err != nil || strconv.FormatUint(old, 10) != size || len(raw) > MaxExtension || len(lines)-1 > maxPath {
		return nil, notExtension()
	}
	e := &Extension{Old: old, Checkpoint: file}
	for _, line := range lines[1:] {
		hash := unb64(line)
		if b64(hash[:]) != line {
			return nil, notExtension()
		}
		e.Path = append(e.Path, hash[:])
	}
	return e, nil
}

func notExtension() *fault.Error {
	return fault.New("checkpoint.malformed", "this is no checkpoint with a proof that it goes on from an older one")
}
