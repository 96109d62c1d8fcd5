package light_test

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/dureledger/dure/client/light"
	"github.com/dureledger/dure/ledger/fault"
	ledgerproof "github.com/dureledger/dure/ledger/proof"
)

var witnessNames = []string{"auditor.example", "meter.example/7", "press.example"}

func witnessKey(name string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(digest("witness", name))
}

func witnesses() (list []ledgerproof.Witness) {
	for _, name := range witnessNames {
		list = append(list, ledgerproof.Witness{Name: name, Key: witnessKey(name).Public().(ed25519.PublicKey)})
	}
	return list
}

func witnessKeys() (list []string) {
	for _, w := range witnesses() {
		list = append(list, w.String())
	}
	return list
}

// cosigned adds the cosignatures of the first two witnesses and of a stranger.
func cosigned(t testing.TB, file []byte) []byte {
	t.Helper()
	return editCheckpoint(t, file, func(c *ledgerproof.Checkpoint) {
		for i, name := range append(witnessNames[:2:2], "stranger.example") {
			if err := c.AddCosignature(name, witnessKey(name), 1_772_400_000+int64(i)); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func editCheckpoint(t testing.TB, file []byte, change func(*ledgerproof.Checkpoint)) []byte {
	t.Helper()
	c, err := ledgerproof.DecodeCheckpoint(file)
	if err != nil {
		t.Fatal(err)
	}
	change(c)
	c.Evidence.Header.AppHash = ledgerproof.AppHash(c.StateRoot, ledgerproof.HistoryRoot(c.Size, c.Root))
	out, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func brokenCheckpoints(t testing.TB, quiet, moved *chain) []broken {
	good := cosigned(t, quiet.checkpoint(0, 7))
	lines := func(change func([]string) []string) []byte {
		return []byte(strings.Join(change(strings.SplitAfter(string(good), "\n")), ""))
	}
	replace := func(old, new string) []byte { return bytes.Replace(good, []byte(old), []byte(new), 1) }
	other := newChain(t, "other", four, 8, nil)
	return []broken{
		{"checkpoint-empty", "no bytes at all", "checkpoint.not_a_checkpoint", "genesis", nil},
		{"checkpoint-trailing", "an empty line at the end", "checkpoint.malformed", "genesis", append(bytes.Clone(good), '\n')},
		{"checkpoint-unterminated", "no newline at the end", "checkpoint.malformed", "genesis", good[:len(good)-1]},
		{"checkpoint-crlf", "lines end in carriage return and newline", "checkpoint.not_a_checkpoint", "genesis", bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n"))},
		{"checkpoint-leading-zero", "the height has a leading zero", "checkpoint.malformed", "genesis", replace("height 7", "height 07")},
		{"checkpoint-other-height", "the text names another height than the header", "checkpoint.malformed", "genesis", replace("height 7", "height 8")},
		{"checkpoint-no-evidence", "the network's signature line is missing", "checkpoint.malformed", "genesis",
			lines(func(l []string) []string { return append(l[:12:12], l[13:]...) })},
		{"checkpoint-line-twice", "a cosignature is there twice", "checkpoint.malformed", "genesis", lines(func(l []string) []string { return append(l, l[13]) })},
		{"checkpoint-wrong-network", "a good checkpoint of another network run by the same validators", "checkpoint.wrong_network", "genesis", other.checkpoint(0, 7)},
		{"checkpoint-other-header", "the text names another header", "checkpoint.wrong_header", "genesis",
			editCheckpoint(t, quiet.checkpoint(0, 7), func(c *ledgerproof.Checkpoint) {
				c.Header[0] ^= 1
				cosign(t, c, witnessNames[0])
			})},
		{"checkpoint-other-validators", "the text names other validators than signed", "checkpoint.wrong_validators", "genesis",
			editCheckpoint(t, quiet.checkpoint(0, 7), func(c *ledgerproof.Checkpoint) {
				c.Validators = c.Validators[:3]
				cosign(t, c, witnessNames[0])
			})},
		{"checkpoint-bad-cosignature", "a known witness's cosignature has another time", "checkpoint.bad_cosignature", "genesis",
			editCheckpoint(t, good, func(c *ledgerproof.Checkpoint) { c.Lines[0].Signature[7]++ })},
		{"checkpoint-only-strangers", "cosigned only by a witness nobody named", "checkpoint.too_few_cosignatures", "genesis",
			editCheckpoint(t, quiet.checkpoint(0, 7), func(c *ledgerproof.Checkpoint) { cosign(t, c, "stranger.example") })},
	}
}

func cosign(t testing.TB, c *ledgerproof.Checkpoint, name string) {
	t.Helper()
	if err := c.AddCosignature(name, witnessKey(name), 1_772_400_000); err != nil {
		t.Fatal(err)
	}
}

func TestCheckpoint(t *testing.T) {
	c := changing(t)
	policy := ledgerproof.Policy{Witnesses: witnesses(), Threshold: 2}
	file := cosigned(t, c.checkpoint(0, 10))
	v, err := c.anchor().VerifyCheckpoint(file, policy)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Cosignatures) != 2 || v.Cosignatures[1].Time != 1_772_400_001 || v.Changes != 3 || v.Checkpoint.Size != 9 {
		t.Errorf("verified:\n%s", v)
	}
	for _, words := range []string{"auditor.example", "9 outcomes", "3 changes of validators", "height 10"} {
		if !strings.Contains(v.String(), words) {
			t.Errorf("%q is not in:\n%s", words, v)
		}
	}
	pinned, err := light.FromCheckpoint(file, policy)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pinned.VerifyReceipt(c.receipt(2, pinned.Height(), 12))
	if err != nil {
		t.Fatal(err)
	}
	if s := got.String(); !strings.Contains(s, "a checkpoint of 2026-03-01 09:00:17.123 UTC") || !strings.Contains(s, "cosigned by auditor.example, meter.example/7") {
		t.Errorf("rests on:\n%s", s)
	}
	policy.Threshold = 3
	_, err = light.FromCheckpoint(file, policy)
	wantCode(t, err, "checkpoint.too_few_cosignatures")
}

// TestEveryByteOfCheckpointCounts: verified from genesis, every byte counts but those of lines by unknown keys, which
// signed notes ignore: there a change must not make anybody's cosignature count.
func TestEveryByteOfCheckpointCounts(t *testing.T) {
	c := changing(t)
	file := cosigned(t, c.checkpoint(0, 5))
	policy := ledgerproof.Policy{Witnesses: witnesses()[:2], Threshold: 2}
	text := bytes.Index(file, []byte("\n\n"))
	stranger := bytes.Index(file, []byte("— stranger"))
	for i := range file {
		for _, mask := range []byte{0x01, 0xff} {
			bad := bytes.Clone(file)
			bad[i] ^= mask
			if v, err := c.anchor().VerifyCheckpoint(bad, policy); err != nil {
				if fault.Code(err) == "" {
					t.Errorf("byte %d: no code: %v", i, err)
				}
			} else if i < stranger || len(v.Cosignatures) != 2 {
				t.Errorf("accepted with byte %d changed by %#x", i, mask)
			}
			if _, err := light.FromCheckpoint(bad, ledgerproof.Policy{}); err == nil && i < text {
				t.Errorf("taken as an anchor with byte %d changed by %#x", i, mask)
			}
		}
	}
}

func TestStateProof(t *testing.T) {
	c := newChain(t, "quiet", four, 8, nil)
	prove := func(key, value string, exists bool) light.StateProof {
		p, err := c.tree.Prove([]byte(key))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return light.StateProof{Key: []byte(key), Value: []byte(value), Exists: exists, Proof: raw, Checkpoint: c.checkpoint(0, 7)}
	}
	cases := []struct {
		name, key, value string
		exists           bool
		code             string
	}{
		{"there", "Aalice", "open", true, ""},
		{"not there", "Abob", "", false, ""},
		{"another value", "Aalice", "shut", true, "proof.mismatch"},
		{"an empty value", "Aalice", "", true, "proof.mismatch"},
		{"denied", "Aalice", "", false, "proof.malformed"},
		{"made up", "Abob", "open", true, "proof.malformed"},
		{"both", "Abob", "open", false, "proof.mismatch"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			v, err := c.anchor().VerifyStateProof(prove(tc.key, tc.value, tc.exists), ledgerproof.Policy{})
			wantCode(t, err, tc.code)
			if err == nil && v.Height != 7 {
				t.Errorf("at height %d", v.Height)
			}
		})
	}
}
