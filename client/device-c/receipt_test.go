package devicec

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/fault"
	"github.com/dureledger/dure/ledger/genesis"
	"github.com/dureledger/dure/ledger/proof"
)

const lightTestdata = "../light/testdata"

// vector is a case of client/light/testdata/vectors.json.
type vector struct {
	Name, File, Genesis, Checkpoint string
	Witnesses                       []string
	Threshold                       int
	Code, ID, Header                string
	Height                          int64
	Changes                         int
	Power                           int64
}

func read(t testing.TB, folder, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func lightVectors(t testing.TB) (list []vector) {
	t.Helper()
	if err := json.Unmarshal(read(t, lightTestdata, "vectors.json"), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("no vectors")
	}
	return list
}

// anchorFields are what the checker starts from: network and set of a genesis file, in the file's order, or a checkpoint.
func anchorFields(t testing.TB, v vector) [][]byte {
	t.Helper()
	if v.Checkpoint != "" {
		return [][]byte{nil, nil, read(t, lightTestdata, v.Checkpoint)}
	}
	g, err := genesis.Parse(read(t, lightTestdata, v.Genesis))
	if err != nil {
		t.Fatal(err)
	}
	var set []byte
	for _, m := range g.GetNetwork().GetMembers() {
		if m.GetPower() > 0 {
			set = binary.BigEndian.AppendUint64(append(set, m.GetValidatorKey()...), uint64(m.GetPower()))
		}
	}
	return [][]byte{[]byte(g.NetworkID), set, nil}
}

func anchor(t testing.TB, v vector) *light.Anchor {
	t.Helper()
	a, err := light.FromGenesis(read(t, lightTestdata, v.Genesis+v.Checkpoint))
	if v.Checkpoint != "" {
		a, err = light.FromCheckpoint(read(t, lightTestdata, v.Checkpoint), proof.Policy{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// fields are the whole request of a vector, over file.
func (v vector) fields(t testing.TB, file []byte) (op byte, fields [][]byte) {
	t.Helper()
	fields = append(anchorFields(t, v), file)
	if v.isReceipt() && len(v.Witnesses) == 0 {
		return 'r', fields
	}
	policy := v.policy(t)
	fields = append(fields, []byte(strconv.Itoa(policy.Threshold)))
	for _, w := range policy.Witnesses {
		fields = append(fields, []byte(w.Name), w.Key)
	}
	if v.isReceipt() {
		return 'r', fields
	}
	return 'c', fields
}

func (v vector) isReceipt() bool { return strings.HasSuffix(v.File, ".dure") }

func (v vector) policy(t testing.TB) proof.Policy {
	t.Helper()
	p := proof.Policy{Threshold: v.Threshold}
	for _, s := range v.Witnesses {
		w, err := proof.ParseWitness(s)
		if err != nil {
			t.Fatal(err)
		}
		p.Witnesses = append(p.Witnesses, w)
	}
	return p
}

// verify is what Go says of a file, in the checker's words: what it shows if it is good.
func (v vector) verify(t testing.TB, a *light.Anchor, file []byte) (shows string, err error) {
	t.Helper()
	policy := v.policy(t)
	if !v.isReceipt() {
		c, err := a.VerifyCheckpoint(file, policy)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s cosigned=%d", grounds(c.Grounds), len(c.Cosignatures)), nil
	}
	r, err := a.VerifyWitnessed(file, policy)
	if err != nil {
		return "", err
	}
	shows = fmt.Sprintf("id=%x %s cosigned=%d", r.ID, grounds(r.Grounds), len(r.Cosignatures))
	for _, w := range policy.Witnesses {
		for _, c := range r.Cosignatures {
			if c.Witness.Key.Equal(w.Key) {
				shows += fmt.Sprintf(" %s=%d", w.Name, c.Time)
			}
		}
	}
	return shows, nil
}

func grounds(g light.Grounds) string {
	return fmt.Sprintf("header=%x height=%d changes=%d power=%d", g.Header, g.Height, g.Changes, g.Power)
}

func TestReceiptAndCheckpointVectors(t *testing.T) {
	c := newChecker(t)
	for _, v := range lightVectors(t) {
		op, fields := v.fields(t, read(t, lightTestdata, v.File))
		code, rest := c.ask(op, fields...)
		if code != v.Code {
			t.Errorf("%s: code %q, want %q", v.Name, code, v.Code)
		}
		if v.Code != "" {
			continue
		}
		want := fmt.Sprintf("header=%s height=%d changes=%d power=%d", v.Header, v.Height, v.Changes, v.Power)
		if op == 'r' {
			want = "id=" + v.ID + " " + want
		}
		if !strings.HasPrefix(rest, want+" cosigned=") {
			t.Errorf("%s shows %s, want %s", v.Name, rest, want)
		}
		accepted := 0 // all else that it shows is what Go shows
		agree(t, c, v, anchor(t, v), read(t, lightTestdata, v.File), &accepted)
	}
}

// Every byte of a receipt counts, for C as for Go, and both say the same of a file with one changed or cut off there. Of files that are
// laid out like others every 11th byte is changed.
func TestEveryByteChanged(t *testing.T) {
	every := map[string]bool{"receipt": true, "checkpoint-cosigned": true}
	const tail = 400 // of receipt-witnessed: its cosignatures
	for _, v := range lightVectors(t) {
		if v.Code != "" {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			c, a, file, accepted := newChecker(t), anchor(t, v), read(t, lightTestdata, v.File), 0
			for i := range file {
				if i%11 != 0 && !every[v.Name] && (v.Name != "receipt-witnessed" || i < len(file)-tail) {
					continue
				}
				file[i] ^= 1 << (i % 8)
				agree(t, c, v, a, file, &accepted)
				file[i] ^= 1 << (i % 8)
				if i%8 == 0 {
					agree(t, c, v, a, file[:i], &accepted)
				}
			}
			agree(t, c, v, a, append(file, 0), &accepted)
			// Cosignatures of witnesses that nobody asked for may be anything that has their form.
			if accepted > 0 && v.isReceipt() && file[4] == 1 {
				t.Errorf("%d changed files accepted", accepted)
			}
		})
	}
}

// agree checks that C and Go say the same of a file, of a receipt also to a caller who knows no witnesses. C does not look into events
// and refusals of an outcome, so it may find at the signatures only what Go finds there.
func agree(t testing.TB, c *checker, v vector, a *light.Anchor, file []byte, accepted *int) {
	t.Helper()
	shows, err := v.verify(t, a, file)
	want := fault.Code(err)
	op, fields := v.fields(t, file)
	got, rest := c.ask(op, fields...)
	if got != want && (want != "receipt.bad_outcome" || got == "") && !beyond(got, want, file) {
		t.Errorf("%s, changed: C says %q, Go %q", v.Name, got, want)
	}
	if want == "" {
		*accepted++
		if rest != shows {
			t.Errorf("%s, changed: C shows %s, Go %s", v.Name, rest, shows)
		}
	}
	if v.isReceipt() && len(v.Witnesses) > 0 {
		v.Witnesses, v.Threshold = nil, 0
		agree(t, c, v, a, file, accepted)
	}
}

// beyond says whether C is right to refuse a file for its layout, in which validators sign with ML-DSA-65, whatever Go finds in it.
func beyond(got, want string, file []byte) bool {
	switch got {
	case "receipt.unsupported_version":
		return len(file) > 4 && file[4] == 3
	case "checkpoint.unsupported_version":
		return want != "" || bytes.Contains(file, []byte("\nvalidator ")) && longestLine(file) > 2604
	}
	return false
}

func longestLine(file []byte) (n int) {
	for line := range bytes.Lines(file) {
		n = max(n, len(line))
	}
	return n
}

// TestMLDSAIsRefused: what validators have signed with ML-DSA-65 is refused as what it is, not as damage.
func TestMLDSAIsRefused(t *testing.T) {
	const folder = lightTestdata + "/mldsa"
	c := newChecker(t)
	f := anchorFields(t, lightVectors(t)[0])
	for _, name := range []string{"receipt.dure", "receipt-witnessed.dure", "receipt-halfway.dure"} {
		if code, _ := c.ask('r', f[0], f[1], nil, read(t, folder, name)); code != "receipt.unsupported_version" {
			t.Errorf("%s: code %q", name, code)
		}
	}
	marked := inSecondLayout(t, read(t, lightTestdata, "checkpoint.txt"))
	large := read(t, folder, "checkpoint.txt")
	text, _, _ := bytes.Cut(large, []byte("\n\n"))
	short := slices.Concat(text, []byte("\n\n\u2014 x AAAAAAAA\n"))
	for name, file := range map[string][]byte{"too large": large, "keys in the text": short, "evidence alone": marked} {
		if code, _ := c.ask('c', f[0], f[1], nil, file, []byte("0")); code != "checkpoint.unsupported_version" {
			t.Errorf("a checkpoint, %s: code %q", name, code)
		}
	}
}

// inSecondLayout is a checkpoint whose evidence is marked as being in the layout for ML-DSA-65.
func inSecondLayout(t *testing.T, file []byte) []byte {
	t.Helper()
	network, _, _ := strings.Cut(string(file), "\n")
	sum := sha256.Sum256([]byte(network + "\n\xffdure/evidence/v2"))
	head, rest, _ := strings.Cut(string(file), "\n\n— "+network+" ")
	line, others, _ := strings.Cut(rest, "\n")
	raw, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		t.Fatal(err)
	}
	copy(raw, sum[:4])
	return []byte(head + "\n\n— " + network + " " + base64.StdEncoding.EncodeToString(raw) + "\n" + others)
}

func TestLargeFilesAreRefused(t *testing.T) {
	c := newChecker(t)
	for _, v := range lightVectors(t)[:7] {
		op, fields := v.fields(t, make([]byte, 16385))
		if code, _ := c.ask(op, fields...); !strings.HasSuffix(code, ".too_large") {
			t.Errorf("%s: code %q", v.Name, code)
		}
	}
}

// A set is put in order from any order, and refused with a key twice or no power.
func TestGenesisSets(t *testing.T) {
	c := newChecker(t)
	v := lightVectors(t)[0]
	file := read(t, lightTestdata, v.File)
	f := anchorFields(t, v)
	set := f[1]
	backward := []byte{}
	for i := len(set) - 40; i >= 0; i -= 40 {
		backward = append(backward, set[i:i+40]...)
	}
	for name, test := range map[string]struct {
		set  []byte
		code string
	}{
		"backward":  {backward, ""},
		"key twice": {append(set[:len(set):len(set)], set[:40]...), "proof.bad_validators"},
		"no power":  {append(set[:len(set)-8:len(set)-8], make([]byte, 8)...), "proof.bad_validators"},
		"nobody":    {nil, "proof.bad_validators"},
	} {
		if code, _ := c.ask('r', f[0], test.set, nil, file); code != test.code {
			t.Errorf("%s: code %q, want %q", name, code, test.code)
		}
	}
	if code, _ := c.ask('r', make([]byte, 50), set, nil, file); code != "device.bad_argument" {
		t.Errorf("a network id of NULs: code %q", code)
	}
}
