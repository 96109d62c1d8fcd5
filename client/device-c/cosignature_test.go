package devicec

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/dureledger/dure/ledger/proof"
)

// A cosignature made in C is the one that Go makes, and both take the file with it.
func TestCosign(t *testing.T) {
	c := newChecker(t)
	v := vector{File: "checkpoint.txt", Genesis: "quiet.json"}
	file := read(t, lightTestdata, v.File)
	_, fields := v.fields(t, file)
	code, line := c.ask('o', fields...)
	if code != "" {
		t.Fatal(code)
	}
	checkpoint, err := proof.DecodeCheckpoint(file)
	if err != nil {
		t.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(append([]byte{7}, make([]byte, 31)...))
	if err := checkpoint.AddCosignature("witness.example", key, 1772400000); err != nil {
		t.Fatal(err)
	}
	cosigned, err := checkpoint.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got := string(file) + strings.TrimSpace(line) + "\n"; got != string(cosigned) {
		t.Fatalf("cosigned file\n%s\nwant\n%s", got, cosigned)
	}
	v.Witnesses, v.Threshold = []string{proof.Witness{Name: "witness.example", Key: key.Public().(ed25519.PublicKey)}.String()}, 1
	_, fields = v.fields(t, cosigned)
	if code, _ := c.ask('c', fields...); code != "" {
		t.Errorf("the cosigned file: %s", code)
	}
	v.Threshold = 2
	_, fields = v.fields(t, cosigned)
	if code, _ := c.ask('c', fields...); code != "checkpoint.bad_policy" {
		t.Errorf("two of one witness: code %q", code)
	}
}

// A good signature under the network's own name is no witness's, for C as for Go.
func TestCosignatureInTheNetworksName(t *testing.T) {
	c := newChecker(t)
	v := vector{Name: "network", File: "checkpoint.txt", Genesis: "quiet.json", Threshold: 1}
	file := read(t, lightTestdata, v.File)
	checkpoint, err := proof.DecodeCheckpoint(file)
	if err != nil {
		t.Fatal(err)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	w := proof.Witness{Name: checkpoint.Network, Key: key.Public().(ed25519.PublicKey)}
	id := w.KeyID()
	signature := ed25519.Sign(key, append([]byte("cosignature/v1\ntime 0\n"), checkpoint.Text()...))
	file = append(file, "— "+w.Name+" "+base64.StdEncoding.EncodeToString(append(append(id[:], make([]byte, 8)...), signature...))+"\n"...)
	v.Witnesses = []string{w.String()}
	accepted := 0
	agree(t, c, v, anchor(t, v), file, &accepted)
	if accepted > 0 {
		t.Error("the network is its own witness")
	}
}

// Every length of a line's base64 is taken or refused as Go does.
func TestSignatureLines(t *testing.T) {
	c := newChecker(t)
	v := vector{Name: "lines", File: "checkpoint.txt", Genesis: "quiet.json"}
	file, a := string(read(t, lightTestdata, v.File)), anchor(t, v)
	accepted := 0
	for _, line := range []string{
		"", "—", "— ", "— a", "— a ", "— a b", "a AAAAAAA=", "— a+b AAAAAAA=", "— \x7f AAAAAAA=", "— é AAAAAAA=", "— a AAAAAAA=\r", "— a AAAA", "— a AAAAAA==",
		"— a AAAAAAA=", "— a AAAAAAB=", "— a AAAAAAAA", "— a AAA=AAA=", "— a AAAAAAA", "— a =", "— a ====", "— a AAAAA===", "— a  AAAAAAA=", "— a AAAAAAA= ",
		"— a AAAAAAA=\n— a AAAAAAA=", "— a AAAAAAA=\n— b AAAAAAA=", "— a AAAAAAA=\n— a AAAABAA=", "— a AAAAAAA=\n— a AAAAAAAA", "— a AAAAAAA=\n",
		"— " + strings.Repeat("n", 255) + " AAAAAAA=", "— " + strings.Repeat("n", 256) + " AAAAAAA=",
		"— a " + base64.StdEncoding.EncodeToString(make([]byte, 3000)),
		strings.TrimSuffix(manyLines(127), "\n"), strings.TrimSuffix(manyLines(128), "\n"),
	} {
		v.Name = line
		agree(t, c, v, a, []byte(file+line+"\n"), &accepted)
	}
	if accepted == 0 {
		t.Error("no line was taken")
	}
}

// Every order and form of a receipt's cosignatures is taken or refused as Go does.
func TestCosignatureSections(t *testing.T) {
	c := newChecker(t)
	v := vector{File: "receipt-witnessed.dure", Genesis: "changing.json"}
	file, a := read(t, lightTestdata, v.File), anchor(t, v)
	r, err := proof.DecodeReceipt(file)
	if err != nil {
		t.Fatal(err)
	}
	section := 1
	for _, l := range r.Cosignatures {
		section += 1 + len(l.Name) + 4 + len(l.Signature)
	}
	file = file[:len(file)-section]
	long := strings.Repeat("n", 255)
	accepted, taken := 0, map[bool]int{}
	for _, names := range [][]string{ // each with the first byte of its key id in front
		{}, {"1a"}, {"1"}, {"1" + long}, {"1a b"}, {"1a+"}, {"1\x7f"}, {"1é"}, {"1" + r.Network}, {"1" + r.Network + "x"},
		{"1a", "1b"}, {"1b", "1a"}, {"1a", "1ab"}, {"1ab", "1a"}, {"1a", "2a"}, {"2a", "1a"}, {"1a", "1a"}, {"\x7fa", "\xffa"}, {"2a", "1b"}, {"2b", "1ab"},
		{"1a", "1b", "1b"}, {"1a", "1c", "1b"}, {"1a", "1" + long, "1o"}, {"1" + long, "2" + long},
	} {
		f := append(bytes.Clone(file), byte(len(names)))
		for _, n := range names {
			f = append(append(f, byte(len(n)-1)), n[1:]...)
			f = append(append(f, n[0]), make([]byte, 3+8+64)...)
		}
		v.Name = fmt.Sprintf("%q", names)
		before := accepted
		agree(t, c, v, a, f, &accepted)
		agree(t, c, v, a, f[:len(f)-1], &accepted)
		agree(t, c, v, a, append(f, 0), &accepted)
		taken[accepted > before]++
	}
	if taken[true] < 5 || taken[false] < 5 {
		t.Errorf("%d sections taken, %d refused", taken[true], taken[false])
	}
}

// A policy that can count a key twice, cannot be met or names nobody is refused for receipts as for checkpoints.
func TestReceiptPolicies(t *testing.T) {
	c := newChecker(t)
	v := vector{File: "receipt-witnessed.dure", Genesis: "changing.json"}
	file := read(t, lightTestdata, v.File)
	_, fields := v.fields(t, file)
	key, other := make([]byte, 32), append(make([]byte, 31), 1)
	for name, test := range map[string]struct {
		code   string
		policy [][]byte
	}{
		"nobody asked":    {"", [][]byte{[]byte("0")}},
		"one of nobody":   {"checkpoint.bad_policy", [][]byte{[]byte("1")}},
		"two of one":      {"checkpoint.bad_policy", [][]byte{[]byte("2"), []byte("a"), key}},
		"key twice":       {"checkpoint.bad_policy", [][]byte{[]byte("0"), []byte("a"), key, []byte("b"), key}},
		"no name":         {"checkpoint.bad_policy", [][]byte{[]byte("0"), nil, key}},
		"name with space": {"checkpoint.bad_policy", [][]byte{[]byte("0"), []byte("a b"), key}},
		"strangers":       {"checkpoint.too_few_cosignatures", [][]byte{[]byte("1"), []byte("a"), key, []byte("b"), other}},
		"none needed":     {"", [][]byte{[]byte("0"), []byte("a"), key, []byte("b"), other}},
	} {
		if code, _ := c.ask('r', append(fields[:4:4], test.policy...)...); code != test.code {
			t.Errorf("%s: code %q, want %q", name, code, test.code)
		}
	}
}

func manyLines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "— w%d AAAAAAA=\n", i)
	}
	return b.String()
}
